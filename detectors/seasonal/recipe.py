"""The numbers of the method. One setting for all series; each was measured (see docs/how-it-decides.md)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Half-lives are in the unit that their name ends with; a share or a factor has none.

    A part is left out where its number says so (0, False): that is how the ablation table is made.
    """

    fast_s: float = 300.0
    """Half-life of the fast level: from half-hours on it is the last reading."""
    slow_s: float = 86_400.0
    slow_readings: float = 28.0
    """Half-life of the slow level: the longer of the two."""
    profile_cycles: float = 4.0
    profile_clip: float = 3.0
    """A bin of a profile moves by at most this many scales in one cycle, once it has seen two."""
    scale_s: float = 28 * 86_400.0
    scale_readings: float = 400.0
    scale_clip: float = 5.0
    """An error counts in a scale as at most this many scales: an incident does not make the next one invisible."""
    floor: float = 1.0
    """No bound is tighter than this share of the usual step from one reading to the next, seasons taken out."""
    raw_floor: float = 0.8
    """Nor than this share of the floor that the steps with their seasons make."""
    tolerance_bins: int = 96
    """From this many bins a day on, the expectation is the range of the profile over the neighbouring bins."""
    season_penalty: float = 1.1
    """How much better a seasonal forecaster must be than one without season."""
    slow_penalty: float = 1.1
    """And than one with the slow level, which stays beside a new level for a day."""
    lags: int = 3
    """Readings that the autoregressive level looks back on; 0: there is none."""
    calm: float = 0.5
    calm_readings: float = 100.0
    """In a stretch of large errors distances shrink: divided by this share of their recent mean where that is > 1."""
    hourly_days: float = 14.0
    """Each hour of the day has a usual error of its own, which starts as that of all hours, worth so many days (0: one
    for all)."""
    local: bool = True
    local_readings: float = 250.0
    local_floor: float = 0.5
    local_penalty: float = 0.3
    """A level and a scale with a memory of readings, not of weeks."""
    trend: bool = True
    trend_long_s: float = 7 * 86_400.0
    trend_short_s: float = 8 * 3600.0
    trend_clip: float = 3.0
    trend_penalty: float = 0.8
    """A drift: the mean of the last hours leaves that of the last week. It must be rarer by so many powers of ten."""
    top: float = 0.2
    """The tail of a distance begins where this share of the blocks lies above."""
    tail_exponent: float = 4.5
    tail_weight: float = 60.0
    """The exponent that a series without history has, and how many exceedances it is worth."""
    tail_share: float = 0.85
    """How much of a rate comes from the tail; the rest is counted."""
    start_distance: float = 5.0
    """Before a series has a history, this distance is expected twice a week."""
    memory_weeks: float = 26.0
    calibration_weight: float = 4.0
    quiet_before: float = 1.25
    """How many weeks the start is worth where pages are counted; and as a page needs a quiet day before it, not every
    event is one: as many of them as if so many a week came independently."""
    quieter: float = 0.15
    louder: float = 0.8
    """How far, in powers of ten, counted pages may move a rate."""
    louder_until: float = 1.0
    """Pages are counted at about one a week: what is rarer is made louder by less, and by nothing from so many powers
    of ten on."""
    lasting: float = 1.1
    """The highest score of a bucket in which an incident only goes on."""
    least_readings: int = 40
    flat: bool = True
    run_rarity: float = 0.5
    """By how much the score of a flat run or a gap that is longer than any before exceeds 1."""
    run_memory_weeks: float = 8.0
    event_width: float = 2.0
    """How much wider the bound is on a day of a calendar that widens, or whose effect is not known yet."""


RECIPE = Recipe()
