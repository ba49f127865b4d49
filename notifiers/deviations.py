"""How far a value is from what was expected, in words that suit the numbers at hand."""

from __future__ import annotations

from notifiers.contract import IncidentView
from notifiers.quantities import number, numbers

_SHARES = frozenset({"%", "percent", "share", "ratio"})


def deviation(incident: IncidentView, observed: float | None, expected: float | None) -> str:
    """``41 % below expected``, ``3.2 times the expected``, ``37 instead of 0``, ``below 50``; empty: not known."""
    if observed is None:
        return ""
    if expected is None:
        return _beyond_bound(incident, observed)
    if observed == expected:
        return "as expected"
    share = _share(observed, expected, incident.unit)
    if share is None:
        seen, usual = numbers([observed, expected])
        sign = " %" if incident.unit == "%" else ""
        return f"{seen}{sign} instead of {usual}{sign}"
    if share >= 2:
        return f"{number(1 + share, 2)} times the expected"
    return f"{_percent(share)} {'above' if share > 0 else 'below'} expected"


def magnitude(observed: float | None, expected: float | None, unit: str | None) -> str | None:
    """The bare size of a deviation (``41 %``, ``3.2 ×``); None where a percentage would mislead."""
    share = None if observed is None or expected is None else _share(observed, expected, unit)
    if share is None:
        return None
    return f"{number(1 + share, 2)} ×" if share >= 2 else _percent(share)


def against(incident: IncidentView, unit: str, season: str) -> str:
    """``612 orders/h, usually 980 – 1,140``: the reading beside the band it was judged by, or the limit it broke."""
    if incident.observed is None:
        return ""
    known = [value for value in (incident.observed, incident.lower, incident.upper) if value is not None]
    texts = dict(zip(known, numbers(known), strict=True))
    seen = f"{texts[incident.observed]}{unit}"
    low, high = incident.lower, incident.upper
    if low is None and high is None:
        usual = f", usually about {number(incident.expected)}{season}" if incident.expected is not None else ""
        return seen + usual
    if low is not None and high is not None:
        band = f"{texts[low]} – {texts[high]}"
    else:
        band = f"at least {texts[low]}" if low is not None else f"at most {texts[high]}" if high is not None else ""
    return f"{seen}, {'usually' if incident.expected is not None else 'should be'} {band}{season}"


def _beyond_bound(incident: IncidentView, observed: float) -> str:
    low, high = incident.lower, incident.upper
    if low is not None and (observed < low or (incident.direction < 0 and high is None)):
        return f"below {number(low)}"
    if high is not None and (observed > high or incident.direction > 0):
        return f"above {number(high)}"
    return ""


def _share(observed: float, expected: float, unit: str | None) -> float | None:
    """(observed − expected) ÷ |expected|; None where that says nothing: expected about 0, other sign, shares."""
    if unit in _SHARES or abs(expected) < 1e-9 or abs(expected) < abs(observed) / 100 or observed * expected < 0:
        return None
    return (observed - expected) / abs(expected)


def _percent(share: float) -> str:
    size = abs(share) * 100
    return f"{size:.0f} %" if size >= 1 else f"{size:.1g} %"
