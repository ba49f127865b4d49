from __future__ import annotations

import pytest

from config.nodes import nearest, plain
from config.yaml_text import read


def content(text: str) -> object:
    reading = read(text, "a.yaml")
    assert reading.root is not None
    assert reading.problems == ()
    return plain(reading.root)


def mistakes(text: str) -> list[str]:
    return [str(problem) for problem in read(text, "a.yaml").problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("22:30", "22:30"),
        ("2026-01-14", "2026-01-14"),
        ("2026-01-14T15:00:00Z", "2026-01-14T15:00:00Z"),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("-7", -7),
        ("1.5e3", 1500.0),
        ("true", True),
        ("~", None),
        ("", None),
        ("'8'", "8"),
        ('"true"', "true"),
        ("8%", "8%"),
        ("|\n    SELECT 1\n    FROM a\n", "SELECT 1\nFROM a\n"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
    ],
)
def test_plain_words_mean_what_yaml_1_2_says(written: str, value: object) -> None:
    assert content(f"key: {written}") == {"key": value}


def test_a_file_of_comments_is_an_empty_mapping() -> None:
    assert content("# nothing yet\n") == {}
    assert content("") == {}


def test_every_key_and_value_has_its_place() -> None:
    root = read("a:\n  - b: 1\n    c:  [x, y]\n", "a.yaml").root
    assert root is not None
    node, missing = nearest(root, ("a", 0, "union-member", "c", 1))
    assert (node.content, missing) == ("y", ())
    assert (node.place.line, node.place.column, node.path) == (3, 13, "a[0].c[1]")
    inner = root.entries["a"].items[0].entries["c"]
    assert inner.key_place is not None
    assert (inner.key_place.line, inner.key_place.column) == (3, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: a: stands here twice; first in line 1"),
        ("a: &x 1\n", "a.yaml:1:4: a: anchors and aliases (& and *) are not allowed; use templates"),
        ("<<: {a: 1}\n", "a.yaml:1:1: merge keys (<<) are not allowed; use templates"),
        ("a: !!python/name:os.system x\n", "a.yaml:1:4: a: tags such as tag:yaml.org,2002:python/name:os.system"),
        ("a: !env X\n", "a.yaml:1:4: a: tags such as !env are not allowed"),
        ("a: .inf\n", "a.yaml:1:4: a: .inf is not a number one can use here"),
        ("a: 1e999\n", "a.yaml:1:4: a: 1e999 is too large a number"),
        (": 1\n", "a.yaml:1:1: a key is missing before ':'"),
        ("? [a, b]\n: 1\n", "a.yaml:1:3: a key is a single word or text"),
        ("- a\n", "a.yaml:1:1: a file is a mapping of keys"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2:1: a second document begins here"),
        ("%YAML 1.1\n---\na: NO\n", "a.yaml:2:1: %YAML and %TAG lines are not allowed"),
        ("a: [1, 2\n", "a.yaml:2:1: is not YAML: expected ',' or ']'"),
        ("a: b: c\n", "a.yaml:1:5: is not YAML: mapping values are not allowed here"),
        ("a:\n\tb: 1\n", "a.yaml:2:1: is not YAML: found character '\\t'"),
        ("a: 'open\n", "a.yaml:2:1: is not YAML: found unexpected end of stream"),
        ("a: \x00\n", "a.yaml:1:4: is not YAML: "),
        ('a: "\\UFFFFFFFF"\n', "a.yaml:1:1: is not YAML: "),
        ("a: " + "[" * 40 + "]" * 40, "a.yaml:1:33: a: is nested deeper than 30 levels"),
    ],
)
def test_what_could_surprise_is_refused_with_its_place(text: str, expected: str) -> None:
    found = mistakes(text)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_mistakes_of_form_do_not_hide_each_other() -> None:
    assert len(mistakes("a: &x 1\nb: *x\nc: !t 2\nc: 3\n")) == 4


def test_an_alias_bomb_stays_small() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    reading = read("\n".join(lines), "bomb.yaml")
    assert reading.root is not None
    assert len(str(plain(reading.root))) < 2000
    assert len(reading.problems) == 81  # nine anchors and 8 × 9 aliases


def test_a_file_beyond_the_limit_is_refused_unread() -> None:
    assert mistakes("# " + "x" * 5_000_000) == ["a.yaml: is larger than 5 MB; split it"]
