"""Which buckets to pull now, and how far a pull moves the watermark. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from alerting.core.blocks import Block
from alerting.core.health import QueryState
from config.model import Query
from detectors.buckets import as_datetime
from detectors.contract import Instants

Purpose = Literal["new", "restate", "backfill"]

CHUNK_BUCKETS = 500
CHUNK_SPAN = timedelta(days=7)


@dataclass(frozen=True)
class Window:
    """Buckets with ``since`` ≤ start < ``until``; both are bucket starts, aware, UTC."""

    since: datetime
    until: datetime
    purpose: Purpose


def plan(query: Query, state: QueryState, now: datetime) -> list[Window]:
    """The windows to pull, in the order in which to pull them; stop at the first that fails.

    First the new buckets, oldest first, because incidents advance in the order of time and the watermark must not
    jump over a hole; then the restatement window, then history, both newest first.
    """
    state = of_this_digest(query, state)
    until = query.bucket.start(now - query.delay, query.timezone)
    oldest = query.bucket.start(now - query.history, query.timezone)
    if state.watermark is None or state.backfilled is None:
        return _chunks(query, oldest, until, "backfill")
    windows = _chunks(query, state.watermark, until, "new")[::-1]
    if _restate_is_due(query, state, now):
        windows += _chunks(query, _restate_from(query, state, now), state.watermark, "restate")
    return windows + _chunks(query, oldest, state.backfilled, "backfill")


def settle(
    query: Query, state: QueryState, pulled: Block, window: Window, zero_filled: bool, now: datetime
) -> QueryState:
    """What is known after a pull of ``window``: ``digest``, watermark, ``newest``, backfilled, restated.

    Trailing buckets for which the whole query brought nothing have not arrived: they stay beyond the watermark and
    are pulled again, until a later bucket has rows. When nobody declared lateness and every metric fills with zero
    (``zero_filled``), an empty bucket is an answer and final at once. ``now`` is the one that ``plan`` was given.
    """
    state = of_this_digest(query, state)
    newest = _newest_with_rows(pulled)
    changes = replace(state, newest=_later(state.newest, newest))
    is_first = state.watermark is None
    if is_first or window.purpose == "new":
        final = _final_end(query, newest, window, zero_filled)
        changes = replace(changes, watermark=_later(state.watermark, final) or window.since)
    if is_first or window.purpose == "backfill":
        changes = replace(changes, backfilled=min(state.backfilled or window.since, window.since))
    if (
        query.restate
        and (is_first or window.purpose == "restate")
        and window.since <= _restate_from(query, changes, now)
    ):
        changes = replace(changes, restated=now)
    return changes


def settled(pulled: Block, window: Window, state: QueryState) -> Block:
    """The part of the block that may be stored as pulled: all of it, but for new buckets that have not arrived."""
    if state.watermark is None or window.until <= state.watermark:
        return pulled
    end = int(np.searchsorted(pulled.times, _instant(state.watermark)))
    return Block(pulled.times[:end], pulled.keys, pulled.values[:end])


def halves(query: Query, window: Window) -> tuple[Window, Window] | None:
    """The older and the newer half of a window, at a bucket start; None when it is a single bucket."""
    starts = query.bucket.starts(window.since, window.until, query.timezone)
    if len(starts) < 2:
        return None
    middle = as_datetime(starts[len(starts) // 2])
    return replace(window, until=middle), replace(window, since=middle)


def split(query: Query, window: Window, size: int) -> list[Window]:
    """The window in pieces of at most ``size`` buckets, newest first."""
    starts = query.bucket.starts(window.since, window.until, query.timezone)
    return [Window(since, until, window.purpose) for since, until in _pieces(starts, window.until, size)]


def of_this_digest(query: Query, state: QueryState) -> QueryState:
    """The state, or a fresh one when it describes another SQL text: nothing of that was pulled."""
    if state.digest == query.digest:
        return state
    return replace(state, digest=query.digest, watermark=None, backfilled=None, newest=None, restated=None, columns=())


def _chunks(query: Query, since: datetime, until: datetime, purpose: Purpose) -> list[Window]:
    if since >= until:
        return []
    return split(query, Window(since, until, purpose), max(CHUNK_BUCKETS, CHUNK_SPAN // query.bucket.nominal))


def _pieces(starts: Instants, until: datetime, size: int) -> Iterator[tuple[datetime, datetime]]:
    for end in range(len(starts), 0, -size):
        since = as_datetime(starts[max(0, end - size)])
        yield since, until
        until = since


def _restate_is_due(query: Query, state: QueryState, now: datetime) -> bool:
    if query.restate is None:
        return False
    return state.restated is None or now - state.restated >= query.restate.every


def _restate_from(query: Query, state: QueryState, now: datetime) -> datetime:
    assert query.restate is not None
    wanted = query.bucket.start(now - query.restate.window, query.timezone)
    return max(wanted, state.backfilled) if state.backfilled else wanted


def _final_end(query: Query, newest: datetime | None, window: Window, zero_filled: bool) -> datetime | None:
    if zero_filled and query.late is None:
        return window.until
    return None if newest is None else query.bucket.next(newest, query.timezone)


def _newest_with_rows(pulled: Block) -> datetime | None:
    filled = np.flatnonzero(~np.isnan(pulled.values).all(axis=1)) if pulled.keys else np.array([], dtype=np.intp)
    return as_datetime(pulled.times[filled[-1]]) if len(filled) else None


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _instant(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.replace(tzinfo=None), "us")
