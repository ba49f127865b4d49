"""The store: one object, one database, every write all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from alerting.core.blocks import Block
from alerting.core.groups import Group
from alerting.core.health import QueryState
from alerting.core.incidents import Incident, SeriesState, Transition
from alerting.store import (
    actions,
    costs,
    fallbacks,
    groups,
    incidents,
    lock,
    query_states,
    receivers,
    retention,
    searching,
    silences,
    verdicts,
)
from alerting.store.actions import ActionLog
from alerting.store.config_files import ConfigFiles
from alerting.store.costs import Cost, Costs
from alerting.store.database import Database, connect
from alerting.store.enqueue import enqueue
from alerting.store.migrating import migrate
from alerting.store.outbox import Outbox
from alerting.store.overview import Overview
from alerting.store.points import Points
from alerting.store.searching import Sought
from alerting.store.silences import Silences
from alerting.store.values import Expired, Recording, SilentGroup, StoredVerdicts, Watch, Written


class Store:
    """Every method raises StoreError where the database does not answer; nothing is half written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.engine = database.engine
        self.points = Points(database)
        self.outbox = Outbox(database)
        self.config_files = ConfigFiles(database)
        self.silences = Silences(database)
        self.actions = ActionLog(database)
        self.overview = Overview(database)
        self.costs = Costs(database)

    def exclusive(self) -> AbstractContextManager[None]:
        """Held by whoever evaluates and delivers; ends with its process. Raises StateBusy at once."""
        return lock.exclusive(self.engine)

    def query_states(self) -> dict[str, QueryState]:
        """By name; of a query whose SQL changed, the newest digest."""
        with self._database.reading() as connection:
            return {state.name: state for state in query_states.read(connection)}

    def query_states_of(self, name: str) -> tuple[QueryState, ...]:
        """All digests that this query had and that were not forgotten, oldest first."""
        with self._database.reading() as connection:
            return tuple(query_states.read(connection, name))

    def save_query_state(self, state: QueryState) -> None:
        with self._database.writing() as connection:
            query_states.write(connection, state)

    def forget_query_state(self, name: str, digest: str) -> None:
        with self._database.writing() as connection:
            query_states.forget(connection, name, digest)

    def write_pull(self, digest: str, block: Block, seen: datetime, state: QueryState, cost: Cost) -> Written:
        """Points, what is known of their query and what the pull took, in one transaction."""
        with self._database.writing() as connection:
            query_states.write(connection, state)
            costs.add(connection, state.name, seen, cost)
            return self.points.write_in(connection, digest, block, seen)

    def watch(self, subscription: str, entry: str, metric: str) -> Watch | None:
        with self._database.reading() as connection:
            return verdicts.watch(connection, subscription, entry, metric)

    def watches(self) -> dict[tuple[str, str, str], Watch]:
        """By (subscription, detect entry, metric), without what the detectors remember."""
        with self._database.reading() as connection:
            return verdicts.all_watches(connection)

    def verdicts(self, subscription: str, entry: str, metric: str, since: datetime, until: datetime) -> StoredVerdicts:
        """As judged, of the buckets with ``since`` ≤ start < ``until``."""
        with self._database.reading() as connection:
            return verdicts.read(connection, subscription, entry, metric, since, until)

    def verdicts_of_series(
        self, subscription: str, entry: str, metric: str, labels: Mapping[str, str], since: datetime, until: datetime
    ) -> StoredVerdicts | None:
        """``verdicts`` of one series, however many stand beside it; None where it was never judged."""
        with self._database.reading() as connection:
            return verdicts.read_series(connection, subscription, entry, metric, labels, since, until)

    def series_states(self, subject: str) -> dict[str, SeriesState]:
        """By fingerprint, each with its open incident."""
        with self._database.reading() as connection:
            return incidents.read_states(connection, subject)

    def open_groups(self, now: datetime | None = None) -> list[Group]:
        """Each with all incidents that ever joined; with ``now`` also those whose resolve is not due yet."""
        with self._database.reading() as connection:
            return groups.open_ones(connection, now)

    def groups_silent_since(self, before: datetime) -> list[SilentGroup]:
        """The open groups that people see, that said nothing since, and of which not everything is acknowledged."""
        with self._database.reading() as connection:
            return groups.silent_since(connection, before)

    def groups_of(self, incident_id: str) -> list[Group]:
        with self._database.reading() as connection:
            return groups.of_incident(connection, incident_id)

    def group(self, group_id: str) -> Group | None:
        """Open or closed."""
        with self._database.reading() as connection:
            return groups.named(connection, group_id)

    def record(self, recording: Recording) -> None:
        """All that one evaluation decided is written, or nothing. Raises LostRace where somebody else was faster."""
        states, found = recording.states, recording.transitions
        changed = [*(one.incident for one in found if one.incident), *(one.incident for one in states if one.incident)]
        members = (incident for group in recording.groups for incident in group.members)
        with self._database.writing() as connection:
            incidents.refuse_ended(connection, changed)
            for judged in recording.judged:
                verdicts.write(connection, judged)
            verdicts.forget(connection, recording.forgotten)
            incidents.write(connection, changed, members)
            incidents.write_states(connection, states)
            incidents.write_transitions(connection, found)
            groups.write(connection, recording.groups)
            covered = fallbacks.hold(connection, recording.deliveries)
            enqueue(connection, recording.deliveries, recording.now)
            fallbacks.follow(connection, recording.deliveries, covered, recording.now)
            if recording.query_state is not None:
                query_states.write(connection, recording.query_state)
            silences.write(connection, recording.silences)
            actions.write(connection, recording.actions)

    def incidents(
        self,
        *,
        open_only: bool = False,
        since: datetime | None = None,
        subject: str | None = None,
        metric: str | None = None,
        limit: int = 1000,
    ) -> list[Incident]:
        """Newest first; ``since`` keeps those that were open at or after it, ``metric`` those of its series."""
        with self._database.reading() as connection:
            return incidents.listed(
                connection, open_only=open_only, since=since, subject=subject, metric=metric, limit=limit
            )

    def search(self, sought: Sought, *, limit: int, offset: int = 0) -> tuple[list[Incident], int]:
        """A page of the incidents that are sought, open ones first, then the newest; and how many there are in all."""
        with self._database.reading() as connection:
            return searching.found(connection, sought, limit=limit, offset=offset)

    def incidents_of_series(
        self, subjects: Sequence[str], fingerprint: str, since: datetime, limit: int
    ) -> list[Incident]:
        """Newest first; those of the series, under any of the subjects, that were open at or after ``since``."""
        with self._database.reading() as connection:
            return incidents.of_series(connection, subjects, fingerprint, since, limit)

    def incident(self, incident_id: str) -> Incident | None:
        """By id, or by the beginning of one. Raises AmbiguousIncident where several begin like this."""
        with self._database.reading() as connection:
            return incidents.by_prefix(connection, incident_id)

    def timeline(self, incident_id: str) -> list[Transition]:
        """Oldest first."""
        with self._database.reading() as connection:
            return incidents.timeline(connection, incident_id)

    def transitions(self, subject: str, fingerprint: str, since: datetime, until: datetime) -> list[Transition]:
        """Of one series, by when they were evaluated, oldest first; also those that opened no incident."""
        with self._database.reading() as connection:
            return incidents.transitions_of(connection, subject, fingerprint, since, until)

    def expire(self, now: datetime, history_by_digest: Mapping[str, timedelta]) -> Expired:
        """Retention: see ``retention``."""
        return retention.expire(self._database, now, history_by_digest, self.points.digests())

    def prove_writable(self) -> None:
        """Returns where a row can be written, and leaves none. Raises StoreError: a full disk can still be read."""
        with self._database.writing() as connection:
            receivers.write_nothing(connection)

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str) -> Store:
    """The store behind a URL, its tables at the newest version.

    Raises StoreError: the URL names nothing that can hold state, Unavailable, NewerSchema.
    """
    database = connect(url)
    try:
        migrate(database)
    except BaseException:
        database.engine.dispose()
        raise
    return Store(database)
