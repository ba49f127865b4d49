"""How the notices of a subscription are gathered: from its ``delivery`` to the model."""

from __future__ import annotations

from collections.abc import Sequence

from config.documents import DeliveryDocument
from config.model import DeliveryRules, Metric
from config.nodes import Node, nearest
from config.problems import Problem, suggestion

_WORDS = ("subscription", "metric")


def delivery_rules(document: DeliveryDocument | None) -> DeliveryRules:
    """What is written, the defaults for the rest; each name of ``group_by`` once."""
    if document is None:
        return DeliveryRules()
    usual = DeliveryRules()
    return DeliveryRules(
        group_by=usual.group_by if document.group_by is None else tuple(dict.fromkeys(document.group_by)),
        group_wait=usual.group_wait if document.group_wait is None else document.group_wait,
        group_interval=document.group_interval or usual.group_interval,
        repeat_interval=document.repeat_interval or usual.repeat_interval,
    )


def group_by_problems(node: Node, document: DeliveryDocument | None, metrics: Sequence[Metric]) -> list[Problem]:
    """Names in ``group_by`` that no metric of the subscription has as a dimension."""
    if document is None or not metrics:
        return []
    known = [*_WORDS, *dict.fromkeys(name for metric in metrics for name in metric.dimensions)]
    subject = " and ".join(metric.name for metric in metrics[:2])
    have = "has" if len(metrics) == 1 else "have"
    return [
        nearest(node, ("delivery", "group_by", place))[0].problem(
            f"{subject} {have} no dimension {name!r}{suggestion(name, known)}"
        )
        for place, name in enumerate(document.group_by or ())
        if name not in known
    ]
