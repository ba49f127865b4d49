"""Files that are broken in every way we could think of: a line that tells it, never a traceback, never a hang."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from config.assembly import Assembler
from config.loader import load
from tests.config.folders import SHOP, write
from tests.config.plug_ins import PLUG_INS
from tests.config.test_keys import EVERYTHING
from tests.figures import Figure

LINE = re.compile(r"a\.yaml(:\d+:\d+)?: .+")
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MALFORMED = [
    BOMB,
    "a: !!python/object/apply:os.system ['true']\n",
    "a: !!python/name:os.system\n",
    "!!python/object/new:type {}\n",
    "sources: !!set {a, b}\n",
    "<<: *x\n",
    "sources: {shop: {url: NO}}\n",
    "sources: {shop: {url: 'sqlite:///x', timeout: 22:30}}\n",
    "sources: {shop: {url: 'sqlite:///x', concurrency: 012x}}\n",
    "version: 012\n",
    "NO: NO\n",
    "22:30: 1\n",
    "sources: {shop: {url: 'sqlite:///x', url: 'sqlite:///y'}}\n",
    "sources:\n  a: {url: 'sqlite:///x'}\n  a: {url: 'sqlite:///y'}\n",
    "\ufeff\ufeffversion: 1\n",
    "version: 1\n...\nversion: 1\n",
    "x" * 100_000,
    "? " * 3000,
    "- " * 3000,
    "[" * 3000,
    "{a: " * 3000,
    "a: " * 3000,
    "a: '" + "'" * 3001,
    "a: |\n" + " " * 50 + "x\n y\n",
    "a: \"" + "\\" * 99 + "\n",
    "%TAG ! tag:x,2000:\n---\na: !b c\n",
    "version: 1" + "0" * 10_000,
    "version: 1e" + "9" * 400,
    "metrics: {a: {value: 1}}\n",
    "metrics: {? : {}}\n",
    "metrics: {'': {}}\n",
    "metrics: {" + "m" * 500 + ": {}}\n",
    "subscriptions: {s: {detect: [[[]]], metrics: [{}], notify: {warning: [[]]}}}\n",
    "defaults: {detect: {}, notify: [], on_error: {notify: x}}\n",
    "templates: {a: [], b: 5, c: {template: c}}\n",
    "receivers: {a: {slack: [], console: {}}, b: [], c: {fallback: x}, d: 7}\n",
    "receivers: {a: {webhook: {url: {}, secret: []}}, b: {pagerduty: {routing_key: 5}}}\n",
    "queries: {q: {sql: [], bucket: [], source: {}, late: 5, restate: [], on_error: x, history: {}}}\n",
]  # fmt: skip


def mutations(text: str, count: int, seed: int) -> list[str]:
    """Truncated, doubled, deleted, swapped and sprinkled with what YAML and Python trip over; always the same ones."""
    dice = random.Random(seed)
    sprinkles = [*"{}[]:,&*!|>'\"%@`#?-~\t\x00\x07\ud800\u2028", "\n", "<<: ", "!!python/name:os ", "&a ", "*a ", "012", "NO", ".inf"]  # fmt: skip  # noqa: E501
    made = []
    for _ in range(count):
        start, end = sorted(dice.randrange(len(text)) for _ in range(2))
        made.append(
            dice.choice(
                [
                    text[:start],
                    text[:start] + dice.choice(sprinkles) + text[start:],
                    text[:start] + text[min(end, start + 40) :],
                    text[:start] + text[start : start + 60] * 2 + text[start + 60 :],
                    text.replace(dice.choice(text.split()), dice.choice(sprinkles)),
                    "\n".join(dice.sample(lines := text.splitlines(), len(lines))),
                ]
            )
        )
    return made


def test_hundreds_of_malformed_files_are_told_without_a_traceback(figure: Figure) -> None:
    files = [*MALFORMED, *mutations(SHOP, 260, seed=1), *mutations(EVERYTHING, 260, seed=2)]
    assert len(files) >= 500
    faulty = 0
    for text in files:
        found = Assembler({}, PLUG_INS).assemble({"a.yaml": text})
        faulty += bool(found.faulty_paths)
        assert all(LINE.fullmatch(str(problem)) for problem in found.problems), text
        assert all("Traceback" not in str(problem) for problem in found.problems)
    figure("T20", f"{len(files)} malformed files: {faulty} refused, each with its line, 0 tracebacks")
    assert faulty >= 450  # a few mutations only touch a comment or a name


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: repr(text[:30]))
def test_a_malformed_file_is_an_error(text: str) -> None:
    assert Assembler({}, PLUG_INS).assemble({"a.yaml": text}).faulty_paths == {"a.yaml"}


def test_a_malformed_file_keeps_the_old_configuration(tmp_path: Path) -> None:
    good = {"a.yaml": SHOP}
    for number, text in enumerate([*MALFORMED, *mutations(SHOP, 40, seed=3)]):
        if "\ud800" in text:
            continue  # no file can hold half a character
        found = load(write(tmp_path / str(number), {"a.yaml": text}), last_good=good, environment={}, plug_ins=PLUG_INS)
        if found.errors:
            assert list(found.config.subscriptions) == ["health"]
            assert found.texts == good
