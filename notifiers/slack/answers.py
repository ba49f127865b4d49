"""One call of Slack's Web API, and what its answer means for the delivery (the whole table is here).

Sources: https://docs.slack.dev/reference/methods/chat.postMessage (errors), …/chat.update, …/conversations.replies.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from typing import Literal
from urllib.error import URLError
from urllib.request import Request, urlopen

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from notifiers.errors import Ambiguous, BadContent, BadCredential, BadDestination, DeliveryError, NotSent
from notifiers.retry_after import retry_after


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


CREDENTIAL = _codes("""
    access_denied account_inactive ekm_access_denied enterprise_is_restricted invalid_auth missing_scope no_permission
    not_allowed_token_type not_authed org_login_required team_access_not_granted token_expired token_revoked
    two_factor_setup_required
""")
DESTINATION = _codes("""
    as_user_not_supported cannot_reply_to_message channel_is_limited_access channel_not_found is_archived
    messages_tab_disabled not_in_channel restricted_action restricted_action_non_threadable_channel
    restricted_action_read_only_channel restricted_action_thread_locked restricted_action_thread_only_channel
    slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked team_not_found thread_not_found
""")
CONTENT = _codes("""
    attachment_payload_limit_exceeded invalid_arg_name invalid_arguments invalid_array_arg invalid_attachments
    invalid_blocks invalid_blocks_format invalid_charset invalid_form_data invalid_json invalid_metadata_format
    invalid_metadata_schema invalid_post_type json_not_object markdown_text_conflict message_limit_exceeded
    metadata_must_be_sent_from_app metadata_too_large missing_post_type msg_blocks_too_long msg_too_long no_text
    too_many_attachments too_many_contact_cards
""")
NOT_EDITABLE = _codes("message_not_found cant_update_message edit_window_closed")
LIMITED = _codes("ratelimited rate_limited accesslimited")
# These and every code that stands in no table.
AMBIGUOUS = _codes("fatal_error internal_error request_timeout service_unavailable team_added_to_org unknown_error")


class ContentRefused(BadContent):
    """This form of the message was refused and nothing was posted; ``details`` is what Slack says of it."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


class NotEditable(BadDestination):
    """The root is gone, or too old or not ours to edit."""


def call(
    client: WebClient, method: str, arguments: Mapping[str, object], encoding: Literal["json", "form"] = "json"
) -> Mapping[str, object]:
    """Slack's answer to one request, ``ok`` is True in it. Raises DeliveryError; never an error of the SDK.

    The error is raised outside the ``except``: an SDK error kept as its context would carry the token with it.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    failure: DeliveryError
    try:
        is_json = encoding == "json"
        answer = client.api_call(method, json=given if is_json else None, params=None if is_json else given)
        if isinstance(answer.data, dict):
            return {**answer.data, "_date": _header(answer.headers, "date")}
        failure = Ambiguous(f"{method} answered with something that is not JSON")
    except SlackApiError as error:
        failure = _refusal(method, error)
    except URLError as error:
        failure = _unreached(method, error)
    except (OSError, http.client.HTTPException, SlackClientError, ValueError, LookupError, AttributeError) as error:
        # Everything that can go wrong after the request was written, an answer of an unexpected shape included.
        failure = Ambiguous(f"{method} gave no usable answer: {type(error).__name__}")
    raise failure


def post(url: str, body: bytes, content_type: str, *, timeout_s: float, failing: str) -> None:
    """Posts to an address that Slack handed out. Raises Ambiguous, which says ``failing`` and the kind of error.

    Such an address is a capability: neither it nor an error that holds it goes further.
    """
    request = Request(url, data=body, method="POST", headers={"Content-Type": content_type})
    failure: Ambiguous
    try:
        with urlopen(request, timeout=timeout_s) as answer:
            answer.read(4_096)
        return
    except (URLError, OSError, http.client.HTTPException, ValueError) as error:
        failure = Ambiguous(f"{failing}: {type(error).__name__}")
    raise failure


def classify(code: str) -> type[DeliveryError]:
    """The class of an error code; one that we do not know may have followed a post, so it is looked up first."""
    table: tuple[tuple[frozenset[str], type[DeliveryError]], ...] = (
        (CREDENTIAL, BadCredential),
        (NOT_EDITABLE, NotEditable),
        (DESTINATION, BadDestination),
        (CONTENT, ContentRefused),
        (LIMITED, NotSent),
    )
    return next((kind for codes, kind in table if code in codes), Ambiguous)


def _refusal(method: str, error: SlackApiError) -> DeliveryError:
    answer = error.response
    status, headers = int(answer.status_code), answer.headers
    data = answer.data if isinstance(answer.data, dict) else {}
    code = str(data.get("error", ""))
    kind = NotSent if status == 429 else classify(code)
    if status >= 500 or (kind is Ambiguous and status in (408, 200)):
        return Ambiguous(f"{method} failed with status {status}{_named(code)}")
    if kind is NotSent:
        wait = retry_after(_header(headers, "retry-after"), _header(headers, "date"))
        return NotSent(f"{method} is rate limited for {wait.total_seconds():.0f} s", wait)
    if kind is ContentRefused:
        return ContentRefused(f"{method} refused the content{_named(code)}", _details(data))
    return kind(f"{method} failed with status {status}{_named(code)}{_needed(data)}")


def _unreached(method: str, error: URLError) -> DeliveryError:
    """urllib wraps only what happens until the request is written, so little of it can have arrived."""
    reason = error.reason
    surely = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError, TimeoutError)
    unroutable = isinstance(reason, OSError) and not isinstance(reason, (ConnectionResetError, BrokenPipeError))
    name = type(reason).__name__
    if isinstance(reason, surely) or (unroutable and not isinstance(reason, ssl.SSLError)):
        return NotSent(f"{method} could not reach slack: {name}")
    return Ambiguous(f"{method} lost the connection: {name}")


def _header(headers: Mapping[str, object], name: str) -> str | None:
    for key, value in headers.items():
        if str(key).lower() == name:
            return str(value[0]) if isinstance(value, list) and value else str(value)
    return None


def _named(code: str) -> str:
    """The code, where it is one: an answer that is not JSON comes as a whole page of text."""
    return f" ({code})" if code and len(code) < 60 and code.replace("_", "").isalnum() else ""


def _needed(data: Mapping[str, object]) -> str:
    return f": needs the scope {data['needed']}" if isinstance(data.get("needed"), str) else ""


def _details(data: Mapping[str, object]) -> str:
    metadata = data.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    return " ".join(str(part) for part in (data.get("errors"), messages) if part)
