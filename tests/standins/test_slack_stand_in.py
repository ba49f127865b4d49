"""The stand-in is only worth something where it refuses what Slack refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.standins.slack import TOKEN, SlackStandIn, Workspace

CHANNEL = "C0GROWTH01"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "words"}}


@pytest.fixture
def service() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        yield stand_in


def ask(service: SlackStandIn, method: str, arguments: Mapping[str, object], token: str = TOKEN) -> dict[str, object]:
    is_form = method.startswith(("conversations", "files"))
    kind = "application/x-www-form-urlencoded" if is_form else "application/json"
    body = urlencode(dict(arguments)).encode() if is_form else json.dumps(arguments).encode()
    request = Request(service.base_url + method, body, {"Content-Type": kind, "Authorization": f"Bearer {token}"})
    with urlopen(request, timeout=5) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def post(service: SlackStandIn, **arguments: object) -> object:
    return ask(service, "chat.postMessage", {"channel": CHANNEL, **arguments}).get("error", "ok")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": "x" * 4_000}, "ok"),
        ({"text": "x" * 4_001}, "msg_too_long"),
        ({}, "no_text"),
        ({"text": "x", "blocks": [SECTION] * 50}, "ok"),
        ({"text": "x", "blocks": [SECTION] * 51}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "fields": [SECTION["text"]] * 11}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2_001}]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": [SECTION["text"]] * 11}]}, "invalid_blocks"),
        ({"blocks": [{**SECTION, "colour": "red"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "marquee"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "image", "alt_text": "x", "slack_file": {"id": "F0NEVER0001"}}]}, "invalid_blocks"),
        (
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_999}}] * 5},
            "msg_blocks_too_long",
        ),
        ({"text": "x", "surprise": 1}, "invalid_arguments"),
        ({"text": "x", "metadata": {"event_type": "e"}}, "invalid_metadata_format"),
        (
            {"text": "x", "metadata": {"event_type": "e", "event_payload": {"k": "x" * 9_000}}},
            "metadata_too_large",
        ),
        ({"text": "x", "reply_broadcast": True}, "invalid_arguments"),
        ({"text": "x", "thread_ts": "1.2"}, "thread_not_found"),
    ],
)
def test_a_message_is_held_to_the_limits(service: SlackStandIn, arguments: dict[str, object], error: str) -> None:
    assert post(service, **arguments) == error
    assert (service.unexpected == []) == (error in ("ok", "thread_not_found") or "F0NEVER" in str(arguments))


def button(text: int = 5, value: int = 5) -> dict[str, object]:
    label = {"type": "plain_text", "text": "x" * text}
    return {"type": "button", "text": label, "value": "v" * value, "action_id": "a"}


@pytest.mark.parametrize(
    ("elements", "error"),
    [
        ([button()] * 25, "ok"),
        ([button()] * 26, "invalid_blocks"),
        ([button(text=76)], "invalid_blocks"),
        ([button(value=2_001)], "invalid_blocks"),
    ],
)
def test_buttons_are_held_to_the_limits(service: SlackStandIn, elements: list[object], error: str) -> None:
    assert post(service, text="x", blocks=[{"type": "actions", "elements": elements}]) == error


@pytest.mark.parametrize("text", ["<!channel>", "<!here|here>", "a \u202e b", "a\x00b", "1 < 2", "\u200b"])
def test_text_that_no_careful_client_sends_is_recorded(service: SlackStandIn, text: str) -> None:
    assert post(service, text=text) == "ok"
    assert service.unexpected != []


def test_a_second_post_of_one_delivery_is_recorded(service: SlackStandIn) -> None:
    metadata = {"event_type": "e", "event_payload": {"delivery_id": "d-1"}}
    post(service, text="x", metadata=metadata)
    assert service.unexpected == []
    post(service, text="x", metadata=metadata)
    assert service.unexpected == ["delivery d-1 was posted 2 times"]


def test_the_history_has_no_thread_posts_and_replies_have_them(service: SlackStandIn) -> None:
    root = ask(service, "chat.postMessage", {"channel": CHANNEL, "text": "root"})["ts"]
    post(service, text="reply", thread_ts=root)
    history = ask(service, "conversations.history", {"channel": CHANNEL})["messages"]
    replies = ask(service, "conversations.replies", {"channel": CHANNEL, "ts": root})["messages"]
    assert isinstance(history, list)
    assert isinstance(replies, list)
    assert [message["text"] for message in history] == ["root"]
    assert [message["text"] for message in replies] == ["root", "reply"]


@pytest.mark.parametrize(("asked", "shown"), [("1", True), ("0", False)])
def test_metadata_is_shown_only_on_demand(service: SlackStandIn, asked: str, shown: bool) -> None:
    post(service, text="x", metadata={"event_type": "e", "event_payload": {}})
    answer = ask(service, "conversations.history", {"channel": CHANNEL, "include_all_metadata": asked})
    messages = answer["messages"]
    assert isinstance(messages, list)
    assert ("metadata" in messages[0]) == shown


def test_an_edit_of_nothing_is_message_not_found(service: SlackStandIn) -> None:
    assert ask(service, "chat.update", {"channel": CHANNEL, "ts": "1.2", "text": "x"})["error"] == "message_not_found"


def test_an_edit_without_blocks_takes_them_away_and_keeps_metadata(service: SlackStandIn) -> None:
    metadata = {"event_type": "e", "event_payload": {"delivery_id": "d"}}
    ts = ask(service, "chat.postMessage", {"channel": CHANNEL, "blocks": [SECTION], "metadata": metadata})["ts"]
    ask(service, "chat.update", {"channel": CHANNEL, "ts": ts, "text": "new"})
    (root,) = service.messages()
    assert (root.shown, root.delivery_id, len(root.earlier)) == ("new", "d", 1)


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth")])
def test_a_wrong_token_is_refused(service: SlackStandIn, token: str, error: str) -> None:
    assert ask(service, "auth.test", {}, token)["error"] == error


def test_a_missing_scope_is_named() -> None:
    with SlackStandIn(workspace=Workspace(scopes={"chat:write"})) as service:
        answer = ask(service, "conversations.history", {"channel": CHANNEL})
    assert (answer["error"], answer["needed"]) == ("missing_scope", "channels:history")


def test_a_channel_that_does_not_exist_is_not_found() -> None:
    with SlackStandIn(workspace=Workspace(channels={"C0OTHER"})) as service:
        assert post(service, text="x") == "channel_not_found"


def test_an_upload_of_another_length_is_refused(service: SlackStandIn) -> None:
    place = ask(service, "files.getUploadURLExternal", {"filename": "a.png", "length": 5})
    request = Request(str(place["upload_url"]), b"123", method="POST")
    with pytest.raises(OSError, match="400"):
        urlopen(request, timeout=5)
    assert (
        ask(service, "files.completeUploadExternal", {"files": json.dumps([{"id": place["file_id"]}])})["ok"] is False
    )


def test_another_process_arranges_faults_and_reads_the_record(service: SlackStandIn) -> None:
    fault = {"method": "auth.test", "kind": "error", "code": "fatal_error"}
    urlopen(Request(f"{service.origin}/control/faults", json.dumps(fault).encode()), timeout=5).close()
    assert ask(service, "auth.test", {})["error"] == "fatal_error"
    assert ask(service, "auth.test", {})["ok"] is True
    with urlopen(f"{service.origin}/control/state", timeout=5) as answer:
        state = json.load(answer)
    assert [request["path"] for request in state["requests"]] == ["/api/auth.test"] * 2
    assert state["unexpected"] == []
    assert state["state"]["messages"] == []


def test_after_down_connections_are_refused_and_after_up_it_is_the_same_service(service: SlackStandIn) -> None:
    post(service, text="x")
    service.down()
    with pytest.raises(OSError, match="refused"):
        post(service, text="x")
    service.up()
    assert post(service, text="x") == "ok"
    assert len(service.messages()) == 2


def test_a_delayed_answer_comes_when_it_is_released(service: SlackStandIn) -> None:
    service.fail("auth.test", "delay", seconds=60)
    service.release()
    assert ask(service, "auth.test", {})["ok"] is True
