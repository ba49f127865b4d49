"""Learns the seasons of a metric by STL (MSTL where there are two) and judges each bucket against their forecast."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from detectors.buckets import Bucket
from detectors.contract import UNKNOWN, Detector, Explanation, Panel, Verdicts
from detectors.forecast import forecast
from detectors.memory import packed, recalled
from detectors.rhythm import Rhythm
from detectors.verdict import verdicts


class Seasonal(Detector):
    """Anomalous when a reading strays more than ``bound`` robust standard deviations from its forecast.

    forecast = level + seasons. Seasons (day and week; week for ``1d``; year for ``1w`` and ``1mo`` with three years of
    history) are learned by STL or MSTL in the panel's local time, from the window that ends where the local day (the
    week, once three weeks are known) of the judged bucket begins: no reading is inside its own fit. A season is used
    only where it makes the usual error a tenth smaller. The level is the median of the last day and of the last week;
    what lies between the two counts as normal.

    A new normal is accepted after half a day when it lies within two and a half half-bands of the old one, else after
    half a week (``1d``: half a week, two weeks). Masked readings and those under an event never train. A series that
    never varied in the window is unknown, not anomalous, when it first moves.

    Source: R. B. Cleveland et al. (1990), STL; K. Bandara et al. (2021), MSTL; as in statsmodels 0.15.

    >>> import numpy as np
    >>> hours = np.arange(24 * 30)
    >>> values = 100 + 40 * np.sin(hours * 2 * np.pi / 24) + hours % 5
    >>> values[-1] = 400
    >>> times = np.datetime64("2026-01-05", "us") + hours * np.timedelta64(1, "h")
    >>> panel = Panel(times, values[:, None], ({},), "1h", "UTC")
    >>> Seasonal().judge(panel, since=times[-2]).status.tolist()
    [['ok'], ['anomaly']]
    """

    bound: float = Field(default=4.0, gt=0, le=1000)
    """Robust standard deviations from the forecast at which the score is 1. Higher is quieter."""

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        past = recalled(state, panel)
        ahead, learner = forecast(past, since, Bucket.parse(panel.bucket), panel.timezone)
        kept = packed(panel, past, learner.fits_needed_later(), learner.needed_later())
        return verdicts(ahead, self.bound, kept)

    def explain(self, panel: Panel, series: int, time: np.datetime64, *, state: bytes | None = None) -> Explanation:
        """Raises ValueError when no bucket of the panel starts at ``time``."""
        past = recalled(state, panel).only(series).until(time)
        ahead, _ = forecast(past, time, Bucket.parse(panel.bucket), panel.timezone)
        if len(ahead.times) == 0 or ahead.times[0] != time:
            raise ValueError(f"no bucket starts at {time}")
        found = verdicts(ahead, self.bound, b"")
        known = bool(found.status[0, 0] != UNKNOWN)
        level = ahead.level(self.bound)
        expected = float(found.expected[0, 0])
        return Explanation(
            level=float(level.middle[0, 0]) if known else np.nan,
            seasons={name: float(part[0, 0]) for name, part in ahead.seasons.items()} if known else {},
            calendar=0.0 if known else np.nan,
            residual=float(found.observed[0, 0]) - expected,
            expected=expected,
            lower=float(found.lower[0, 0]),
            upper=float(found.upper[0, 0]),
            score=float(found.score[0, 0]),
            expected_per_month=np.nan,
            status=found.status[0, 0],
            reason=str(found.reason[0, 0]),
        )

    def history(self, panel_bucket: str) -> np.timedelta64:
        bucket = Bucket.parse(panel_bucket)
        return np.timedelta64(Rhythm.of(bucket).history(bucket), "us")
