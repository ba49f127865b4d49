"""What every notifier must do. A notifier's test file makes a ``Case`` and inherits from ``NotifierConformance``.

A notifier that cannot keep one of these promises overrides that test and writes the reason beside it.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest

from notifiers import IncidentView, Notification, Notifier, Receipt, TimelineEntry
from notifiers.errors import Ambiguous, CannotLook, DeliveryError
from tests.notifiers.examples import MONDAY, PNG, incident, notification, resolve, update

Figures = Callable[[str, object], None]
"""pytest's own ``record_property``: authors of notifiers run these checks without our suite."""
HOSTILE = {
    "10,000 characters": "x" * 10_000,
    "10,000 characters that need escaping": "<&>" * 3_334,
    "emoji": "🛒👩‍👩‍👧‍👦🇩🇪" * 50,
    "right to left": "طلبات \u202eevil\u202c \u2067x\u2069",
    "nul": "a\x00b\x1b[31m",
    "lone surrogate": "a\ud800b\udfff",
    "mention": "<!channel> <@U012AB3CD> <!here|here> @everyone",
    "markup": "*bold* _it_ ~no~ `code` ```block``` [red]rich[/red] <https://evil.example|click>",
    "newlines": "a\nb\r\nc\u2028d\u2029e\x85f",
    "zero width": "a\u200bb\ufeffc\u00add",
    "blank": "   ",
    "empty": "",
    "private use": "\ue000\U000f0000\uffff",
    "json": '"}],"blocks":[{',
    "combining": "e" + "\u0301" * 5_000,
}


@dataclass(frozen=True)
class Case:
    """A notifier pointed at a stand-in, and how to look at what arrived there.

    ``told`` is every text that arrived, one entry per message; ``complaints`` what the stand-in found wrong.
    ``secrets`` must never show. ``is_down`` makes the service refuse connections.
    """

    notifier: Notifier
    told: Callable[[], list[str]]
    complaints: Callable[[], list[str]]
    secrets: tuple[str, ...]
    lose_answer: Callable[[], None] | None = None
    limit: Callable[[str | None], None] | None = None
    take_down: Callable[[], None] | None = None

    def faults(self) -> list[Callable[[], None]]:
        """Everything that can go wrong here, one after the other."""
        limited = [partial(self.limit, "5")] if self.limit else []
        found = [self.lose_answer, *limited, self.take_down]
        return [arrange for arrange in found if arrange]


class NotifierConformance(ABC):
    @abstractmethod
    def running(self) -> AbstractContextManager[Case]:
        """A fresh service and a notifier that talks to it."""

    @pytest.fixture
    def case(self) -> Iterator[Case]:
        with self.running() as case:
            yield case
            case.notifier.close()

    def test_it_says_what_how_bad_and_against_what(self, case: Case) -> None:
        case.notifier.send(notification())
        (text,) = case.told()
        assert "Orders, Germany: 41 % below expected" in text
        assert "612" in text
        assert case.complaints() == []

    def test_trigger_update_and_resolve_each_arrive(self, case: Case) -> None:
        receipt = case.notifier.send(notification())
        again = case.notifier.send(update(receipt.remote_id or "", joined=True))
        last = case.notifier.send(resolve(again.remote_id))
        assert all(isinstance(one, Receipt) for one in (receipt, again, last))
        assert case.complaints() == []

    def test_a_receipt_of_the_first_message_leads_to_it_again(self, case: Case) -> None:
        receipt = case.notifier.send(notification())
        assert receipt.remote_id
        assert case.notifier.send(resolve(receipt.remote_id)).remote_id == receipt.remote_id

    def test_a_resolve_without_an_earlier_message_is_no_error(self, case: Case) -> None:
        case.notifier.send(resolve(None))
        assert case.complaints() == []

    @pytest.mark.parametrize("name", HOSTILE)
    @pytest.mark.parametrize("kind", ["trigger", "update", "resolve"])
    def test_hostile_text_in_every_field_is_delivered(
        self, case: Case, name: str, kind: str, record_property: Figures
    ) -> None:
        text = HOSTILE[name]
        odd = incident(
            metric=text,
            dimensions={text[:300] or "d": text, "country": text},
            unit=text,
            detector=text,
            reason=text,
            status="resolved" if kind == "resolve" else "firing",
        )
        said = (TimelineEntry(at=MONDAY, text=text),)
        told = notification(
            odd,
            kind=kind,
            joined=True,
            subscription=text,
            changes=said,
            owner={"team": text, "slack": text},
            runbook=text,
            links={text: text, "Dashboard": f"https://x.example/{text}"},
        )
        first = case.notifier.send(notification(delivery_id="d-first")) if kind == "update" else None
        case.notifier.send(told.model_copy(update={"remote_id": first.remote_id if first else None}))
        assert case.complaints() == []
        record_property("figure", "T11\thostile text in every field: delivered, 0 complaints")

    def test_500_dimensions_are_delivered(self, case: Case, record_property: Figures) -> None:
        wide = incident(dimensions={f"dimension {n}": f"value {n}" for n in range(500)})
        case.notifier.send(notification(wide))
        assert case.complaints() == []
        record_property("figure", "T11\t500 dimensions: delivered, 0 complaints")

    def test_2000_incidents_are_one_message(self, case: Case) -> None:
        many = [incident(id=str(n), dimensions={"country": f"country {n}"}) for n in range(2_000)]
        case.notifier.send(notification(*many))
        assert len(case.told()) == 1
        assert "1,999 other countries" in case.told()[0]
        assert case.complaints() == []

    def test_200_changes_are_delivered(self, case: Case) -> None:
        receipt = case.notifier.send(notification())
        said = tuple(TimelineEntry(at=MONDAY + timedelta(minutes=n), text="changed " * 40) for n in range(200))
        case.notifier.send(update(receipt.remote_id or "", changes=said, joined=True))
        assert case.complaints() == []

    @pytest.mark.parametrize("kind", ["late", "failing", "empty", "schema", "judging", "config", "receiver", "state"])
    def test_health_of_a_query_is_told(self, case: Case, kind: str) -> None:
        case.notifier.send(notification(health(kind), subscription="orders_hourly"))
        assert "orders_hourly" in case.told()[0]
        assert case.complaints() == []

    def test_a_group_of_nothing_is_delivered(self, case: Case) -> None:
        case.notifier.send(notification().model_copy(update={"incidents": ()}))
        assert case.complaints() == []

    def test_numbers_that_are_not_known_are_delivered(self, case: Case) -> None:
        unknown = dict.fromkeys(("observed", "expected", "lower", "upper", "score", "worst_observed"))
        case.notifier.send(notification(incident(**unknown, reason="no reading")))
        assert case.complaints() == []

    def test_a_picture_never_stops_a_message(self, case: Case) -> None:
        case.notifier.send(notification(chart=PNG))
        assert len(case.told()) == 1
        assert case.complaints() == []

    def test_a_possible_repeat_says_so(self, case: Case) -> None:
        case.notifier.send(notification(possible_repeat=True))
        assert "possible repeat" in case.told()[0]

    def test_secrets_show_in_no_text_no_error_and_no_log(self, case: Case, caplog: pytest.LogCaptureFixture) -> None:
        errors: list[DeliveryError] = []
        with caplog.at_level(logging.DEBUG):
            case.notifier.send(notification(chart=PNG))
            for arrange in case.faults():
                arrange()
                with pytest.raises(DeliveryError) as caught:
                    case.notifier.send(notification(delivery_id=f"d-{len(errors) + 2}"))
                errors.append(caught.value)
        shown = [repr(case.notifier), str(case.notifier), case.notifier.model_dump_json(), caplog.text, *case.told()]
        shown += [part for error in errors for part in (repr(error), *map(repr, (error.__context__, error.__cause__)))]
        for secret in case.secrets:
            assert not [text for text in shown if secret in text]

    def test_a_lost_answer_is_ambiguous_and_looked_up_or_harmless(self, case: Case) -> None:
        if case.lose_answer is None:
            return
        case.lose_answer()
        with pytest.raises(Ambiguous):
            case.notifier.send(notification())
        try:
            found = case.notifier.find(notification())
        except CannotLook:
            return
        assert found is not None

    @pytest.mark.parametrize(
        "header", [None, "0", "-1", "60", "86400", "Thu, 01 Jan 2099 00:00:00 GMT", "garbage", "1e9"]
    )
    def test_a_rate_limit_asks_for_1_second_to_15_minutes(
        self, case: Case, header: str | None, record_property: Figures
    ) -> None:
        if case.limit is None:
            return
        case.limit(header)
        with pytest.raises(DeliveryError) as caught:
            case.notifier.send(notification())
        wait = getattr(caught.value, "retry_after", None)
        assert wait is not None
        assert timedelta(seconds=1) <= wait <= timedelta(minutes=15)
        record_property("figure", f"T6\tRetry-After {header}: waits {wait.total_seconds():g} s")

    def test_a_probe_of_a_working_receiver_returns(self, case: Case) -> None:
        case.notifier.probe()

    def test_every_parameter_has_a_description(self, case: Case) -> None:
        fields = type(case.notifier).model_fields
        assert [name for name, field in fields.items() if not field.description] == []

    def test_the_notification_survives_the_outbox(self, case: Case) -> None:
        stored = notification(chart=PNG).model_dump_json()
        case.notifier.send(Notification.model_validate_json(stored))
        assert case.complaints() == []


def health(kind: str) -> IncidentView:
    """A query in trouble, as core.health tells it."""
    return incident(
        kind=kind,
        metric="orders_hourly",
        dimensions={},
        bucket=None,
        reason="3 h late, 14 metrics affected" if kind == "late" else "",
        **dict.fromkeys(
            ("observed", "expected", "lower", "upper", "score", "worst_observed", "worst_expected", "unit")
        ),
    )
