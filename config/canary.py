"""The canary: a built-in metric with made-up readings. What comes of it must come out, or something is broken.

It is a metric like any other, from an SQLite database in memory: pulled, judged, told and ended by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from config.documents import CanaryDocument
from config.model import (
    CANARY,
    PAGING,
    Canary,
    Config,
    DeliveryRules,
    Detect,
    IncidentRules,
    Metric,
    OnError,
    Query,
    Receiver,
    Source,
    Subscription,
)
from config.nodes import Node, nearest
from config.plug_ins import PlugIns
from config.problems import Problem
from config.pulls import Written, is_faulty, unknown_receivers
from config.secrets import Secret
from config.validation import checked, missing
from detectors.buckets import Bucket

BUCKET = Bucket.parse("5m")
LEAST = timedelta(hours=2)
TEAM = "made up by metricwatch: nothing to do, it ends by itself"
"""Stands where other messages name their owner."""
_SQL = """\
WITH RECURSIVE bucket(time) AS (
  SELECT CAST(strftime('%s', :start) AS INTEGER)
  UNION ALL
  SELECT time + {width} FROM bucket WHERE time + {width} < CAST(strftime('%s', :end) AS INTEGER)
)
SELECT time, time / {every} > (time - {width}) / {every} AS canary FROM bucket"""


def with_canary(config: Config, written: Written, plug_ins: PlugIns) -> tuple[Config, list[Problem]]:
    """The configuration with the canary that the files ask for, if they do and it can be used."""
    node = written.sections.canary
    if node is None:
        return config, []
    read = checked(CanaryDocument, node)
    problems = list(read.problems)
    if read.document is not None and not problems:
        problems = _mistakes(node, read.document, config.receivers, written)
    if read.document is None or is_faulty(problems):
        return config, problems
    return _added(config, Canary(tuple(read.document.notify), read.document.every), plug_ins), problems


def _mistakes(
    node: Node, document: CanaryDocument, receivers: Mapping[str, Receiver], written: Written
) -> list[Problem]:
    if not document.notify:
        return [missing(node, "notify")]
    problems = unknown_receivers(node, ("notify",), document.notify, written)
    for index, name in enumerate(document.notify):
        pager = _pager(name, receivers)
        if pager:
            way = "" if pager == name else f" falls back to {pager!r}, which"
            said = f"{name!r}{way} wakes people: a canary is told to a receiver that wakes nobody, such as slack"
            problems.append(nearest(node, ("notify", index))[0].problem(said))
    if document.every < LEAST:
        problems.append(node.entries["every"].problem("should be 2h or longer: one canary must end before the next"))
    return problems


def _pager(name: str, receivers: Mapping[str, Receiver]) -> str:
    """The receiver that wakes people which a message to ``name`` may reach; empty where none does."""
    at, met = receivers.get(name), set[str]()
    while at is not None and at.name not in met:
        if at.notifier in PAGING:
            return at.name
        met.add(at.name)
        at = receivers.get(at.fallback or "")
    return ""


def _added(config: Config, canary: Canary, plug_ins: PlugIns) -> Config:
    seconds = {"width": int(BUCKET.nominal.total_seconds()), "every": int(canary.every.total_seconds())}
    query = Query(
        name=CANARY,
        source=CANARY,
        sql=_SQL.format(**seconds),
        bucket=BUCKET,
        timezone="UTC",
        history=timedelta(days=2),
        on_error=OnError(notify=canary.notify),
    )
    detector = plug_ins.detector("threshold").model_validate({"above": 0.5})
    subscription = Subscription(
        name=CANARY,
        metrics=(CANARY,),
        detect=(Detect(key="threshold", name="threshold", detector=detector, severity="info"),),
        notify={"info": canary.notify},
        team=TEAM,
        incident=IncidentRules(open_after=1, resolve_after=1),
        delivery=DeliveryRules(group_wait=timedelta(0), group_interval=BUCKET.nominal, repeat_interval=canary.every),
    )
    return replace(
        config,
        sources={**config.sources, CANARY: Source(CANARY, Secret("sqlite://"), concurrency=1)},
        queries={**config.queries, CANARY: query},
        metrics={**config.metrics, CANARY: Metric(CANARY, CANARY, "canary")},
        subscriptions={**config.subscriptions, CANARY: subscription},
        canary=canary,
    )
