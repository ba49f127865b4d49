from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from config.nodes import plain
from config.schema import json_schema
from config.starter import from_table, starter
from config.yaml_text import read
from tests.config.folders import SHOP
from tests.config.plug_ins import PLUG_INS
from tests.config.test_keys import EVERYTHING

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"


@pytest.fixture(scope="module")
def schema_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "schema.json"
    path.write_text(json.dumps(json_schema(PLUG_INS)), encoding="utf-8")
    return path


def check(schema_file: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema_file), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_example_follows_the_schema(schema_file: Path, tmp_path: Path) -> None:
    written = []
    texts = {
        "shop.yaml": SHOP,
        **starter(),
        **from_table("duckdb:///x.duckdb", "orders", [("at", "TIMESTAMP"), ("amount", "DOUBLE")]),
    }
    for name, text in texts.items():
        written.append(tmp_path / name)
        written[-1].write_text(text, encoding="utf-8")
    done = check(schema_file, *EXAMPLES.rglob("*.yaml"), *written)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("correct", "wrong"),
    [
        ("bucket: 1h", "bucket: 7 hours"),
        ("bucket: 1h", "bucket: 1h\n    delay: 15:00"),
        ("bucket: 1h", "bucket: 1h\n    buckets: 1h"),
        ("seasonal: {}", "seasnal: {}"),
        ("seasonal: {}", "seasonal: {bound: 4}"),
        ("seasonal: {}", "drift: {budget: often}"),
        ("notify:", "require: most\n    notify:"),
        ("{channel: C0DATAOPS1}", "{channel: C1, token: xoxb}"),
        ("{slack: {channel: C0DATAOPS1}}", "{pagerduty: {routing_key: literal}}"),
        ("notify:", "calendars: us\n    notify:"),
        ("version: 1", "calendars: {us: {effect: silence}}"),
        ("version: 1", "calendars: {us: {days: {Sale: 27.11.2026}}}"),
        ("version: 1", "calendars: {us: {recurring: [{day: 32}]}}"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(
    schema_file: Path, tmp_path: Path, correct: str, wrong: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(SHOP.replace(correct, wrong, 1), encoding="utf-8")
    assert check(schema_file, path).returncode == 1


def test_every_key_has_a_description() -> None:
    definitions: Mapping[str, Mapping[str, Mapping[str, Mapping[str, object]]]]
    definitions = json.loads(json.dumps(json_schema(PLUG_INS)["$defs"]))
    silent = [
        f"{name}.{key}"
        for name, definition in definitions.items()
        for key, schema in definition.get("properties", {}).items()
        if "_entry" not in name and "description" not in schema
    ]
    assert silent == ["Slack.base_url"]  # a stand-in of these tests, without one


def test_our_reading_of_yaml_agrees_with_the_parser_library() -> None:
    for text in (SHOP, EVERYTHING, *(path.read_text(encoding="utf-8") for path in EXAMPLES.rglob("*.yaml"))):
        root = read(text, "a.yaml").root
        assert root is not None
        theirs = YAML(typ="safe", pure=True).load(text)
        assert json.loads(json.dumps(plain(root))) == json.loads(json.dumps(theirs, default=str))
