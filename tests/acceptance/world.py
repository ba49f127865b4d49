"""Real processes of the acceptance tests: the daemon, the shop's loader, and waiting for what they do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.canaries import WATCH
from tests.standins.pagerduty import PagerDutyStandIn
from tests.standins.slack import TOKEN, SlackStandIn

REPOSITORY = Path(__file__).parents[2]


def wait_until(is_true: Callable[[], bool], what: str, *, within_s: float) -> float:
    """Seconds until it was true. Raises AssertionError naming ``what``."""
    began = time.monotonic()
    while not is_true():
        if time.monotonic() - began > within_s:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - began


def sleep_until(moment: datetime) -> None:
    """Real time passes: the processes under test live by the real clock."""
    time.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def loading(dsn: str) -> Iterator[None]:
    """The loader runs while the block does."""
    process = subprocess.Popen([sys.executable, "-m", "tests.acceptance.loader", dsn], cwd=REPOSITORY)
    try:
        yield
        assert process.poll() is None, "the loader ended"
    finally:
        process.kill()
        process.wait()


@dataclass
class Daemon:
    """``metricwatch run`` as a process of its own, with receivers of its own."""

    name: str
    folder: Path
    environment: dict[str, str]
    slack: SlackStandIn
    pagerduty: PagerDutyStandIn
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when its pages answer."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("METRICWATCH_")},
            **self.environment,
            "METRICWATCH_LISTEN": f"127.0.0.1:{self.port}",
            "METRICWATCH_LOG_LEVEL": "DEBUG",
            "METRICWATCH_SLACK_TOKEN": TOKEN,
            "METRICWATCH_SLACK_BASE_URL": self.slack.base_url,
            "METRICWATCH_PAGERDUTY_URL": self.pagerduty.url,
            "METRICWATCH_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
        }
        command = [str(Path(sys.executable).parent / "metricwatch"), "run", "--config", str(self.folder / "metrics")]
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stderr=log)
        wait_until(lambda: self.get("/readyz")[0] == 200, f"{self.name} is ready\n{self.log()}", within_s=60)

    def kill(self) -> None:
        """As the out-of-memory killer does it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> float:
        """Seconds until it ended after SIGTERM; it must end well."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=20) == 0, self.log()
        return time.monotonic() - began

    def get(self, path: str) -> tuple[int, bytes]:
        """Status (0: no answer) and body of a page."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, self._searched(path, answer.read())
        except urllib.error.HTTPError as error:
            return error.code, self._searched(path, error.read())
        except OSError:
            return 0, b""

    def _searched(self, path: str, page: bytes) -> bytes:
        WATCH.look("pages", path, page)
        return page

    def log(self) -> str:
        path = self.folder / f"{self.name}.log"
        return path.read_text(encoding="utf-8")[-8000:] if path.exists() else ""
