"""A receiver of webhooks over TLS on loopback, with a certificate made for ``localhost`` and for tests alone."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

from tests.canaries import ADDRESS_KEY
from tests.standins.server import Answer, Call, StandIn

CERTIFICATE = Path(__file__).with_name("loopback.pem")


class WebhookStandIn(StandIn):
    """Answers 204 to every POST; ``bodies`` are the JSON documents that arrived."""

    address_is_secret = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.answer = Answer(204, b"")

    @property
    def url(self) -> str:
        return f"https://localhost:{self._port}/hooks/metricwatch?key={ADDRESS_KEY}"

    @property
    def bodies(self) -> list[dict[str, object]]:
        with self.lock:
            return [json.loads(call.body) for call in self.requests]

    def up(self) -> None:
        super().up()
        if self._server is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def respond(self, call: Call) -> Answer:
        if call.verb != "POST":
            self.unexpected.append(f"{call.verb} {call.path}")
        return self.answer


def trust() -> ssl.SSLContext:
    """What a client needs to trust the certificate."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))
