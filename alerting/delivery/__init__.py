"""Deliveries leave the outbox: claim, send, settle, one receiver at a time."""

from alerting.delivery.courier import Courier
from alerting.delivery.drain import DeliveryReport, drain
from alerting.delivery.emergency import Emergency
from alerting.delivery.round import Attempted
from alerting.delivery.timing import Timing

__all__ = ["Attempted", "Courier", "DeliveryReport", "Emergency", "Timing", "drain"]
