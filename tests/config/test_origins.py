from __future__ import annotations

import pytest

from config.origins import Origin, origin

BLOCK = """\
version: 1
sources:
  shop: {url: "postgresql://app:hunter2@db/shop"}
# what we watch
subscriptions:
  first:
    metrics: [a]   # all of it
    detect:
      - seasonal: {}

  # about the second one
  "second one": {metrics: [b], detect: [seasonal: {}]}
receivers:
  screen: {console: {}}
"""
FLOW = '{subscriptions: {a: {metrics: [x], owner: {team: t}}, b: {metrics: [y]}}, sources: {s: {url: "x:hunter2@"}}}'


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (BLOCK, "first", Origin("w.yaml", 6, "first:\n  metrics: [a]   # all of it\n  detect:\n    - seasonal: {}")),
        (BLOCK, "second one", Origin("w.yaml", 12, '"second one": {metrics: [b], detect: [seasonal: {}]}')),
        (FLOW, "a", Origin("w.yaml", 1, "a: {metrics: [x], owner: {team: t}}")),
        (FLOW, "b", Origin("w.yaml", 1, "b: {metrics: [y]}")),
        (
            BLOCK.replace("\n", "\r\n"),
            "second one",
            Origin("w.yaml", 12, '"second one": {metrics: [b], detect: [seasonal: {}]}'),
        ),
    ],
)
def test_an_entry_is_shown_as_it_was_written_and_nothing_around_it(text: str, name: str, expected: Origin) -> None:
    assert origin({"q.sql": "SELECT 1", "w.yaml": text}, "subscriptions", name) == expected


@pytest.mark.parametrize(("section", "name"), [("subscriptions", "third"), ("metrics", "a")])
def test_what_no_file_has_has_no_origin(section: str, name: str) -> None:
    assert origin({"w.yaml": BLOCK, "broken.yaml": "a: ["}, section, name) is None
