"""Slack's Web API as far as metricwatch uses it, on loopback, refusing whatever the real one refuses.

Run it alone with ``python -m tests.standins.slack --port 8090``.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from itertools import count
from urllib.parse import parse_qsl, urlsplit

from tests.standins import blockkit
from tests.standins.server import Answer, Call, StandIn, as_json, serve
from tests.standins.workspace import APP_TOKEN, TOKEN, File, Message, Refusal, Workspace, as_slack

Arguments = Mapping[str, object]

_POST = {"channel", "text", "blocks", "attachments", "metadata", "client_msg_id", "mrkdwn", "parse", "link_names"}
_POST |= {"thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media", "username", "icon_emoji", "icon_url"}
_UPDATE = {"channel", "ts", "text", "blocks", "attachments", "metadata", "link_names", "parse", "reply_broadcast"}
_PAGE = {"channel", "cursor", "limit", "oldest", "latest", "inclusive", "include_all_metadata"}

__all__ = ["APP_TOKEN", "TOKEN", "Message", "SlackStandIn", "Workspace"]


class SlackStandIn(StandIn):
    """``messages(channel)`` are the roots, ``thread(ts)`` the posts below one; ``base_url`` is what clients get."""

    def __init__(
        self, port: int = 0, workspace: Workspace | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(port)
        self.workspace = workspace or Workspace()
        self.posts: list[Message] = []
        self.files: dict[str, File] = {}
        self.locked: dict[str, str] = {}
        """ts → the error code with which an edit of that message is refused."""
        self.new_socket: Callable[[], str] | None = None
        """Where a Socket Mode stand-in listens: each call is an address for one connection."""
        self.whispers: list[str] = []
        """What was posted to response addresses: only the person who pressed a button sees it."""
        self._clock = clock
        self._numbers = count(1)
        self._last: dict[str, tuple[float, float]] = {}

    @property
    def base_url(self) -> str:
        return f"{self.origin}/api/"

    def messages(self, channel: str | None = None) -> list[Message]:
        """The roots of one channel (None: of all), in the order they were posted."""
        with self.lock:
            roots = [post for post in self.posts if post.thread_ts is None]
            return [post for post in roots if channel in (None, post.channel)]

    def thread(self, ts: str) -> list[Message]:
        """The posts in the thread of a root, in order, without the root."""
        with self.lock:
            return [post for post in self.posts if post.thread_ts == ts]

    def delete(self, ts: str) -> None:
        """As if a person had deleted the message and its thread."""
        with self.lock:
            self.posts = [post for post in self.posts if ts not in (post.ts, post.thread_ts)]

    def state(self) -> object:
        return {
            "messages": [asdict(post) | {"delivery_id": post.delivery_id} for post in self.posts],
            "files": [
                {"id": file.id, "length": file.length, "complete": file.is_complete} for file in self.files.values()
            ],
        }

    def method_of(self, path: str) -> str:
        return urlsplit(path).path.removeprefix("/api/")

    def respond(self, call: Call) -> Answer:
        method = self.method_of(call.path)
        if method.startswith("/upload/"):
            return self._receive_file(method.removeprefix("/upload/"), call.body)
        if method.startswith("/response/"):
            return self._whisper(call)
        try:
            return as_json({"ok": True, **self._answer(method, call)})
        except Refusal as refusal:
            body: dict[str, object] = {"ok": False, "error": refusal.code}
            if refusal.details:
                body |= {"errors": refusal.details, "response_metadata": {"messages": refusal.details}}
            if refusal.code == "missing_scope":
                body["needed"] = refusal.details[0]
            return as_json(body, refusal.status, refusal.headers)

    def _answer(self, method: str, call: Call) -> Mapping[str, object]:
        methods: Mapping[str, tuple[Callable[[Arguments], Mapping[str, object]], Collection[str], str, str]] = {
            "apps.connections.open": (self._open_socket, (), "", "any"),
            "auth.test": (self._auth_test, (), "", "any"),
            "chat.postMessage": (self._post, _POST, "chat:write", "json"),
            "chat.update": (self._update, _UPDATE, "chat:write", "json"),
            "conversations.history": (self._history, _PAGE, "channels:history", "form"),
            "conversations.replies": (self._replies, _PAGE | {"ts"}, "channels:history", "form"),
            "files.getUploadURLExternal": (self._place, ("filename", "length", "alt_txt"), "files:write", "form"),
            "files.completeUploadExternal": (self._complete, ("files",), "files:write", "form"),
        }
        if method not in methods or call.verb != "POST":
            self.unexpected.append(f"{call.verb} {call.path}")
            raise Refusal("unknown_method")
        answer, known, scope, encoding = methods[method]
        arguments = self._arguments(call, encoding)
        tokens = self.workspace.app_tokens if method == "apps.connections.open" else self.workspace.tokens
        self._authorise(call, arguments, scope, tokens)
        unknown = sorted(set(arguments) - set(known))
        if unknown:
            raise self._wrong("invalid_arguments", f"{method} takes no {', '.join(unknown)}")
        return answer(arguments)

    def _arguments(self, call: Call, encoding: str) -> Arguments:
        kind = call.headers.get("content-type", "")
        if kind.startswith("application/json") and encoding != "form":
            try:
                parsed = json.loads(call.body or b"{}", parse_constant=_refuse_constant)
            except ValueError:
                raise self._wrong("invalid_json", "the body is no JSON") from None
            if not isinstance(parsed, dict):
                raise self._wrong("json_not_object", "the body is no JSON object")
            return parsed
        if kind.startswith("application/x-www-form-urlencoded") and encoding != "json":
            return dict(parse_qsl(call.body.decode(), keep_blank_values=True))
        raise self._wrong("invalid_post_type", f"content type {kind}")

    def _authorise(self, call: Call, arguments: Arguments, scope: str, tokens: Collection[str]) -> None:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if "token" in arguments:
            self.unexpected.append("the token is sent in the body, where it may be logged")
        if not token:
            raise Refusal("not_authed")
        if token not in tokens:
            others = {*self.workspace.tokens, *self.workspace.app_tokens}
            raise Refusal("not_allowed_token_type" if token in others else "invalid_auth")
        if scope and scope not in self.workspace.scopes:
            raise Refusal("missing_scope", scope)

    def _open_socket(self, _: Arguments) -> Mapping[str, object]:
        if self.new_socket is None:
            raise Refusal("socket_mode_not_enabled")
        return {"url": self.new_socket()}

    def _whisper(self, call: Call) -> Answer:
        """A response address, which needs no token: an answer to one person, or nothing at all."""
        said = json.loads(call.body)
        if said.get("response_type") != "ephemeral" or said.get("replace_original") is not False:
            self.unexpected.append(f"an answer that everybody sees, or that replaces the message: {said}")
        if blockkit.problems(said.get("blocks", []), self._is_shown) or not said.get("text"):
            self.unexpected.append(f"an answer that slack would refuse: {said}")
        self.whispers.append(said["blocks"][0]["text"]["text"])
        return Answer(200, b"ok", {"Content-Type": "text/plain"})

    def _auth_test(self, _: Arguments) -> Mapping[str, object]:
        return {"url": "https://stand-in.slack.com/", "team": "Stand-in", "user": "metricwatch", "team_id": "T0STANDIN"}

    def _post(self, arguments: Arguments) -> Mapping[str, object]:
        channel, thread = self._channel(arguments, to_write=True), arguments.get("thread_ts")
        self._check_content(arguments)
        if arguments.get("reply_broadcast") and not thread:
            raise self._wrong("invalid_arguments", "reply_broadcast without thread_ts")
        if thread is not None and not any(post.ts == thread for post in self.messages(channel)):
            raise Refusal("thread_not_found")
        self._check_rate(channel)
        post = Message(
            channel=channel,
            ts=f"{int(time.time())}.{next(self._numbers):06d}",
            text=str(arguments.get("text", "")),
            blocks=tuple(_blocks(arguments)),
            thread_ts=str(thread) if thread else None,
            is_broadcast=bool(arguments.get("reply_broadcast")),
            metadata=_metadata(arguments),
            client_msg_id=str(arguments["client_msg_id"]) if "client_msg_id" in arguments else None,
        )
        twins = [one for one in self.posts if post.delivery_id and one.delivery_id == post.delivery_id]
        if twins:
            self.unexpected.append(f"delivery {post.delivery_id} was posted {len(twins) + 1} times")
        self.posts.append(post)
        return {"channel": channel, "ts": post.ts, "message": as_slack(post, with_metadata=True)}

    def _update(self, arguments: Arguments) -> Mapping[str, object]:
        channel, ts = self._channel(arguments, to_write=True), arguments.get("ts")
        self._check_content(arguments)
        place = next((at for at, post in enumerate(self.posts) if (post.channel, post.ts) == (channel, ts)), None)
        if place is None:
            raise Refusal("message_not_found")
        if str(ts) in self.locked:
            raise Refusal(self.locked[str(ts)])
        before = self.posts[place]
        # Left out, metadata stays as it is; left out beside a new text, blocks are taken away.
        self.posts[place] = replace(
            before,
            text=str(arguments.get("text", before.text)),
            blocks=tuple(_blocks(arguments)),
            metadata=_metadata(arguments) if "metadata" in arguments else before.metadata,
            earlier=(*before.earlier, replace(before, earlier=())),
        )
        return {"channel": channel, "ts": ts, "text": self.posts[place].text}

    def _history(self, arguments: Arguments) -> Mapping[str, object]:
        """Newest first, parents only: what stands in a thread is not here unless it was broadcast."""
        channel = self._channel(arguments)
        found = [
            post for post in self.posts if post.channel == channel and (post.thread_ts is None or post.is_broadcast)
        ]
        return self._page(sorted(found, key=lambda post: float(post.ts), reverse=True), arguments)

    def _replies(self, arguments: Arguments) -> Mapping[str, object]:
        """The parent, then its thread, oldest first."""
        channel, ts = self._channel(arguments), str(arguments.get("ts", ""))
        parent = [post for post in self.messages(channel) if post.ts == ts]
        if not parent:
            raise Refusal("thread_not_found")
        return self._page([*parent, *self.thread(ts)], arguments)

    def _page(self, found: list[Message], arguments: Arguments) -> Mapping[str, object]:
        limit = int(str(arguments.get("limit", 100)))
        if not 1 <= limit <= 999:
            raise self._wrong("invalid_limit", f"limit {limit}")
        oldest, latest = float(str(arguments.get("oldest", 0))), float(str(arguments.get("latest", "inf")))
        is_inclusive = str(arguments.get("inclusive", "0")) in ("1", "true")
        within = [
            post
            for post in found
            if oldest < float(post.ts) < latest or (is_inclusive and float(post.ts) in (oldest, latest))
        ]
        start = int(str(arguments.get("cursor") or "0"))
        with_metadata = str(arguments.get("include_all_metadata", "0")) in ("1", "true")
        more = start + limit < len(within)
        return {
            "messages": [as_slack(post, with_metadata) for post in within[start : start + limit]],
            "has_more": more,
            "response_metadata": {"next_cursor": str(start + limit) if more else ""},
        }

    def _place(self, arguments: Arguments) -> Mapping[str, object]:
        length = int(str(arguments.get("length") or 0))
        if length <= 0 or not arguments.get("filename"):
            raise self._wrong("invalid_arguments", "an upload needs a filename and a length")
        file_id = f"F0STANDIN{next(self._numbers):04d}"
        self.files[file_id] = File(file_id, str(arguments["filename"]), length)
        return {"upload_url": f"{self.origin}/upload/{file_id}", "file_id": file_id}

    def _receive_file(self, file_id: str, content: bytes) -> Answer:
        file = self.files.get(file_id)
        if file is None or file.content is not None or len(content) != file.length:
            self.unexpected.append(f"upload of {len(content)} bytes to {file_id}, where {file} was expected")
            return Answer(400, b"bad upload")
        self.files[file_id] = replace(file, content=content)
        return Answer(200, f"OK - {len(content)}".encode(), {"Content-Type": "text/plain"})

    def _complete(self, arguments: Arguments) -> Mapping[str, object]:
        listed = json.loads(str(arguments.get("files", "[]")))
        for one in listed:
            file = self.files.get(one.get("id"))
            if file is None or file.content is None or set(one) - {"id", "title"}:
                raise self._wrong("file_not_found", f"file {one} was never uploaded")
            self.files[file.id] = replace(file, is_complete=True)
        return {"files": [{"id": one["id"], "title": one.get("title", "")} for one in listed]}

    def _is_shown(self, file_id: str) -> bool:
        file = self.files.get(file_id)
        if file is None or not file.is_complete:
            return False
        if self.workspace.file_delay > 0:
            self.workspace.file_delay -= 1
            return False
        return True

    def _channel(self, arguments: Arguments, *, to_write: bool = False) -> str:
        channel = str(arguments.get("channel", ""))
        known = self.workspace.channels
        if not re.fullmatch(r"[CGD][A-Z0-9]{2,}", channel) or (known is not None and channel not in known):
            raise Refusal("channel_not_found")
        if channel in self.workspace.not_member:
            raise Refusal("not_in_channel")
        if to_write and channel in self.workspace.archived:
            raise Refusal("is_archived")
        return channel

    def _check_content(self, arguments: Arguments) -> None:
        text, blocks = arguments.get("text", ""), _blocks(arguments)
        if not text and not blocks:
            raise self._wrong("no_text", "neither text nor blocks")
        if not isinstance(text, str) or len(text) > blockkit.MAX_TEXT:
            raise self._wrong("msg_too_long", f"text of {len(str(text))} characters")
        found = blockkit.problems(arguments.get("blocks", []), self._is_shown)
        if found:
            if not all(problem.startswith("invalid slack file") for problem in found):
                self.unexpected.append(f"invalid_blocks: {found}")
            raise Refusal("invalid_blocks", *found)
        if blockkit.characters(list(blocks)) > blockkit.MAX_TOTAL:
            raise self._wrong("msg_blocks_too_long", f"{blockkit.characters(list(blocks))} characters over all blocks")
        self.unexpected += [f"message with {problem}" for problem in blockkit.suspicious([text, *blocks])]
        self._check_metadata(arguments.get("metadata"))

    def _check_metadata(self, metadata: object) -> None:
        if metadata is None:
            return
        if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
            raise self._wrong("invalid_metadata_format", f"metadata {metadata!r}")
        if not re.fullmatch(r"\w{1,255}", str(metadata["event_type"])) or not isinstance(
            metadata["event_payload"], dict
        ):
            raise self._wrong("invalid_metadata_schema", f"metadata {metadata!r}")
        if len(json.dumps(metadata)) > 8_000:
            raise self._wrong("metadata_too_large", f"metadata of {len(json.dumps(metadata))} characters")

    def _check_rate(self, channel: str) -> None:
        rate = self.workspace.per_second
        if rate is None:
            return
        now = self._clock()
        allowance, at = self._last.get(channel, (3.0, now))
        allowance = min(3.0, allowance + (now - at) * rate)
        self._last[channel] = (allowance - (1 if allowance >= 1 else 0), now)
        if allowance < 1:
            raise Refusal("ratelimited", status=429, headers={"Retry-After": "1"})

    def _wrong(self, code: str, what: str) -> Refusal:
        """A refusal for something that no well-behaved client sends."""
        self.unexpected.append(f"{code}: {what}")
        return Refusal(code, what)


def _blocks(arguments: Arguments) -> list[Mapping[str, object]]:
    blocks = arguments.get("blocks")
    return blocks if isinstance(blocks, list) else []


def _metadata(arguments: Arguments) -> Mapping[str, object] | None:
    metadata = arguments.get("metadata")
    return metadata if isinstance(metadata, dict) else None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def main() -> None:
    parser = argparse.ArgumentParser(description="A strict stand-in for Slack's Web API on loopback.")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--token", default=TOKEN)
    chosen = parser.parse_args()
    stand_in = SlackStandIn(chosen.port, Workspace(tokens=(chosen.token,)))
    serve(stand_in, f"Slack stand-in on http://127.0.0.1:{chosen.port}/api/")


if __name__ == "__main__":
    main()
