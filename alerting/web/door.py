"""Who asks: the bearer of a token, somebody who signed in with one, or on loopback, without tokens, anybody."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from starlette.requests import Request

from alerting.telemetry import logger
from alerting.web.desk import Actor, Clock
from alerting.web.tokens import Token, Tokens

SESSION = "metricwatch_session"
LASTS = timedelta(days=14)
LOCAL = Actor("local", "admin")
FAILURE_S = 1.0
MOST_FAILURES = 4
Pause = Callable[[float], Awaitable[None]]
_log = logger("web")


class Door:
    """``is_exposed``: reachable from other machines, where nobody may come in without a token.

    What a cookie holds is signed with a key that lives as long as the process, and only as long as the token's line is
    unchanged: after a restart, people sign in again.
    """

    def __init__(self, tokens: Tokens, *, is_exposed: bool, clock: Clock, pause: Pause = asyncio.sleep) -> None:
        self._tokens = tokens
        self._is_exposed = is_exposed
        self._clock = clock
        self._pause = pause
        self._key = secrets.token_bytes(32)
        self._failing: Counter[str] = Counter()

    @property
    def is_shut(self) -> bool:
        """True where nobody can come in: other machines reach it, and there is no token."""
        return self._is_exposed and not self._tokens.known()

    @property
    def asks(self) -> bool:
        """True where people sign in."""
        return self._is_exposed or self._tokens.path is not None

    def actor(self, request: Request) -> Actor | None:
        """Who asks; None: nobody who may."""
        if not self.asks:
            return LOCAL
        secret = bearer(request)
        token = self._signed_in(request.cookies.get(SESSION, "")) if secret is None else self._tokens.holder(secret)
        return None if token is None else Actor(token.name, token.scope)

    def sign_in(self, secret: str) -> tuple[Actor, str] | None:
        """Whom the token belongs to, and the cookie that proves it from now on."""
        token = self._tokens.holder(secret)
        if token is None:
            return None
        ends = int((self._clock() + LASTS).timestamp())
        _log.info("signed in", name=token.name, scope=token.scope)
        return Actor(token.name, token.scope), f"{token.name}/{ends}/{self._signature(token, ends)}"

    def is_guessing(self, request: Request) -> bool:
        """True where too many wrong tokens came from the same address just now: the next is not looked at."""
        return self._failing[_client(request)] >= MOST_FAILURES

    async def refuse(self, request: Request) -> None:
        """Returns a while after a wrong token, so that nobody tries many."""
        client = _client(request)
        _log.warning("token refused", client=client, path=request.url.path)
        self._failing[client] += 1
        try:
            await self._pause(FAILURE_S)
        finally:
            self._failing[client] -= 1
            if not self._failing[client]:
                del self._failing[client]

    def _signed_in(self, cookie: str) -> Token | None:
        name, _, rest = cookie.partition("/")
        ends, _, signature = rest.partition("/")
        token = self._tokens.named(name)
        if token is None or not ends.isascii() or not ends.isdecimal() or len(ends) > 12:
            return None
        if not hmac.compare_digest(signature.encode(), self._signature(token, int(ends)).encode()):
            return None
        return token if self._clock() < datetime.fromtimestamp(int(ends), self._clock().tzinfo) else None

    def _signature(self, token: Token, ends: int) -> str:
        return hmac.new(self._key, f"{token.line()} {ends}".encode(), "sha256").hexdigest()


def bearer(request: Request) -> str | None:
    """The token of the ``Authorization`` header; None where it has none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.casefold() == "bearer" else None


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"
