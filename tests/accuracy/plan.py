"""Who judges what: the contenders, the collections, and the jobs that follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.accuracy.contender import Contender
from tests.accuracy.injected import Copy, injected
from tests.accuracy.labelled import LABELLED_COLLECTIONS, PLAIN_COLLECTIONS, Series, collection
from tests.accuracy.ours import Ours, offers
from tests.accuracy.rivals import RIVALS
from tests.accuracy.rivals.control import Random
from tests.accuracy.run import Job
from tests.accuracy.synthetic import LAWS, SEEDS, WEEKS, synthetic

T = TypeVar("T")

SETS = (*LABELLED_COLLECTIONS, *PLAIN_COLLECTIONS, "synthetic")
DEFAULT = Ours("seasonal")
WEEKLY = Ours("seasonal 1/week", parameters=(("budget", "1/week"),))
CONTROL = Random()
COPIES = (0, 1, 2)


class UnknownName(LookupError):
    """No contender or set has this name; the message lists those there are."""


@dataclass(frozen=True)
class Plan:
    """``weekly`` is our detector at one page a week (None: it has no budget yet)."""

    contenders: tuple[Contender, ...]
    weekly: Contender | None
    labelled: dict[str, list[Series]]
    plain: dict[str, list[Copy]]
    synthetic: list[Series]

    def jobs(self) -> list[Job]:
        found = [job for several in self.labelled.values() for job in self._each(several)]
        for copies in self.plain.values():
            untouched = list({copy.untouched.key: copy.untouched for copy in copies}.values())
            found += self._each([*untouched, *(copy.altered for copy in copies)])
        return found + self._calibrating()

    def taken(self, contender: Contender, several: Sequence[Series]) -> list[Series]:
        """The series of one collection that a contender judges: of slow ones the first few by name."""
        most = contender.most.get(several[0].collection) if several else None
        if most is None:
            return list(several)
        names = sorted({one.name.partition("~")[0] for one in several})[:most]
        return [one for one in several if one.name.partition("~")[0] in names]

    def _each(self, several: Sequence[Series]) -> list[Job]:
        return [Job(one, series) for one in self.contenders for series in self.taken(one, several)]

    def _calibrating(self) -> list[Job]:
        if self.weekly is None:
            return []
        real = [series for several in self.labelled.values() for series in several]
        plain = {copy.untouched.key: copy.untouched for copies in self.plain.values() for copy in copies}
        return [Job(self.weekly, series) for series in (*real, *plain.values(), *self.synthetic)]


def everyone() -> tuple[Contender, ...]:
    """Our default first, the textbook models where the detector offers them, then the rivals and the control."""
    models = ("stl", "mstl") if offers("seasonal", "model") else ()
    # Textbook models refit: on minutes they would take longer than all others together.
    slow = {"kpi": 4, "plain_hourly": 0, "plain_daily": 0}
    ours = (DEFAULT, *(Ours(f"seasonal {model}", parameters=(("model", model),), most=slow) for model in models))
    return (*ours, *(rival() for rival in RIVALS), CONTROL)


def planned(only: Iterable[str] = (), sets: Iterable[str] = ()) -> Plan:
    """The plan for these contenders and sets (none named: all). Raises UnknownName."""
    contenders = _chosen(tuple(only), {one.name: one for one in everyone()}, "contender")
    wanted = _chosen(tuple(sets), {name: name for name in SETS}, "set")
    ours = any(one.name == DEFAULT.name for one in contenders)
    return Plan(
        contenders=tuple(contenders),
        weekly=WEEKLY if ours and offers("seasonal", "budget") else None,
        labelled={name: collection(name) for name in wanted if name in LABELLED_COLLECTIONS},
        plain={
            name: [injected(series, seed) for series in collection(name) for seed in COPIES]
            for name in wanted
            if name in PLAIN_COLLECTIONS
        },
        synthetic=made() if "synthetic" in wanted else [],
    )


def made() -> list[Series]:
    return [synthetic(law, step_s, seed) for law in LAWS for step_s in WEEKS for seed in SEEDS]


def _chosen(wanted: tuple[str, ...], known: dict[str, T], what: str) -> list[T]:
    for name in wanted:
        if name not in known:
            raise UnknownName(f"no {what} {name!r}; there are {', '.join(known)}")
    return [one for name, one in known.items() if not wanted or name in wanted]
