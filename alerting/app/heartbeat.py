"""The outbound heartbeat: an address is asked each minute, while everything is watched and told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx2

from alerting.app.canary import ailment
from alerting.core.vitals import ailments
from alerting.telemetry import logger

if TYPE_CHECKING:
    from alerting.app.application import App

_log = logger("heartbeat")


def beat(app: App, couriers: Mapping[str, datetime], now: datetime) -> bool:
    """True where the address was reached. Nothing is sent where something ails; why is logged. Raises StoreError.

    The address is a secret: whoever knows it can say that we are well. It is never logged, and redirects, which could
    lead anywhere, are not followed.
    """
    if app.settings.heartbeat_url is None:
        return False
    states = app.store.query_states()
    found = ailments(
        ticked=timedelta(seconds=app.pulse.age_s()),
        oldest_due=app.store.outbox.oldest_due(now),
        couriers=couriers,
        queries=[(query, states.get(name)) for name, query in app.config.queries.items() if app.config.watched(name)],
        now=now,
    )
    found = tuple(one for one in (*found, ailment(app.bench(), now)) if one)
    if found:
        _log.warning("heartbeat withheld", reason="; ".join(found))
        return False
    return _reached(app.settings.heartbeat_url.get_secret_value())


def _reached(url: str) -> bool:
    try:
        status = httpx2.get(url, timeout=10, follow_redirects=False).status_code
    except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
        _log.warning("heartbeat not sent", reason=type(exc).__name__)  # only the type: the text may hold the address
        return False
    if not 200 <= status < 300:
        _log.warning("heartbeat refused", status=status)
        return False
    return True
