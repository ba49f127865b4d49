"""While a query is late or failing, its health is one incident: the anomalies of its metrics are not told beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alerting.core.incidents import SeriesState

KINDS_OF_DATA = ("late",)
KINDS = (*KINDS_OF_DATA, "failing")
States = Mapping[str, Mapping[str, SeriesState]]
"""States by subject and fingerprint."""


def ailing(states: States, sources: Mapping[str, Sequence[str]], kinds: Sequence[str] = KINDS) -> dict[str, str]:
    """What is wrong with the queries of each metric (``orders_hourly is late``); a metric that is well is not in it.

    ``sources``: the names of the queries of each metric. A metric of two queries is well when both are. ``kinds``: of
    these health incidents, those that inhibit.
    """
    sick = {
        name: _trouble(name, states.get(f"query:{name}", {}), kinds) for names in sources.values() for name in names
    }
    found = {metric: "; ".join(sick[name] for name in names if sick[name]) for metric, names in sources.items()}
    return {metric: trouble for metric, trouble in found.items() if trouble}


def freed(
    before: States, after: States, sources: Mapping[str, Sequence[str]], still: Mapping[str, str]
) -> tuple[SeriesState, ...]:
    """The series with an open incident of a metric that may have been inhibited before and is not ``still``."""
    well = ailing(before, sources).keys() - still.keys()
    return tuple(
        state
        for subject, series in after.items()
        for state in series.values()
        if state.incident is not None and state.incident.kind == "metric" and state.metric in well
    )


def _trouble(query: str, health: Mapping[str, SeriesState], kinds: Sequence[str]) -> str:
    found = {state.incident.kind for state in health.values() if state.incident is not None}
    wrong = [kind for kind in kinds if kind in found]
    return f"{query} is {' and '.join(wrong)}" if wrong else ""
