"""Slack and PagerDuty as processes of their own, so that whoever is killed takes nothing of them along."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Services:
    """Addresses as clients get them."""

    slack_url: str
    pager_url: str

    def fail(self, fault: Mapping[str, object]) -> None:
        """Arranges a fault at the service that knows its method."""
        url = self.pager_url if fault["method"] == "enqueue" else self.slack_url
        _asked(f"{_origin(url)}/control/faults", fault)

    def slack_state(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = _asked(f"{_origin(self.slack_url)}/control/state")
        return found

    def pager_state(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = _asked(f"{_origin(self.pager_url)}/control/state")
        return found


@contextmanager
def services() -> Iterator[Services]:
    """Both, for as long as the block runs."""
    started = [_started("slack"), _started("pagerduty")]
    try:
        slack, pager = (address for _, address in started)
        yield Services(f"{slack}/api/", f"{pager}/v2/enqueue")
    finally:
        for process, _ in started:
            process.kill()
            process.wait()


def _started(name: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.standins.{name}", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found = re.search(r"control: (http://[\d.:]+)/", process.stdout.readline())
    assert found is not None, f"the stand-in {name} did not start"
    return process, found[1]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _asked(address: str, body: Mapping[str, object] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data=data), timeout=60) as answer:
        return json.load(answer)
