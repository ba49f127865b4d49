"""What commands and the API answer about deliveries and about what people did, as values that become JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from alerting.app.answers import Answer, every
from alerting.core import actions
from alerting.core.actions import ActionKind
from alerting.store import OutboxRow, ReceiverState, Retried
from alerting.store.deliveries import State, Trouble
from notifiers.contract import Kind


class Delivery(Answer):
    """One notice to one receiver about one group."""

    delivery_id: str
    receiver: str
    group_id: str
    sequence: int
    """its place among the deliveries of its group"""
    kind: Kind
    state: State
    why: str
    """why it is owed"""
    reason: str
    """what became of it"""
    created: datetime
    due: datetime
    not_before: datetime
    """when it is tried next"""
    attempt: int
    is_doubtful: bool
    """true where an attempt ended without a known outcome"""
    is_closing: bool
    """true where a resolve is said again"""
    remote_id: str | None
    """what the receiver calls it"""
    settled: datetime | None


class ReceiverTrouble(Answer):
    """A receiver that gets nothing at the moment."""

    name: str
    wait_until: datetime | None
    trouble: Trouble | None
    since: datetime | None
    probe_at: datetime | None
    """when it is tried next"""
    reason: str
    fallback: str | None
    """who is told instead"""


class Deliveries(Answer):
    """The newest deliveries first."""

    deliveries: tuple[Delivery, ...]
    receivers_in_trouble: tuple[ReceiverTrouble, ...]


class Retry(Answer):
    """Which dead deliveries are tried again."""

    ready: tuple[str, ...]
    """ids of those that are"""
    refused: Mapping[str, str]
    """why others are not, by id"""


class Action(Answer):
    """What somebody did."""

    at: datetime
    by: str
    via: str
    """cli, slack, dashboard or api"""
    kind: ActionKind
    target: str
    """the incident, group, silence or matchers, as they were named"""
    comment: str
    incidents: tuple[str, ...]
    """ids of the incidents that it changed"""


class Actions(Answer):
    """The audit log, the newest first."""

    actions: tuple[Action, ...]


def deliveries_of(rows: Iterable[OutboxRow], troubled: Iterable[ReceiverState]) -> Deliveries:
    return Deliveries(deliveries=every(Delivery, rows), receivers_in_trouble=every(ReceiverTrouble, troubled))


def retry_of(done: Retried) -> Retry:
    return Retry.model_validate(done)


def actions_of(done: Iterable[actions.Action]) -> Actions:
    return Actions(actions=every(Action, done))
