"""Verdicts as judged, and how far each (subscription, detect entry, metric) was judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from alerting.store.encoding import (
    STATUS_TEXTS,
    Labels,
    buckets_of,
    labels_from,
    labels_text,
    micros,
    pairs_text,
    status_codes,
    times_of,
    vector,
    vector_or_null,
)
from alerting.store.errors import LostRace
from alerting.store.statements import Cells, is_inserted, number_at, upsert
from alerting.store.tables import verdicts, watches
from alerting.store.values import Judged, StoredVerdicts, Watch
from detectors.contract import Floats

_NAN = vector(np.array([np.nan]))
_ROWS_AT_ONCE = 200  # the first judgement of a year of ten thousand series must not stand in memory twice


def watch(connection: Connection, subscription: str, entry: str, metric: str) -> Watch | None:
    row = connection.execute(select(watches).where(*_is_watch(subscription, entry, metric))).one_or_none()
    return None if row is None else Watch(row.added, row.judged_until, row.state, labels_from(row.labels))


def all_watches(connection: Connection) -> dict[tuple[str, str, str], Watch]:
    table = watches.c
    rows = connection.execute(
        select(table.subscription, table.entry, table.metric, table.added, table.judged_until, table.labels)
    )
    return {
        (row.subscription, row.entry, row.metric): Watch(row.added, row.judged_until, b"", labels_from(row.labels))
        for row in rows
    }


def write(connection: Connection, judged: Judged) -> None:
    """Raises LostRace where somebody else judged since the writer read ``judged_until``."""
    places, labels = _places(connection, judged)
    _advance(connection, judged, labels_text(labels))
    buckets = buckets_of(judged.verdicts.times)
    for start in range(0, len(buckets), _ROWS_AT_ONCE):
        upsert(connection, verdicts, _rows(judged, buckets, places, len(labels), start))


def read(
    connection: Connection, subscription: str, entry: str, metric: str, since: datetime, until: datetime
) -> StoredVerdicts:
    known = watch(connection, subscription, entry, metric)
    labels = known.labels if known is not None else ()
    rows = connection.execute(
        select(verdicts)
        .where(*_is_verdict(subscription, entry, metric))
        .where(verdicts.c.bucket >= micros(since), verdicts.c.bucket < micros(until))
        .order_by(verdicts.c.bucket)
    ).all()
    codes = np.zeros((len(rows), len(labels)), dtype=np.uint8)
    for place, row in enumerate(rows):
        codes[place, : len(row.status)] = np.frombuffer(row.status, dtype=np.uint8)
    width = len(labels)
    return StoredVerdicts(
        times=times_of(np.array([row.bucket for row in rows], dtype=np.int64)),
        labels=labels,
        expected=_floats([row.expected for row in rows], width),
        lower=_floats([row.lower for row in rows], width),
        upper=_floats([row.upper for row in rows], width),
        score=_floats([row.score for row in rows], width),
        status=STATUS_TEXTS[codes],
    )


def read_series(
    connection: Connection,
    subscription: str,
    entry: str,
    metric: str,
    labels: Mapping[str, str],
    since: datetime,
    until: datetime,
) -> StoredVerdicts | None:
    """``read`` of one series; None where it was never judged. The database cuts its numbers out of the vectors."""
    known = watch(connection, subscription, entry, metric)
    wanted = dict(labels)
    place = next((s for s, one in enumerate(known.labels) if one == wanted), None) if known is not None else None
    if place is None:
        return None
    names = ("expected", "lower", "upper", "score")
    cut = (number_at(verdicts.c[name]).label(name) for name in names)
    rows = connection.execute(
        select(verdicts.c.bucket, *cut, number_at(verdicts.c.status, 1, "code").label("status"))
        .where(*_is_verdict(subscription, entry, metric))
        .where(verdicts.c.bucket >= micros(since), verdicts.c.bucket < micros(until))
        .order_by(verdicts.c.bucket),
        {"offset": 8 * place + 1, "code": place + 1},
    ).all()
    buckets, *packed, statuses = list(zip(*rows, strict=True)) or [()] * 6
    codes = np.frombuffer(b"".join(one or b"\0" for one in statuses), dtype=np.uint8)
    grids = {name: _one_each(column)[:, None] for name, column in zip(names, packed, strict=True)}
    times = times_of(np.array(buckets, dtype=np.int64))
    return StoredVerdicts(times=times, labels=(wanted,), status=STATUS_TEXTS[codes][:, None], **grids)


def forget(connection: Connection, metrics: Iterable[tuple[str, str]]) -> None:
    """What the detectors of these (subscription, metric) remember is gone: they learn anew from the readings."""
    table = watches.c
    for subscription, metric in metrics:
        of_metric = (table.subscription == subscription, table.metric == metric)
        connection.execute(update(watches).where(*of_metric).values(state=b""))


def expire(connection: Connection, before: datetime) -> int:
    return connection.execute(delete(verdicts).where(verdicts.c.bucket < micros(before))).rowcount


def _places(connection: Connection, judged: Judged) -> tuple[NDArray[np.intp] | None, Labels]:
    """Where each judged series stands in the stored vectors (None: in the same order), and all labels then."""
    stored = connection.execute(
        select(watches.c.labels).where(*_is_watch(judged.subscription, judged.entry, judged.metric))
    ).scalar_one_or_none()
    if stored is None or stored == labels_text(judged.labels):
        return None, judged.labels
    known = labels_from(stored)
    number = {pairs_text(labels): place for place, labels in enumerate(known)}
    added: list[Mapping[str, str]] = []
    for labels in judged.labels:
        if pairs_text(labels) not in number:
            number[pairs_text(labels)] = len(number)
            added.append(labels)
    return np.array([number[pairs_text(labels)] for labels in judged.labels], dtype=np.intp), (*known, *added)


def _advance(connection: Connection, judged: Judged, labels: str) -> None:
    changed: Cells = {"judged_until": judged.judged_until, "state": judged.verdicts.state, "labels": labels}
    moved = connection.execute(
        update(watches)
        .where(*_is_watch(judged.subscription, judged.entry, judged.metric))
        .where(watches.c.judged_until.is_not_distinct_from(judged.expected_previous))
        .where(*([func.length(watches.c.state) > 0] if judged.remembers else []))
        .values(**changed)
    )
    if moved.rowcount == 1:
        return
    key: Cells = {"subscription": judged.subscription, "entry": judged.entry, "metric": judged.metric}
    is_first = judged.expected_previous is None
    if not (is_first and is_inserted(connection, watches, {**key, "added": judged.added, **changed})):
        raise LostRace(f"{judged.metric} was judged by somebody else for {judged.subscription}, {judged.entry}")


def _rows(
    judged: Judged, buckets: NDArray[np.int64], places: NDArray[np.intp] | None, width: int, start: int
) -> list[Cells]:
    found = judged.verdicts
    codes = status_codes(np.asarray(found.status))
    return [
        {
            "subscription": judged.subscription,
            "entry": judged.entry,
            "metric": judged.metric,
            "bucket": int(buckets[j]),
            "expected": vector_or_null(_spread(found.expected[j], places, width)),
            "lower": vector_or_null(_spread(found.lower[j], places, width)),
            "upper": vector_or_null(_spread(found.upper[j], places, width)),
            "score": vector_or_null(_spread(found.score[j], places, width)),
            "status": _spread_codes(codes[j], places, width).tobytes(),
        }
        for j in range(start, min(start + _ROWS_AT_ONCE, len(buckets)))
    ]


def _spread(values: Floats, places: NDArray[np.intp] | None, width: int) -> Floats:
    if places is None:
        return values
    spread = np.full(width, np.nan)
    spread[places] = values
    return spread


def _spread_codes(codes: NDArray[np.uint8], places: NDArray[np.intp] | None, width: int) -> NDArray[np.uint8]:
    if places is None:
        return codes
    spread = np.zeros(width, dtype=np.uint8)
    spread[places] = codes
    return spread


def _floats(packed: Sequence[bytes | None], width: int) -> Floats:
    values = np.full((len(packed), width), np.nan)
    for row, one in zip(values, packed, strict=True):
        if one is not None:
            row[: len(one) // 8] = np.frombuffer(one, dtype="<f8")
    return values


def _one_each(packed: Sequence[bytes | None]) -> Floats:
    return np.frombuffer(b"".join(one or _NAN for one in packed), dtype="<f8")


def _is_watch(subscription: str, entry: str, metric: str) -> tuple[ColumnElement[bool], ...]:
    table = watches.c
    return (table.subscription == subscription, table.entry == entry, table.metric == metric)


def _is_verdict(subscription: str, entry: str, metric: str) -> tuple[ColumnElement[bool], ...]:
    table = verdicts.c
    return (table.subscription == subscription, table.entry == entry, table.metric == metric)
