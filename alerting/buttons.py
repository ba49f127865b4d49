"""Buttons pressed in Slack become actions: one thread listens, one acts, and neither needs anything from before.

An envelope is acknowledged as soon as it is read, before any work; what it asks for is idempotent (doing it twice
changes nothing), so a double click, a repeated envelope and a restart in between are all the same.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Literal, Protocol

from alerting.core.backoff import delay
from alerting.store import StoreError
from alerting.telemetry import logger
from notifiers.errors import BadCredential, DeliveryError
from notifiers.slack.buttons import Press, pressed

REFUSED_WAIT = timedelta(minutes=5)
MOST_WAIT = timedelta(minutes=1)
SHORT = timedelta(seconds=10)
"""Lines that live shorter than this, one after the other, are opened more and more slowly."""
REMEMBERED = 1_000
_VIA = "slack"
_log = logger("buttons")


class Done(Protocol):
    """What an action did: ``changed`` False = it had been done before; ``text`` is one sentence for people."""

    @property
    def changed(self) -> bool: ...
    @property
    def text(self) -> str: ...


class Actions(Protocol):
    """What may be done to a group. Raises ValueError (the message says what to do), StoreError."""

    def acknowledge(self, target: str, *, by: str, via: str, now: datetime) -> Done: ...

    def silence(self, target: str, length: timedelta, *, by: str, comment: str, via: str, now: datetime) -> Done: ...

    def label(
        self,
        target: str,
        kind: Literal["expected", "not_an_anomaly", "new_normal"],
        *,
        by: str,
        comment: str,
        via: str,
        now: datetime,
    ) -> Done: ...


class Line(Protocol):
    """An open connection to Slack; ``receive`` and ``acknowledge`` raise DeliveryError where it has ended."""

    def receive(self, timeout_s: float) -> Mapping[str, object] | None: ...
    def acknowledge(self, envelope_id: str) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Timing:
    refused: timedelta = REFUSED_WAIT
    """How long after a refused token it is tried again."""
    least: timedelta = timedelta(seconds=1)
    most: timedelta = MOST_WAIT
    """Between these a connection that cannot be opened is tried again, for ever."""
    poll_s: float = 0.25
    """How long a stop may take to be noticed."""


class Buttons:
    """``start`` it, ``stop`` it. ``dial`` opens a line, ``tell`` answers a press, ``changed`` follows each action."""

    def __init__(
        self,
        dial: Callable[[], Line],
        actions: Actions,
        *,
        clock: Callable[[], datetime],
        tell: Callable[[str, str], None],
        changed: Callable[[], None],
        timing: Timing = Timing(),  # frozen
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._dial, self._actions, self._clock = dial, actions, clock
        self._tell, self._changed = tell, changed
        self._timing, self._chance = timing, chance
        self._stopping = threading.Event()
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self._presses: SimpleQueue[Press | None] = SimpleQueue()
        self._listening = threading.Thread(target=self._listen, name="buttons", daemon=True)
        self._acting = threading.Thread(target=self._act, name="button actions", daemon=True)

    def start(self) -> None:
        self._acting.start()
        self._listening.start()

    def stop(self, timeout: timedelta = timedelta(seconds=4)) -> bool:
        """What was acknowledged is done first; False where that takes longer than ``timeout``."""
        self._stopping.set()
        if self._listening.ident is not None:
            self._listening.join(timeout.total_seconds() / 2)
        self._presses.put(None)  # behind the last press that was acknowledged
        if self._acting.ident is not None:
            self._acting.join(timeout.total_seconds() / 2)
        return not (self._listening.is_alive() or self._acting.is_alive())

    def _listen(self) -> None:
        """For ever: a line, until it is lost or Slack asks for another one, which is opened before this one closes."""
        line, short = self._connected(), 0
        while line is not None:
            begun = self._clock()
            self._follow(line)
            short = short + 1 if self._clock() - begun < SHORT else 0
            if short > 1:
                self._stopping.wait(self._backed_off(short - 1).total_seconds())
            successor = self._connected()
            self._empty(line)
            line.close()
            line = successor

    def _backed_off(self, failures: int) -> timedelta:
        return delay(failures, self._chance(), least=self._timing.least, most=self._timing.most)

    def _connected(self) -> Line | None:
        """A line, however long it takes; None when stopping. One log line per outage."""
        failures, told = 0, ""
        while not self._stopping.is_set():
            wait, kind = self._timing.refused, "token"
            try:
                return self._dial()
            except BadCredential as error:
                reason = f"{error}: set METRICWATCH_SLACK_APP_TOKEN to an app token (xapp-…) with connections:write"
            except DeliveryError as error:
                failures, kind, reason = failures + 1, "connection", str(error)
                wait = self._backed_off(failures)
            except Exception as error:  # noqa: BLE001  # what keeps running: the listening, which tries again
                wait, kind, reason = self._timing.most, "fault", type(error).__name__
                _log.exception("buttons failed")
            if kind != told:
                _log.warning("buttons do not work", reason=reason, next_try_s=round(wait.total_seconds()))
            told = kind
            self._stopping.wait(wait.total_seconds())
        return None

    def _follow(self, line: Line) -> None:
        """Until the line is lost, Slack asks to leave it, or we stop."""
        while not self._stopping.is_set():
            try:
                message = line.receive(self._timing.poll_s)
                if message is None:
                    continue
                if message.get("type") == "hello":
                    _log.info("buttons work")
                if message.get("type") == "disconnect":
                    _log.info("buttons reconnect", reason=str(message.get("reason", ""))[:60])
                    return
                self._take(line, message)
            except DeliveryError as error:
                _log.info("buttons reconnect", reason=str(error))
                return
            except Exception:  # noqa: BLE001  # what keeps running: the listening, on a new line
                _log.exception("buttons failed")
                return

    def _empty(self, line: Line) -> None:
        """What still came in on a line that is being left."""
        try:
            while (message := line.receive(0.0)) is not None:
                self._take(line, message)
        except DeliveryError:
            return

    def _take(self, line: Line, message: Mapping[str, object]) -> None:
        """Acknowledged first: Slack waits three seconds, and the state may be slower than that."""
        envelope = message.get("envelope_id")
        if not isinstance(envelope, str) or not envelope:
            return
        line.acknowledge(envelope)
        payload = message.get("payload")
        press = pressed(payload) if message.get("type") == "interactive" and isinstance(payload, dict) else None
        if press is not None and envelope not in self._seen:
            self._seen.append(envelope)
            self._presses.put(press)

    def _act(self) -> None:
        while (press := self._presses.get()) is not None:
            self._answer(press, self._outcome(press))

    def _outcome(self, press: Press) -> str:
        """Does what was asked. The text is for the person who pressed; empty = the message itself will show it."""
        if press.is_from_elsewhere:
            return "not done: you are not a member of the workspace that this message belongs to"
        try:
            done = self._do(press, self._clock())
        except ValueError as error:
            return f"not done: {error}"
        except StoreError as error:
            _log.warning("button not recorded", action=press.action, target=press.target, reason=str(error))
            return "not done: the state does not answer at the moment; please press again in a minute"
        except Exception:  # noqa: BLE001  # what keeps running: the buttons; this press is answered and logged
            _log.exception("button failed", action=press.action, target=press.target)
            return "not done: something went wrong, and the log of metricwatch says what"
        _log.info("button pressed", action=press.action, target=press.target, by=press.by, changed=done.changed)
        if done.changed:
            self._changed()
        return "" if done.changed else f"nothing to do: {done.text}"

    def _do(self, press: Press, now: datetime) -> Done:
        comment = f"pressed in Slack by {press.user_id}" + (f" in {press.channel}" if press.channel else "")
        if press.action == "acknowledge":
            return self._actions.acknowledge(press.target, by=press.by, via=_VIA, now=now)
        if press.action == "silence":
            length = press.length or timedelta(hours=1)
            return self._actions.silence(press.target, length, by=press.by, comment=comment, via=_VIA, now=now)
        return self._actions.label(press.target, press.action, by=press.by, comment=comment, via=_VIA, now=now)

    def _answer(self, press: Press, text: str) -> None:
        if not text or not press.response_url:
            return
        try:
            self._tell(press.response_url, text)
        except DeliveryError as error:
            _log.warning("button not answered", reason=str(error))
