"""Audiences, evaluations and a small outbox for the tests of notices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerting.core.audiences import Audience, Measure
from alerting.core.blocks import fingerprint
from alerting.core.groups import Delivery, Group
from alerting.core.incidents import Incident, SeriesState, Severity, Transition
from alerting.core.lifecycle import advance, retire
from alerting.core.notices import plan
from config.model import DeliveryRules, IncidentRules
from notifiers.contract import Owner
from tests.core.readings_of import HOUR, START, readings

SUBJECT = "subscription:checkout-health"
SLACK: Mapping[Severity, tuple[str, ...]] = {"warning": ("growth-slack",), "critical": ("checkout-pager",)}


def audience(
    receivers: Mapping[Severity, tuple[str, ...]] = SLACK, group_by: tuple[str, ...] = ("subscription",)
) -> Audience:
    return Audience(
        subject=SUBJECT,
        name="checkout-health",
        receivers=receivers,
        timezone="America/New_York",
        owner=Owner(team="checkout", slack="S0CHECKOUT"),
        runbook="https://runbooks.acme.example/checkout",
        links={"Why": "https://watch.acme.example/incidents/{incident}"},
        delivery=DeliveryRules(group_by=group_by),
        metrics={"checkout.orders": Measure("orders", "higher", "1h")},
    )


@dataclass
class Watch:
    """Evaluates letters hour by hour, ten minutes after each bucket ends, and remembers what was planned."""

    audience: Audience = field(default_factory=audience)
    rules: IncidentRules = field(default_factory=lambda: IncidentRules(1, 1))
    states: dict[str, SeriesState] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    hour: int = 0

    @property
    def now(self) -> datetime:
        return START + self.hour * HOUR + timedelta(minutes=10)

    def see(self, after: timedelta = timedelta(0), **letters: str) -> list[Delivery]:
        """Every country's next letters at once, evaluated ``after`` the usual moment; what was planned."""
        return self.see_all(letters, after)

    def see_all(self, letters: Mapping[str, str], after: timedelta = timedelta(0)) -> list[Delivery]:
        count = max(len(text) for text in letters.values())
        first, self.hour = self.hour, self.hour + count
        transitions: list[Transition] = []
        changed: list[SeriesState] = []
        for country, text in letters.items():
            state, told = self.carry_on(country, text, first, self.now + after)
            changed += [] if state is None else [state]
            transitions += told
        return self.tell(transitions, changed, self.now + after)

    def carry_on(
        self, country: str, text: str, first: int, now: datetime
    ) -> tuple[SeriesState | None, list[Transition]]:
        labels = {} if country == "total" else {"country": country}
        name = fingerprint("checkout.orders", labels)
        state, told = advance(
            self.states.get(name),
            readings(text, first),
            self.rules,
            subject=SUBJECT,
            fingerprint=name,
            metric="checkout.orders",
            labels=labels,
            kind="metric",
            now=now,
        )
        if state is not None:
            self.states[name] = state
        return state, told

    def tell(
        self, transitions: Sequence[Transition], changed: Sequence[SeriesState], now: datetime | None = None
    ) -> list[Delivery]:
        planned = plan(transitions, changed, self.groups.values(), self.audiences(), now=now or self.now)
        self.groups |= {group.id: group for group in planned.groups}
        self.deliveries += planned.deliveries
        return list(planned.deliveries)

    def audiences(self) -> dict[str, Audience]:
        return {self.audience.subject: self.audience}

    def remove(self) -> list[Delivery]:
        """The rule is removed: everything open is resolved, and there is no audience any more."""
        retired = [retire(state, self.now, "rule removed") for state in self.states.values()]
        self.audience = replace(self.audience, subject="subscription:another")
        return self.tell([told for _, moves in retired for told in moves], [state for state, _ in retired])

    def open_groups(self) -> list[Group]:
        return [group for group in self.groups.values() if group.is_open]

    def incident(self, country: str) -> Incident:
        incident = self.states[fingerprint("checkout.orders", {"country": country})].incident
        assert incident is not None
        return incident
