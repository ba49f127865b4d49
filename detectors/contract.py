"""What every detector speaks: panels in, verdicts out.

Shapes: T buckets of a panel, J judged buckets, S series. Instants are UTC ``datetime64[us]`` bucket starts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Instants = NDArray[np.datetime64]
Texts = NDArray[np.str_] | NDArray[np.object_]

OK = "ok"
ANOMALY = "anomaly"
UNKNOWN = "unknown"
Status = Literal["ok", "anomaly", "unknown"]


@dataclass(frozen=True)
class Event:
    """A calendar event over the buckets of a panel: ``active[T]`` is True where it applies.

    ``name`` is the same every year, so that its effect can be learned; ``calendar`` says which calendar brought it.
    """

    name: str
    effect: Literal["model", "widen", "mute", "annotate"]
    active: Bools
    calendar: str = ""


@dataclass(frozen=True)
class Panel:
    """The series of one metric on one time grid.

    ``times[T]`` UTC bucket starts, ascending, without holes · ``values[T, S]`` float64, NaN = no reading ·
    ``labels[S]`` the dimensions of each series (empty mapping: the total) · ``bucket`` the text of the YAML (``1h``,
    ``1mo``) · ``timezone`` IANA zone of seasons and calendar buckets · ``masked[T, S]`` True = never trains.
    """

    times: Instants
    values: Floats
    labels: tuple[Mapping[str, str], ...]
    bucket: str
    timezone: str
    masked: Bools | None = None
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.times), len(self.labels)):
            raise ValueError(
                f"values of shape {self.values.shape} for {len(self.times)} times and {len(self.labels)} series"
            )
        if self.masked is not None and self.masked.shape != self.values.shape:
            raise ValueError(f"masked of shape {self.masked.shape} for values of shape {self.values.shape}")


@dataclass(frozen=True)
class Verdicts:
    """What a detector says of the buckets from ``since`` on.

    ``times[J]``; all else ``[J, S]``. ``expected``, ``lower``, ``upper``, ``score`` are NaN where unknown; a bound that
    does not exist (only ``below`` is set) is NaN as well. ``score`` 1.0 = on the bound, anomaly above it.
    ``status`` ``ok | anomaly | unknown`` · ``direction`` −1 low, 0 none, 1 high · ``reason`` one short phrase, never
    empty where the status is not ``ok`` · ``state`` what a later call may pass back (empty: nothing to keep).
    """

    times: Instants
    observed: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats
    status: Texts
    direction: NDArray[np.int8]
    reason: Texts
    state: bytes = b""


@dataclass(frozen=True)
class Explanation:
    """Why one point of one series was judged as it was: value = level + seasons + calendar + residual.

    Numbers are in the metric's unit and NaN where they do not apply; ``expected_per_month`` says how often a point
    as unusual as this one is expected in 30 days (NaN: the detector does not know).
    """

    level: float
    seasons: Mapping[str, float]
    calendar: float
    residual: float
    expected: float
    lower: float
    upper: float
    score: float
    expected_per_month: float
    status: Status
    reason: str


class Detector(BaseModel, ABC):
    """A frozen set of parameters that judges panels; ``judge`` is pure, causal and never mutates.

    Each parameter is a pydantic field with a description: that text is the reference manual and the JSON Schema.
    ``bounds_in_units`` is True for detectors whose parameters are in the metric's unit (they are exempt from the
    shift and scale invariances of the conformance suite).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    bounds_in_units: ClassVar[bool] = False

    @abstractmethod
    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        """Judges every bucket ≥ ``since`` of all series at once; row t depends on buckets ≤ t only."""

    @abstractmethod
    def explain(self, panel: Panel, series: int, time: np.datetime64, *, state: bytes | None = None) -> Explanation:
        """Takes apart the verdict of ``panel.labels[series]`` at the bucket that starts at ``time``."""

    def history(self, panel_bucket: str) -> np.timedelta64:
        """How much history before the first judged bucket this detector wants to see."""
        return np.timedelta64(0, "us")

    def remembers(self, state: bytes, panel: Panel) -> bool:
        """True where ``judge`` can go on from ``state`` although the panel begins after the last judged bucket.

        Where it is False the caller brings as much history as ``history`` says, for all series.
        """
        return False

    def shared_by(self, series: int) -> Detector:
        """This detector with its budget spread evenly over ``series`` series; itself where it has no budget.

        A budget is what people want to be told by a whole entry of ``detect``; a detector judges one series at a time.
        """
        return self

    def spends(self) -> float | None:
        """Its budget in events per week; None where it calls whenever its rule holds, however often that is."""
        return None

    @classmethod
    def example_parameters(cls) -> dict[str, Any]:
        """Parameters with which the conformance suite runs this detector."""
        return {}
