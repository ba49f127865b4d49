"""Subscriptions: from entries to the model, with metrics, dimensions and receivers looked up."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import replace

from config.calendars import unknown_calendars
from config.delivery_rules import delivery_rules, group_by_problems
from config.detect_entries import DetectEntry, Entries, detect_entries
from config.documents import SubscriptionDocument
from config.durations import written as text_of
from config.model import (
    Calendar,
    Config,
    Guard,
    IncidentRules,
    Metric,
    MuteWindow,
    Query,
    Receiver,
    Severity,
    Subscription,
    age_limit,
)
from config.nodes import Node
from config.plug_ins import PlugIns
from config.problems import Problem, suggestion
from config.pulls import Pulls, Written, is_faulty, unknown_receivers
from config.sections import laid_over
from config.validation import checked, is_absent, missing
from detectors.hours import Hours

_LEVELS: tuple[Severity, ...] = ("info", "warning", "critical")


def resolved(
    written: Written,
    found: Pulls,
    receivers: Mapping[str, Receiver],
    calendars: Mapping[str, Calendar],
    plug_ins: PlugIns,
) -> tuple[Config, tuple[Problem, ...]]:
    """The configuration of everything that can be used, and what is wrong with the rest."""
    subscriptions: dict[str, Subscription] = {}
    problems: list[Problem] = []
    for name, entry in written.nodes("subscriptions").items():
        if entry.content is None:  # already told: it is no mapping
            continue
        node, wrong = laid_over(written.sections, "subscriptions", entry)
        subscription, more = _subscription(name, node, written, found, calendars, plug_ins)
        problems.extend((*wrong, *more))
        if subscription is not None and not is_faulty([*wrong, *more]):
            subscriptions[name] = subscription
    return Config(found.sources, receivers, found.queries, found.metrics, subscriptions, calendars), tuple(problems)


def _subscription(
    name: str,
    node: Node,
    written: Written,
    found: Pulls,
    calendars: Mapping[str, Calendar],
    plug_ins: PlugIns,
) -> tuple[Subscription | None, list[Problem]]:
    read = checked(SubscriptionDocument, node)
    document = read.document
    timezone = (document.timezone if document else None) or "UTC"
    detect = detect_entries(node.entries["detect"], timezone, plug_ins) if "detect" in node.entries else Entries()
    problems = [*read.problems, *detect.problems]
    if is_absent(SubscriptionDocument, node, "detect"):
        problems.append(missing(node, "detect", "is missing: how is unusual found? such as [seasonal: {}]"))
    if is_absent(SubscriptionDocument, node, "metrics"):
        problems.append(missing(node, "metrics", "is missing: names, patterns or tags of metrics"))
    if document is None:
        return None, problems
    selected, wrong = _selected(node, document.metrics or [], written)
    known = [found.metrics[metric] for metric in selected if metric in found.metrics]
    problems.extend(wrong)
    if document.metrics is not None:
        problems.extend(_narrowing_problems(detect.entries, known, set(selected), written.lost))
    problems.extend(_guard_problems(node, document, known))
    problems.extend(_require_problems(node, document, detect.entries, known))
    if len(known) == len(selected):  # of a metric that cannot be used, nobody knows the dimensions
        problems.extend(group_by_problems(node, document.delivery, known))
    problems.extend(_max_age_problems(node, document, known, found.queries))
    problems.extend(_notify_problems(node, document, written))
    problems.extend(unknown_calendars(node, document.calendars or [], written))
    if not known:
        return None, problems
    days = tuple(calendars[one] for one in dict.fromkeys(document.calendars or ()) if one in calendars)
    return replace(_built(name, document, known, detect.entries, timezone), calendars=days), problems


def _built(
    name: str, document: SubscriptionDocument, metrics: list[Metric], detect: Iterable[DetectEntry], timezone: str
) -> Subscription:
    guard, incident, notify, owner = document.guard, document.incident, document.notify, document.owner
    return Subscription(
        name=name,
        metrics=tuple(metric.name for metric in metrics),
        detect=tuple(entry.detect for entry in detect if entry.detect),
        notify={level: tuple(getattr(notify, level)) for level in _LEVELS if notify and getattr(notify, level)},
        timezone=timezone,
        team=owner.team if owner else None,
        slack_owner=owner.slack if owner else None,
        runbook=document.runbook,
        guard=Guard(guard.direction, guard.min_change, guard.min_difference) if guard else Guard(),
        incident=IncidentRules(incident.open_after, incident.resolve_after, incident.no_data, incident.max_age)
        if incident
        else IncidentRules(),
        delivery=delivery_rules(document.delivery),
        require=document.require,
        mode=document.mode,
        mute=tuple(MuteWindow(text, Hours.parse(text)) for text in dict.fromkeys(document.mute)),
    )


def _selected(node: Node, selectors: list[str], written: Written) -> tuple[tuple[str, ...], list[Problem]]:
    """Names of metrics in the order of the files, each once."""
    names: dict[str, None] = {}
    problems = []
    items = node.entries["metrics"].items if selectors else ()
    for item, selector in zip(items, selectors, strict=True):
        chosen = _matching(selector, written)
        names.update(dict.fromkeys(chosen))
        if not chosen and not _may_match(selector, written.lost):
            problems.append(item.problem(_nothing_matches(selector, written)))
    return tuple(names), problems


def _matching(selector: str, written: Written) -> list[str]:
    known = written.nodes("metrics")
    if selector.startswith("tag:"):
        return [name for name, tags in written.tags.items() if selector.removeprefix("tag:") in tags]
    if any(char in selector for char in "*?["):
        return [name for name in known if fnmatch.fnmatchcase(name, selector)]
    return [selector] if selector in known else []


def _may_match(selector: str, lost: frozenset[str]) -> bool:
    return bool(lost) and (selector.startswith("tag:") or bool(fnmatch.filter(lost, selector)))


def _nothing_matches(selector: str, written: Written) -> str:
    known = written.nodes("metrics")
    if selector.startswith("tag:"):
        tag = selector.removeprefix("tag:")
        return (
            f"no metric has the tag {tag!r}{suggestion(tag, {tag for tags in written.tags.values() for tag in tags})}"
        )
    if any(char in selector for char in "*?["):
        return f"no metric's name matches {selector!r}{suggestion(selector, known)}"
    return f"no metric is called {selector!r}{suggestion(selector, known)}"


def _narrowing_problems(
    entries: Iterable[DetectEntry], metrics: list[Metric], selected: set[str], lost: frozenset[str]
) -> list[Problem]:
    problems = []
    for entry in entries:
        only = entry.options.metric
        if only is not None and only not in selected and only not in lost:
            hint = suggestion(only, selected)
            problems.append(entry.node.entries["metric"].problem(f"{only!r} is not of this subscription{hint}"))
            continue
        judged = [metric for metric in metrics if only in (None, metric.name)]
        if judged and entry.options.where is not None:
            problems.extend(_where_problems(entry, judged))
    return problems


def _where_problems(entry: DetectEntry, judged: list[Metric]) -> list[Problem]:
    node, where = entry.node.entries["where"], entry.options.where
    if where == "total" or where is None:
        if any(metric.total or not metric.dimensions for metric in judged):
            return []
        return [node.problem(f"{judged[0].name} has no total series: give the metric total: true")]
    known = {name for metric in judged for name in metric.dimensions}
    unknown = [name for name in where if name not in known]
    if unknown:
        hint = suggestion(unknown[0], known) if known else "; it has none"
        subject = " and ".join(metric.name for metric in judged[:2])
        message = f"{subject} {'has' if len(judged) == 1 else 'have'} no dimension {unknown[0]!r}{hint}"
        return [node.entries[unknown[0]].problem(message, at_key=True)]
    if not any(set(where) <= set(metric.dimensions) for metric in judged):
        return [node.problem(f"no metric of this subscription has all of {', '.join(where)}")]
    return []


def _guard_problems(node: Node, document: SubscriptionDocument, metrics: list[Metric]) -> list[Problem]:
    if document.guard is None or document.guard.direction != "worse":
        return []
    silent = [metric.name for metric in metrics if metric.better is None]
    if not silent:
        return []
    message = f"worse has no meaning for {silent[0]}, which does not say better: higher or lower"
    return [node.entries["guard"].entries["direction"].problem(message)]


def _require_problems(
    node: Node, document: SubscriptionDocument, entries: Iterable[DetectEntry], metrics: list[Metric]
) -> list[Problem]:
    """A number that can never be reached: for no metric an error, for some of them a warning."""
    if "require" not in node.entries or not isinstance(document.require, int):
        return []
    judging = {metric.name: sum(entry.options.metric in (None, metric.name) for entry in entries) for metric in metrics}
    silent = [name for name, count in judging.items() if count < document.require]
    if not silent:
        return []
    few = f"{document.require} detectors never agree: {silent[0]} is judged by {judging[silent[0]]}"
    return [node.entries["require"].problem(few, is_warning=len(silent) < len(judging))]


def _max_age_problems(
    node: Node, document: SubscriptionDocument, metrics: Iterable[Metric], queries: Mapping[str, Query]
) -> list[Problem]:
    """A bucket is never judged before its query's delay has passed: by then it must still be worth telling."""
    max_age = document.incident.max_age if document.incident else None
    for query in (queries[metric.query] for metric in metrics if metric.query in queries):
        if query.delay < age_limit(max_age, query.bucket.nominal):
            continue
        remedy = f"write incident: {{max_age: {text_of(query.delay + 3 * query.bucket.nominal)}}}"
        message = (
            f"nothing would ever be sent: {query.name} is judged {text_of(query.delay)} after each bucket; {remedy}"
        )
        if max_age is None:
            return [node.problem(message, at_key=True, is_warning=True)]
        return [node.entries["incident"].entries["max_age"].problem(message)]
    return []


def _notify_problems(node: Node, document: SubscriptionDocument, written: Written) -> list[Problem]:
    is_silent = document.notify is not None and not any(getattr(document.notify, level) for level in _LEVELS)
    if is_silent or is_absent(SubscriptionDocument, node, "notify"):
        return [node.problem("notifies nobody: its incidents are only shown", at_key=True, is_warning=True)]
    return [
        problem
        for level in _LEVELS
        if document.notify
        for problem in unknown_receivers(node, ("notify", level), getattr(document.notify, level), written)
    ]
