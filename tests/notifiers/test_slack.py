from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr, ValidationError

from notifiers.errors import Ambiguous, BadContent, BadCredential, BadDestination, CannotLook, DeliveryError, NotSent
from notifiers.slack import Slack
from notifiers.slack.answers import AMBIGUOUS, CONTENT, CREDENTIAL, DESTINATION, LIMITED
from tests.figures import Figure
from tests.notifiers.examples import CHANNEL, PNG, incident, notification, resolve, update
from tests.standins.slack import TOKEN, SlackStandIn, Workspace


class Patient(Slack):
    """Does not wait for pictures to be processed."""

    chart_waits_s = (0.0, 0.0)


@pytest.fixture
def service() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def slack(service: SlackStandIn) -> Slack:
    return Patient(channel=CHANNEL, token=SecretStr(TOKEN), base_url=service.base_url)


def test_a_group_is_one_message_that_says_what_how_bad_since_when_and_against_what(
    slack: Slack, service: SlackStandIn
) -> None:
    others = [incident(dimensions={"country": name}, id=name) for name in ("US", "France", "Italy")]
    receipt = slack.send(notification(incident(), *others))
    (root,) = service.messages(CHANNEL)
    assert root.shown.splitlines()[:2] == [
        ":red_circle: *Orders, Germany: 41 % below expected*  · critical",
        (
            "since Mon 14:00 (19:00 UTC, 2 h): 612 orders/h, usually 980 – 1,140 at this hour on Mondays"
            " · also 3 other countries"
        ),
    ]
    assert receipt.remote_id == f"{CHANNEL}:{root.ts}"
    assert service.unexpected == []


def test_the_owner_is_mentioned_and_links_follow(slack: Slack, service: SlackStandIn) -> None:
    slack.send(notification())
    assert (
        "<!subteam^S0CHECKOUT> · <https://runbooks.acme.example/checkout|Runbook>"
        " · <https://mw.acme.example/incidents/1?a=1&amp;b=2|Dashboard>"
    ) in service.messages()[0].shown


def test_the_chart_is_uploaded_and_shown_below_the_first_two_lines(slack: Slack, service: SlackStandIn) -> None:
    receipt = slack.send(notification(chart=PNG))
    (root,) = service.messages()
    assert [block["type"] for block in root.blocks] == ["section", "image", "section", "context"]
    assert service.files[root.file_ids[0]].content == PNG
    assert receipt.note == ""
    assert service.unexpected == []


def test_a_picture_that_is_still_being_processed_is_shown_a_moment_later(slack: Slack, service: SlackStandIn) -> None:
    service.workspace.file_delay = 2
    slack.send(notification(chart=PNG))
    assert len(service.messages()) == 1
    assert len(service.messages()[0].file_ids) == 1


def test_a_picture_that_slack_never_shows_does_not_hold_up_the_words(slack: Slack, service: SlackStandIn) -> None:
    service.workspace.file_delay = 99
    receipt = slack.send(notification(chart=PNG))
    assert service.messages()[0].file_ids == []
    assert receipt.note == "without chart: slack refused the picture"


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal", "*"])
def test_a_failed_upload_leaves_the_message_without_its_chart(slack: Slack, service: SlackStandIn, method: str) -> None:
    service.fail(method, "status", status=500)
    receipt = slack.send(notification(chart=PNG))
    assert len(service.messages()) == 1
    assert receipt.note.startswith("without chart: ")


def test_an_update_edits_the_root_and_says_in_the_thread_what_changed(slack: Slack, service: SlackStandIn) -> None:
    receipt = slack.send(notification())
    assert slack.send(update(receipt.remote_id or "")).remote_id == receipt.remote_id
    (root,) = service.messages()
    (post,) = service.thread(root.ts)
    assert "• Orders, France: 41 % below expected" in root.shown
    assert post.shown == "Mon 16:00 (21:00 UTC): Orders, France: joined, 38 % below expected"
    assert not post.is_broadcast
    methods = [service.method_of(call.path) for call in service.requests]
    # The history is read for the picture that the root shows already: this update brings none.
    assert methods == ["chat.postMessage", "conversations.history", "chat.update", "chat.postMessage"]
    assert service.unexpected == []


def test_only_a_rise_in_severity_is_broadcast_from_the_thread(slack: Slack, service: SlackStandIn) -> None:
    receipt = slack.send(notification())
    slack.send(update(receipt.remote_id or "", raises_severity=True))
    assert service.thread(service.messages()[0].ts)[0].is_broadcast


def test_an_update_without_changes_is_a_silent_edit(slack: Slack, service: SlackStandIn) -> None:
    receipt = slack.send(notification())
    slack.send(update(receipt.remote_id or "", changes=()))
    assert service.thread(service.messages()[0].ts) == []
    assert len(service.messages()[0].earlier) == 1


def test_an_edit_without_a_new_chart_keeps_the_picture(slack: Slack, service: SlackStandIn) -> None:
    receipt = slack.send(notification(chart=PNG))
    before = service.messages()[0].file_ids
    slack.send(resolve(receipt.remote_id))
    assert service.messages()[0].file_ids == before


def test_a_resolved_group_reads_so_and_mentions_nobody(slack: Slack, service: SlackStandIn) -> None:
    receipt = slack.send(notification())
    slack.send(resolve(receipt.remote_id))
    (root,) = service.messages()
    assert root.shown.splitlines()[0] == (
        ":white_check_mark: *Orders, Germany: resolved after 2 h 10 m, 41 % at worst*"
    )
    assert "<!subteam" not in root.shown
    assert len(service.thread(root.ts)) == 1


def test_a_resolve_without_a_root_posts_one_that_is_already_resolved(slack: Slack, service: SlackStandIn) -> None:
    slack.send(resolve(None))
    (root,) = service.messages()
    assert root.shown.startswith(":white_check_mark:")
    assert service.thread(root.ts) == []


@pytest.mark.parametrize("code", ["cant_update_message", "edit_window_closed"])
def test_a_root_that_cannot_be_edited_is_followed_by_a_new_one_that_links_it(
    slack: Slack, service: SlackStandIn, code: str
) -> None:
    first = slack.send(notification())
    ts = service.messages()[0].ts
    service.locked[ts] = code
    second = slack.send(update(first.remote_id or ""))
    assert second.remote_id != first.remote_id
    assert len(service.messages()) == 2
    assert (
        f"<https://slack.com/archives/{CHANNEL}/p{ts.replace('.', '')}|Earlier message>" in service.messages()[1].shown
    )


def test_a_root_that_was_deleted_is_posted_anew(slack: Slack, service: SlackStandIn) -> None:
    first = slack.send(notification())
    service.delete(service.messages()[0].ts)
    second = slack.send(update(first.remote_id or ""))
    assert [f"{CHANNEL}:{root.ts}" for root in service.messages()] == [second.remote_id]


@pytest.mark.parametrize("kind", ["drop", "reset", "truncated"])
def test_a_post_whose_answer_is_lost_is_found_and_not_sent_twice(
    slack: Slack, service: SlackStandIn, kind: str
) -> None:
    service.fail("chat.postMessage", kind, after_effect=True)  # type: ignore[arg-type]  # parametrised
    told = notification()
    with pytest.raises(Ambiguous):
        slack.send(told)
    found = slack.find(told)
    assert found is not None
    assert found.remote_id == f"{CHANNEL}:{service.messages()[0].ts}"
    assert service.unexpected == []


def test_a_post_that_never_arrived_is_not_found(slack: Slack, service: SlackStandIn) -> None:
    service.fail("chat.postMessage", "drop")
    with pytest.raises(Ambiguous):
        slack.send(notification())
    assert slack.find(notification()) is None


def test_a_thread_post_whose_answer_is_lost_is_found_in_the_replies(slack: Slack, service: SlackStandIn) -> None:
    remote_id = slack.send(notification()).remote_id or ""
    service.fail("chat.postMessage", "drop", after_effect=True)
    with pytest.raises(Ambiguous):
        slack.send(update(remote_id))
    found = slack.find(update(remote_id))
    assert found is not None
    assert found.remote_id == remote_id
    assert len(service.thread(service.messages()[0].ts)) == 1


def test_an_edit_whose_answer_is_lost_is_repeated_without_a_second_thread_post(
    slack: Slack, service: SlackStandIn
) -> None:
    remote_id = slack.send(notification()).remote_id or ""
    service.fail("chat.update", "drop", after_effect=True)
    with pytest.raises(Ambiguous):
        slack.send(update(remote_id))
    assert slack.find(update(remote_id)) is None
    slack.send(update(remote_id))
    assert len(service.thread(service.messages()[0].ts)) == 1
    assert service.unexpected == []


def test_a_new_root_whose_answer_is_lost_is_found_in_the_history(slack: Slack, service: SlackStandIn) -> None:
    first = slack.send(notification())
    service.locked[service.messages()[0].ts] = "edit_window_closed"
    service.fail("chat.postMessage", "drop", after_effect=True)
    with pytest.raises(Ambiguous):
        slack.send(update(first.remote_id or ""))
    found = slack.find(update(first.remote_id or ""))
    assert found is not None
    assert found.remote_id == f"{CHANNEL}:{service.messages()[1].ts}"


def test_an_old_post_is_found_many_pages_back(slack: Slack, service: SlackStandIn) -> None:
    slack.send(notification())
    for number in range(450):
        service.posts.append(service.posts[0].__class__(CHANNEL, f"{2_000_000_000 + number}.000001", "chatter"))
    found = slack.find(notification())
    assert found is not None
    assert len(service.calls("conversations.history")) == 3


@pytest.mark.parametrize("lack", ["scope", "membership"])
def test_without_a_way_to_look_find_says_so(slack: Slack, service: SlackStandIn, lack: str) -> None:
    if lack == "scope":
        service.workspace.scopes = {"chat:write"}
    else:
        service.workspace.not_member.add(CHANNEL)
    with pytest.raises(CannotLook):
        slack.find(notification())


def test_a_lookup_that_fails_is_no_answer(slack: Slack, service: SlackStandIn) -> None:
    service.fail("conversations.history", "status", status=503)
    with pytest.raises(Ambiguous):
        slack.find(notification())


def test_a_dropped_connection_is_never_retried_inside_a_send(slack: Slack, service: SlackStandIn) -> None:
    service.fail("chat.postMessage", "drop", times=3)
    with pytest.raises(Ambiguous):
        slack.send(notification())
    assert len(service.calls("chat.postMessage")) == 1


def test_the_sdk_has_no_retry_handlers_and_times_out_after_ten_seconds(slack: Slack) -> None:
    assert slack._client.retry_handlers == []
    assert slack._client.timeout == 10


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (CREDENTIAL, BadCredential),
        (DESTINATION, BadDestination),
        (CONTENT, BadContent),
        (LIMITED, NotSent),
        (AMBIGUOUS | {"some_new_code"}, Ambiguous),
    ],
)
def test_every_error_code_has_its_class(
    slack: Slack, service: SlackStandIn, codes: frozenset[str], expected: type[DeliveryError], figure: Figure
) -> None:
    for code in sorted(codes):
        service.fail("chat.postMessage", "error", code=code, times=5)
        with pytest.raises(expected):
            slack.send(notification())
        service.clear()
    assert service.messages() == []
    figure("T9", f"{len(codes)} Slack codes are {expected.__name__}")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_every_http_status_has_its_class(slack: Slack, service: SlackStandIn, status: int, figure: Figure) -> None:
    service.fail("chat.postMessage", "status", status=status, body="<html>no JSON</html>")
    expected = NotSent if status == 429 else Ambiguous
    with pytest.raises(expected):
        slack.send(notification())
    figure("T9", f"Slack status {status} is {expected.__name__}")


@pytest.mark.parametrize("kind", ["html", "truncated"])
def test_an_answer_that_is_no_json_is_ambiguous(slack: Slack, service: SlackStandIn, kind: str) -> None:
    service.fail("chat.postMessage", kind)  # type: ignore[arg-type]  # parametrised
    with pytest.raises(Ambiguous):
        slack.send(notification())


@pytest.mark.parametrize("body", ["[1]", '"text"', "null", "", "{", "\x00", '{"ok": true}'])
def test_an_answer_of_another_shape_is_no_crash(slack: Slack, service: SlackStandIn, body: str) -> None:
    service.fail("chat.postMessage", "status", status=200, body=body)
    try:
        receipt = slack.send(notification())
    except DeliveryError as error:
        assert isinstance(error, Ambiguous)  # noqa: PT017 (either outcome is right)
    else:
        assert receipt.remote_id is None or ":" in receipt.remote_id


@pytest.mark.parametrize("code", ["invalid_auth", "channel_not_found", "fatal_error", "ratelimited"])
def test_an_error_carries_nothing_of_the_sdk_whose_errors_hold_the_token(
    slack: Slack, service: SlackStandIn, code: str
) -> None:
    service.fail("chat.postMessage", "error", code=code)
    with pytest.raises(DeliveryError) as caught:
        slack.send(notification())
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_a_service_that_is_down_was_surely_not_told(slack: Slack, service: SlackStandIn) -> None:
    service.down()
    with pytest.raises(NotSent):
        slack.send(notification())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 1), ("0", 1), ("-5", 1), ("30", 30), ("86400", 900), ("soon", 1), ("Wed, 21 Oct 2099 07:28:00 GMT", 900)],
)
def test_a_rate_limit_says_how_long_to_wait(
    slack: Slack, service: SlackStandIn, header: str | None, seconds: float
) -> None:
    service.fail("chat.postMessage", "status", status=429, retry_after=header)
    with pytest.raises(NotSent) as caught:
        slack.send(notification())
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == seconds


@pytest.mark.parametrize(
    ("refused", "note"),
    [
        (1, "shortened: slack refused the full message"),
        (2, "plain text: slack refused the blocks"),
        (3, "one line: slack refused everything longer"),
    ],
)
def test_refused_content_is_said_more_and_more_simply(
    slack: Slack, service: SlackStandIn, refused: int, note: str
) -> None:
    service.fail("chat.postMessage", "error", code="invalid_blocks", times=refused)
    assert slack.send(notification()).note == note
    (root,) = service.messages()
    assert "41 % below expected" in root.shown
    assert len(root.blocks) <= 10
    assert len(root.shown) <= 2_500
    assert service.unexpected == []


def test_a_plain_text_edit_takes_the_old_blocks_away(slack: Slack, service: SlackStandIn) -> None:
    receipt = slack.send(notification())
    service.fail("chat.update", "error", code="msg_blocks_too_long", times=2)
    slack.send(resolve(receipt.remote_id))
    assert service.messages()[0].blocks == ()
    assert "resolved after" in service.messages()[0].text


def test_a_thread_post_walks_down_a_ladder_of_its_own(slack: Slack, service: SlackStandIn) -> None:
    receipt = slack.send(notification())
    service.fail("chat.postMessage", "error", code="invalid_blocks", times=2)
    slack.send(update(receipt.remote_id or ""))
    assert len(service.thread(service.messages()[0].ts)) == 1


def test_names_that_look_like_mentions_mention_nobody(slack: Slack, service: SlackStandIn) -> None:
    named = incident(metric="<!channel> & *orders*", dimensions={"x": "<@U12345> <https://evil.example|click>"})
    slack.send(notification(named, subscription="<!here>"))
    (root,) = service.messages()
    assert "<!channel>" not in root.shown + root.text
    assert "<@U12345>" not in root.shown + root.text
    assert "&lt;!channel&gt; &amp; ∗orders∗" in root.shown
    assert service.unexpected == []


@pytest.mark.parametrize("owner", ["!channel", "<!here>", "C0GROWTH01", "everyone", "U1>x"])
def test_an_owner_that_is_no_user_and_no_group_is_not_mentioned(
    slack: Slack, service: SlackStandIn, owner: str
) -> None:
    slack.send(notification(owner={"team": "checkout", "slack": owner}))
    assert "<!" not in service.messages()[0].shown
    assert "<@" not in service.messages()[0].shown
    assert service.unexpected == []


def test_a_link_that_is_no_web_address_is_left_out(slack: Slack, service: SlackStandIn) -> None:
    slack.send(
        notification(runbook="javascript:alert(1)", links={"A|B>": "https://x.example/a b>c|d", "C": "file:///x"})
    )
    assert "<https://x.example/a%20b%3Ec%7Cd|A∣B&gt;>" in service.messages()[0].shown
    assert "javascript" not in service.messages()[0].shown
    assert service.unexpected == []


def test_a_possible_repeat_says_so(slack: Slack, service: SlackStandIn) -> None:
    slack.send(notification(possible_repeat=True))
    assert "(possible repeat)" in service.messages()[0].shown.splitlines()[0]


def test_a_probe_asks_whether_the_token_works(slack: Slack, service: SlackStandIn) -> None:
    slack.probe()
    service.workspace.tokens = ()
    with pytest.raises(BadCredential):
        slack.probe()


def test_without_a_token_the_message_names_the_setting() -> None:
    with pytest.raises(BadCredential, match="METRICWATCH_SLACK_TOKEN"):
        Slack(channel=CHANNEL).send(notification())


@pytest.mark.parametrize("channel", ["#growth", "growth", "U0123", "c0growth", "", "C0 X", "C"])
def test_a_channel_is_an_id(channel: str) -> None:
    with pytest.raises(ValidationError):
        Slack(channel=channel)


def test_a_token_never_travels_in_the_clear() -> None:
    with pytest.raises(ValidationError, match="loopback"):
        Slack(channel=CHANNEL, base_url="http://slack.example/api/")


def test_the_pace_is_one_message_a_second_for_each_channel(slack: Slack) -> None:
    assert slack.pace.scope == f"slack:{CHANNEL}"
    assert (slack.pace.per_second, slack.pace.burst) == (1, 3)


def test_a_limited_channel_takes_a_burst_of_three(slack: Slack, service: SlackStandIn) -> None:
    service.workspace = Workspace(per_second=0.001)
    for number in range(3):
        slack.send(notification(delivery_id=f"d-{number}"))
    with pytest.raises(NotSent) as caught:
        slack.send(notification(delivery_id="d-4"))
    assert caught.value.retry_after is not None
