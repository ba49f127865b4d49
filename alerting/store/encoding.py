"""How values become bytes and text in the database, and back: vectors, labels, readings, incidents, notifications."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import numpy as np
from numpy.typing import NDArray

from alerting.core.incidents import Incident, Reading
from detectors.contract import ANOMALY, OK, UNKNOWN, Floats, Instants
from notifiers.contract import Notification

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Labels = tuple[Mapping[str, str], ...]
STATUS_TEXTS = np.array([UNKNOWN, OK, ANOMALY])  # 0 also stands for a series that was not there yet


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970. Raises ValueError when the moment is naive."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return int(np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64))


def from_micros(value: int) -> datetime:
    naive: datetime = np.datetime64(value, "us").item()
    return naive.replace(tzinfo=UTC)


def instants_from(text: str) -> tuple[datetime, ...]:
    """From a JSON list of microseconds."""
    return tuple(from_micros(value) for value in json.loads(text))


def buckets_of(times: Instants) -> NDArray[np.int64]:
    return times.astype("datetime64[us]").astype(np.int64)


def times_of(buckets: NDArray[np.int64]) -> Instants:
    return buckets.astype("datetime64[us]")


def vector(values: Floats) -> bytes:
    return np.ascontiguousarray(values, dtype="<f8").tobytes()


def vector_or_null(values: Floats) -> bytes | None:
    """None for a vector of nothing but NaN: a threshold without ``above`` has no lower bound anywhere."""
    return None if bool(np.isnan(values).all()) else vector(values)


def status_codes(statuses: NDArray[np.generic]) -> NDArray[np.uint8]:
    codes = np.zeros(statuses.shape, dtype=np.uint8)
    codes[statuses == OK] = 1
    codes[statuses == ANOMALY] = 2
    return codes


def dumps(value: Json) -> str:
    """ASCII without NUL and without NaN: any database keeps it."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def pairs_text(labels: Mapping[str, str]) -> str:
    """The canonical text of one set of labels: its pairs sorted by name."""
    return dumps([[str(name), str(value)] for name, value in sorted(labels.items())])


def pairs_from(text: str) -> dict[str, str]:
    return dict(json.loads(text))


def labels_text(labels: Sequence[Mapping[str, str]]) -> str:
    return "[" + ",".join(pairs_text(one) for one in labels) + "]"


def labels_from(text: str) -> Labels:
    return tuple(dict(one) for one in json.loads(text))


def reading_text(reading: Reading) -> str:
    return dumps(_reading(reading))


def reading_from(text: str) -> Reading:
    return _reading_of(json.loads(text))


def incident_text(incident: Incident) -> str:
    return dumps(
        {
            "id": incident.id,
            "subject": incident.subject,
            "fingerprint": incident.fingerprint,
            "kind": incident.kind,
            "metric": incident.metric,
            "labels": {str(name): str(value) for name, value in incident.labels.items()},
            "status": incident.status,
            "severity": incident.severity,
            "opened": incident.opened.isoformat(),
            "detected": incident.detected.isoformat(),
            "resolved": None if incident.resolved is None else incident.resolved.isoformat(),
            "cause": incident.cause,
            "flapping": bool(incident.flapping),
            "first": _reading(incident.first),
            "last": _reading(incident.last),
            "worst": _reading(incident.worst),
        }
    )


def incident_from(text: str) -> Incident:
    fields = json.loads(text)
    for name in ("opened", "detected"):
        fields[name] = datetime.fromisoformat(fields[name])
    for name in ("first", "last", "worst"):
        fields[name] = _reading_of(fields[name])
    if fields["resolved"] is not None:
        fields["resolved"] = datetime.fromisoformat(fields["resolved"])
    return Incident(**fields)


def notification_text(notification: Notification) -> str:
    return dumps(cast(Json, notification.model_dump(mode="json")))


def notification_from(text: str) -> Notification:
    """Raises ValueError where the text was written by a version that says other things."""
    return Notification.model_validate(json.loads(text))


def _reading(reading: Reading) -> Json:
    return {
        "bucket": reading.bucket.astimezone(UTC).isoformat(),
        "status": reading.status,
        "severity": reading.severity,
        "observed": _number(reading.observed),
        "expected": _number(reading.expected),
        "lower": _number(reading.lower),
        "upper": _number(reading.upper),
        "score": _number(reading.score),
        "direction": int(reading.direction),
        "detector": str(reading.detector),
        "reason": str(reading.reason),
        "calendar": str(reading.calendar),
    }


def _reading_of(fields: dict[str, Json]) -> Reading:
    numbers = {name: _number_of(fields.pop(name)) for name in ("observed", "expected", "lower", "upper", "score")}
    bucket = datetime.fromisoformat(str(fields.pop("bucket")))
    return Reading(bucket=bucket, **numbers, **cast(Mapping[str, str], fields))  # type: ignore[arg-type]  # our own JSON


def _number(value: float) -> Json:
    number = float(value)
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else str(number)


def _number_of(value: Json) -> float:
    return float("nan") if value is None else float(cast(float, value))
