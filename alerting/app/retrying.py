"""Dead deliveries are tried again, when a person says so."""

from __future__ import annotations

from datetime import datetime

from alerting.app.actions import UnknownTarget
from alerting.app.application import App
from alerting.store import Retried
from config.problems import suggestion


def retry(app: App, now: datetime, *, delivery: str | None = None, receiver: str | None = None) -> Retried:
    """One dead delivery, or all of a receiver, is ready again; never one whose group was told newer.

    Raises UnknownTarget, StoreError.
    """
    wanted = receiver
    if delivery is not None:
        wanted = app.store.outbox.receiver_of(delivery)
        if wanted is None:
            raise UnknownTarget(f"there is no delivery {delivery!r}; see: metricwatch deliveries --json")
    if wanted not in app.config.receivers:
        raise UnknownTarget(f"no receiver is called {wanted!r}{suggestion(str(wanted), app.config.receivers)}")
    return app.store.outbox.retry(now, delivery_id=delivery, receiver=receiver)
