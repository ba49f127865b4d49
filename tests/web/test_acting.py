"""What people do on the pages of incidents and groups: each action by its form, without any script."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.core.incidents import Incident
from tests.app.world import NOW
from tests.web.forms import said, send, sentence, wrong


def named(app: App, country: str | None = "FR", *, kind: str = "metric") -> Incident:
    """The open incident of a country (None: of the total), or of a query's health."""
    labels = {"country": country} if country and kind == "metric" else {}
    (found,) = [one for one in app.store.incidents(open_only=True) if (dict(one.labels), one.kind) == (labels, kind)]
    return found


def page_of(app: App, country: str | None = "FR") -> str:
    return f"/incidents/{named(app, country).id}"


def test_acknowledging_says_so_once_and_leaves_a_row_in_the_audit_log(browser: TestClient, own: App) -> None:
    page = page_of(own)
    assert sentence(browser, send(browser, page, f"{page}/acknowledge")) == "Acknowledged by local."
    after = browser.get(page).text
    assert said(after) == ""
    assert "acknowledged by local (dashboard)" in after
    assert f"{page}/acknowledge" not in after, "there is nothing left to acknowledge"
    (row,) = own.store.actions.all()
    assert (row.kind, row.by, row.via, row.at) == ("acknowledge", "local", "dashboard", NOW)


def test_a_second_acknowledgement_says_who_was_first(browser: TestClient, own: App) -> None:
    page = page_of(own)
    before = browser.get(page)
    assert before.status_code == 200
    own.actions.acknowledge(named(own).id, by="ann", via="slack", now=NOW)
    token = {"form_token": browser.cookies["metricwatch_form"]}
    assert sentence(browser, browser.post(f"{page}/acknowledge", data=token)) == "Acknowledged by ann already."


@pytest.mark.parametrize(
    ("length", "typed", "lasts"),
    [("1h", "", timedelta(hours=1)), ("1d", "", timedelta(days=1)), ("1h", "90m", timedelta(minutes=90))],
)
def test_a_silence_lasts_as_long_as_was_said(
    browser: TestClient, own: App, length: str, typed: str, lasts: timedelta
) -> None:
    page = page_of(own)
    answer = send(browser, page, f"{page}/silence", length=length, own=typed, comment="deploy")
    assert sentence(browser, answer).endswith("by local · 1 open incident.")
    (one,) = own.store.silences.all()
    assert one.ends == NOW + lasts
    assert dict(one.matchers) == {"subscription": "health", "metric": "shop.orders", "country": "FR"}
    after = browser.get(page).text
    assert f"silenced until {one.ends:%a %Y-%m-%d %H:%M} UTC by local: deploy" in after
    assert f'href="/silences#{one.id}"' in after


def test_the_form_says_what_a_silence_would_keep_quiet(browser: TestClient, own: App) -> None:
    page = browser.get(page_of(own)).text
    assert "<code>country=FR</code>" in page
    assert "1 open now" in page


@pytest.mark.parametrize(
    ("action", "fields", "reason"),
    [
        ("silence", {"length": "1h", "comment": " "}, "needs a comment"),
        ("silence", {"length": "", "comment": "deploy"}, "how long?"),
        ("silence", {"own": "banana", "comment": "deploy"}, "'banana' is not a duration"),
        ("silence", {"own": "31d", "comment": "deploy"}, "at most 30 d"),
        ("silence", {"own": "0s", "comment": "deploy"}, "longer than nothing"),
        ("label", {"kind": "boring", "comment": "deploy"}, "choose one of the three"),
        ("label", {"comment": "deploy"}, "choose one of the three"),
        ("resolve", {"comment": ""}, "needs a comment"),
    ],
)
def test_what_is_wrong_is_said_at_the_form_and_what_was_written_is_kept(
    browser: TestClient, own: App, action: str, fields: dict[str, str], reason: str
) -> None:
    page = page_of(own)
    answer = send(browser, page, f"{page}/{action}", **fields)
    assert answer.status_code == 422
    assert reason in wrong(answer.text)
    form = answer.text[answer.text.index(f'action="{page}/{action}"') :].partition("</form>")[0]
    assert all(f'value="{value.strip()}"' in form for name, value in fields.items() if name != "kind")
    assert own.store.actions.all() == ()


@pytest.mark.parametrize("kind", ["expected", "not_an_anomaly", "new_normal"])
def test_a_label_ends_the_incident_and_stands_on_its_page(browser: TestClient, own: App, kind: str) -> None:
    page = page_of(own)
    text = kind.replace("_", " ")
    assert (
        sentence(browser, send(browser, page, f"{page}/label", kind=kind, comment="marathon"))
        == f"Labelled {text} by local."
    )
    after = browser.get(page).text
    assert f"labelled {text} by local (dashboard): marathon" in after
    assert f"{page}/resolve" not in after, "it has ended"
    assert f"{page}/label" in after, "another label is possible"


def test_resolving_ends_it_with_the_reason(browser: TestClient, own: App) -> None:
    page = page_of(own)
    assert sentence(browser, send(browser, page, f"{page}/resolve", comment="a bot")) == "Resolved by local."
    assert own.store.incident(page.rpartition("/")[2]).cause == "resolved by local: a bot"  # type: ignore[union-attr]  # it is there


def test_the_health_of_a_query_can_be_acknowledged_and_silenced_only(browser: TestClient, own: App) -> None:
    page = f"/incidents/{named(own, None, kind='failing').id}"
    text = browser.get(page).text
    offered = [action for action in ("acknowledge", "silence", "label", "resolve") if f"{page}/{action}" in text]
    assert offered == ["acknowledge", "silence"]
    token = {"form_token": browser.cookies["metricwatch_form"]}
    refused = browser.post(f"{page}/label", data={**token, "kind": "expected"})
    assert refused.status_code == 422
    assert sentence(browser, send(browser, page, f"{page}/acknowledge")) == "Acknowledged by local."


def test_a_group_has_a_page_and_what_is_done_there_is_done_to_all_of_it(browser: TestClient, own: App) -> None:
    (group,) = [one for one in own.store.groups_of(named(own).id) if one.receiver == "screen"]
    page = f"/incidents/{group.id}"
    text = browser.get(page).text
    assert "health: 3 of 3 open" in text
    assert f'href="{page_of(own)}"' in text
    assert f'href="{page}"' in browser.get(page_of(own)).text
    done = send(browser, page, f"{page}/acknowledge")
    assert sentence(browser, done) == "Acknowledged by local · 3 open incidents."
    assert f"{page}/acknowledge" not in browser.get(page).text
    silenced = send(browser, page, f"{page}/silence", length="4h", comment="deploy")
    assert sentence(browser, silenced).endswith("· 3 open incidents.")
    wrongly = send(browser, page, f"{page}/resolve", comment="")
    assert (wrongly.status_code, "needs a comment" in wrong(wrongly.text)) == (422, True)


@pytest.mark.parametrize("action", ["acknowledge", "silence", "label", "resolve"])
def test_an_action_on_nothing_is_not_found(browser: TestClient, own: App, action: str) -> None:
    browser.get(page_of(own))
    fields = {"form_token": browser.cookies["metricwatch_form"], "length": "1h", "comment": "x", "kind": "expected"}
    answer = browser.post(f"/incidents/20990101/{action}", data=fields)
    assert answer.status_code == 404
    assert "there is no incident" in answer.text


@pytest.mark.parametrize(
    ("asked", "leads"), [("/?team=shop", "/?team=shop"), ("//evil.example", "/"), ("https://evil.example", "/")]
)
def test_an_action_leads_back_to_where_the_person_was_and_nowhere_else(
    browser: TestClient, own: App, asked: str, leads: str
) -> None:
    page = page_of(own)
    assert send(browser, page, f"{page}/acknowledge", back=asked).headers["location"] == leads


def test_nobody_can_make_a_page_say_something_by_a_link(browser: TestClient, own: App) -> None:
    assert said(browser.get(f"{page_of(own)}?said=Everything+is+fine").text) == ""


def test_what_is_said_is_text_whatever_the_cookie_holds(browser: TestClient, own: App) -> None:
    browser.cookies.set("metricwatch_said", "%3Cscript%3Ealert(1)%3C/script%3E")
    page = browser.get(page_of(own)).text
    assert said(page) == "<script>alert(1)</script>"
    assert "<script>alert" not in page
