"""Slack and PagerDuty as an outsider would write them from the public documents of their APIs, with bad days.

They share nothing with ``tests/standins``, so that a misunderstanding there is not repeated here.
https://docs.slack.dev/reference/methods · https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]


class Outside:
    """``posts`` are the messages of Slack, ``events`` those that PagerDuty took, ``faults`` what went wrong."""

    def __init__(self, seed: int, token: str, share: float) -> None:
        self.posts: list[Json] = []
        self.events: list[Json] = []
        self.faults: list[str] = []
        self.refused: list[str] = []
        self.lock = threading.Lock()
        self._failed: set[tuple[str, str]] = set()
        self.token, self._share, self._chance = token, share, random.Random(seed)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _exchange_with(self))
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def roots(self) -> list[Json]:
        return [post for post in self.posts if "thread_ts" not in post]

    @property
    def pages(self) -> int:
        """How often a person was woken: a trigger for a key that is not open."""
        return self._followed()[0]

    @property
    def open(self) -> set[str]:
        """The keys of what PagerDuty still shows as open."""
        return self._followed()[1]

    def _followed(self) -> tuple[int, set[str]]:
        woken, is_open = 0, set[str]()
        for event in self.events:
            key, action = str(event["dedup_key"]), event["event_action"]
            if action == "resolve":
                is_open.discard(key)
            elif action == "trigger" and key not in is_open:
                is_open.add(key)
                woken += 1
        return woken, is_open

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self._share = 0.0

    def fault(self, path: str, body: bytes) -> str:
        """What goes wrong with this request, mostly nothing; no event for PagerDuty is failed twice.

        A page that fails for as long as its incident lasts is rightly never sent: only the end is told.
        """
        event = json.loads(body) if path == "/v2/enqueue" else {}
        meant = (event.get("event_action", ""), event.get("dedup_key", ""))
        if meant in self._failed:
            return ""
        found = self._chance.choice(("429", "500", "503", "cut")) if self._chance.random() < self._share else ""
        self.faults += [found] if found else []
        if found and event:
            self._failed.add(meant)
        return found

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Json]:
        if path == "/v2/enqueue":
            return self._enqueue(json.loads(body))
        if path.startswith("/upload/"):
            return 200, {}
        is_json = headers.get("Content-Type", "").startswith("application/json")
        given = json.loads(body) if is_json else dict(parse_qsl(body.decode()))
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 200, self._refuse("not_authed")
        method = path.removeprefix("/api/").replace(".", "_")
        found = getattr(self, f"_{method}", None)
        return 200, found(given) if found else self._refuse(f"unknown_method {method}")

    def _refuse(self, code: str) -> Json:
        self.refused.append(code)
        return {"ok": False, "error": code}

    def _auth_test(self, _: Json) -> Json:
        return {"ok": True, "team_id": "T1", "user_id": "U1"}

    def _chat_postMessage(self, given: Json) -> Json:  # noqa: N802 (as Slack writes it)
        if not given.get("channel") or not (given.get("text") or given.get("blocks")):
            return self._refuse("no_text")
        if "thread_ts" in given and all(root["ts"] != given["thread_ts"] for root in self.roots):
            return self._refuse("thread_not_found")
        ts = f"{time.time():.0f}.{len(self.posts):06d}"
        self.posts.append({**given, "ts": ts})
        return {"ok": True, "channel": given["channel"], "ts": ts, "message": given}

    def _chat_update(self, given: Json) -> Json:
        for post in self.posts:
            if (post["channel"], post["ts"]) == (given.get("channel"), given.get("ts")):
                post.update(text=given.get("text", ""), blocks=given.get("blocks", []))
                return {"ok": True, "channel": post["channel"], "ts": post["ts"], "text": post["text"]}
        return self._refuse("message_not_found")

    def _conversations_history(self, given: Json) -> Json:
        oldest = float(given.get("oldest", 0))
        found = [post for post in reversed(self.roots) if float(post["ts"]) > oldest]
        return {"ok": True, "messages": found, "has_more": False}

    def _conversations_replies(self, given: Json) -> Json:
        found = [post for post in self.posts if given["ts"] in (post["ts"], post.get("thread_ts"))]
        return {"ok": True, "messages": found, "has_more": False} if found else self._refuse("thread_not_found")

    def _files_getUploadURLExternal(self, _: Json) -> Json:  # noqa: N802 (as Slack writes it)
        return {"ok": True, "upload_url": f"{self.origin}/upload/F1", "file_id": "F1"}

    def _files_completeUploadExternal(self, _: Json) -> Json:  # noqa: N802 (as Slack writes it)
        return {"ok": True, "files": [{"id": "F1"}]}

    def _enqueue(self, event: Json) -> tuple[int, Json]:
        payload = event.get("payload", {})
        is_whole = event["event_action"] != "trigger" or {"summary", "source", "severity"} <= set(payload)
        if len(event["routing_key"]) != 32 or not is_whole or not event.get("dedup_key"):
            self.refused.append(f"invalid event {event['event_action']}")
            return 400, {"status": "invalid event", "errors": ["invalid"]}
        self.events.append(event)
        return 202, {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}


def _exchange_with(outside: Outside) -> type[BaseHTTPRequestHandler]:
    class Exchange(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:
                return  # its sender was killed
            with outside.lock:
                fault = outside.fault(self.path, body)
                if fault in ("", "cut"):
                    status, answer = outside.answer(urlsplit(self.path).path, dict(self.headers), body)
                else:
                    status, answer = int(fault), {}
            if fault == "cut":  # accepted, and the answer is lost
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._send(status, json.dumps(answer).encode())

        def _send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Exchange
