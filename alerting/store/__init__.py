"""Our own database: points, verdicts, states, incidents, groups, outbox."""

from alerting.store.costs import Cost, LastPull
from alerting.store.deliveries import (
    Again,
    Claim,
    Dead,
    OutboxRow,
    Outcome,
    Overtaken,
    Parked,
    ReceiverState,
    Released,
    Retried,
    Sent,
    Trouble,
)
from alerting.store.errors import AmbiguousIncident, LostRace, NewerSchema, StateBusy, StoreError, Unavailable
from alerting.store.outbox import Outbox
from alerting.store.points import Points
from alerting.store.searching import Sought
from alerting.store.store import Store, open_store
from alerting.store.values import ConfigFile, Expired, Judged, Recording, SilentGroup, StoredVerdicts, Watch, Written

__all__ = [
    "Again",
    "AmbiguousIncident",
    "Claim",
    "ConfigFile",
    "Cost",
    "Dead",
    "Expired",
    "Judged",
    "LastPull",
    "LostRace",
    "NewerSchema",
    "Outbox",
    "OutboxRow",
    "Outcome",
    "Overtaken",
    "Parked",
    "Points",
    "ReceiverState",
    "Recording",
    "Released",
    "Retried",
    "Sent",
    "SilentGroup",
    "Sought",
    "StateBusy",
    "Store",
    "StoreError",
    "StoredVerdicts",
    "Trouble",
    "Unavailable",
    "Watch",
    "Written",
    "open_store",
]
