from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.requests import Request

from alerting.telemetry import redact
from alerting.web.door import LASTS, MOST_FAILURES, Door
from alerting.web.tokens import BadTokens, Tokens, make, parse
from tests.app.world import NOW

HASH = "ab" * 32


def request(cookie: str = "", authorization: str = "") -> Request:
    headers = [(b"cookie", f"metricwatch_session={cookie}".encode()), (b"authorization", authorization.encode())]
    return Request({"type": "http", "path": "/", "headers": headers, "client": ("10.0.0.1", 5)})


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("ann read", "write: name scope sha256"),
        (f"ann write {HASH}", "'write' is no scope: write read, operate, admin"),
        (f"ann read {HASH[:-1]}", "the third word is no SHA-256"),
        (f"ann read {HASH.upper()}", "64 lower-case"),
        (f"a/b read {HASH}", "'a/b' is no name"),
        (f"ann read {HASH} more", "write: name scope sha256"),
        (f"bob admin {HASH}", "the name 'bob' stands twice"),
    ],
)
def test_a_bad_line_is_named_with_file_and_line(line: str, problem: str) -> None:
    known, problems = parse(f"# people\nbob read {HASH}  # the one\n\n{line}\n", Path("/etc/tokens"))
    assert [token.name for token in known] == ["bob"]
    assert problems[0].startswith("/etc/tokens:4: ")
    assert problem in problems[0]


def test_a_program_does_not_start_on_a_bad_or_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadTokens, match=r"tokens: cannot be read: No such file.*METRICWATCH_TOKENS_FILE"):
        Tokens(tmp_path / "tokens")
    (tmp_path / "tokens").write_text("nonsense\n")
    with pytest.raises(BadTokens, match=r"tokens:1: write: name scope sha256"):
        Tokens(tmp_path / "tokens")


def test_a_changed_file_counts_from_the_next_request_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tokens"
    first, token = make("ann", "read")
    path.write_text(token.line() + "\n")
    known = Tokens(path)
    assert known.holder(first) == token
    second, other = make("bob", "admin")
    with caplog.at_level(logging.ERROR):
        path.write_text(f"{other.line()}\nnonsense\n")
        assert (known.holder(first), known.holder(second)) == (None, other)
    path.unlink()
    assert known.holder(second) is None


def test_a_made_token_is_told_by_its_hash_alone_and_never_logged() -> None:
    secret, token = make("ann", "operate")
    assert secret not in token.line()
    assert make("ann", "operate")[0] != secret
    assert redact(f"GET /?token={secret}") == "GET /?token=***"


def test_a_proof_ends_after_two_weeks_and_with_the_process(tmp_path: Path) -> None:
    path, (secret, token) = tmp_path / "tokens", make("ann", "read")
    path.write_text(token.line())
    now = [NOW]
    door = Door(Tokens(path), is_exposed=False, clock=lambda: now[0])
    found = door.sign_in(secret)
    assert found is not None
    assert door.actor(request(cookie=found[1])) == found[0]
    assert Door(Tokens(path), is_exposed=False, clock=lambda: NOW).actor(request(cookie=found[1])) is None
    now[0] = NOW + LASTS + timedelta(seconds=1)
    assert door.actor(request(cookie=found[1])) is None


def test_wrong_tokens_wait_and_too_many_at_once_are_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(make("ann", "read")[1].line())
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    door = Door(Tokens(path), is_exposed=False, clock=lambda: NOW, pause=pause)

    async def guess() -> tuple[bool, bool]:
        tasks = [asyncio.create_task(door.refuse(request())) for _ in range(MOST_FAILURES)]
        await asyncio.sleep(0)
        during = door.is_guessing(request())
        await asyncio.gather(*tasks)
        return during, door.is_guessing(request())

    assert asyncio.run(guess()) == (True, False)
    assert waited == [1.0] * MOST_FAILURES


def test_the_file_is_asked_for_each_time_so_a_copy_over_it_counts(tmp_path: Path) -> None:
    path, (secret, token) = tmp_path / "tokens", make("ann", "read")
    path.write_text("")
    known = Tokens(path)
    (tmp_path / "new").write_text(token.line())
    (tmp_path / "new").replace(path)
    assert known.holder(secret) == token
