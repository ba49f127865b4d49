"""The Dockerfile and compose.yaml agree with the program that they start."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from alerting.cli import COMMANDS
from config.loader import load
from config.settings import Settings, unknown_variables
from config.urls import normalised
from tests.container.dockerfile import ROOT, build_script, environment, health_command, stages

BUILD, FINAL = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))
COMPOSE = YAML(typ="safe").load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
URLS = {"SHOP_URL": "postgresql://shop_reader@db/shop"}


def texts(instruction: str) -> list[str]:
    return [step.text for step in FINAL if step.instruction == instruction]


def test_every_setting_of_the_image_exists_and_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {name: value for name, value in environment(FINAL).items() if name.startswith("METRICWATCH_")}
    assert variables
    assert unknown_variables(variables) == ()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert str(settings.config) == "/etc/metricwatch"
    folder = texts("WORKDIR")[0]
    assert settings.state_url.get_secret_value() == f"sqlite:///{folder}/metricwatch.db"
    assert f'["{folder}"]' in texts("VOLUME")


def test_the_image_starts_a_command_that_exists_as_a_user_without_rights() -> None:
    assert texts("ENTRYPOINT") == ['["metricwatch"]']
    assert texts("CMD") == ['["run"]']
    assert "run" in {command.name for command in COMMANDS if command.address}
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", texts("USER")[0])


def test_the_health_check_asks_the_port_that_is_listened_to() -> None:
    port = Settings.model_fields["listen"].default.rpartition(":")[2]
    assert f"http://127.0.0.1:{port}/healthz" in health_command(FINAL)[-1]
    assert str(SERVICES["metricwatch"]["environment"]["METRICWATCH_LISTEN"]).endswith(f":{port}")


def test_what_is_copied_from_the_build_is_what_the_build_makes() -> None:
    (copied,) = texts("COPY")
    source = copied.split()[1]
    assert f"python -m venv {source}" in build_script(BUILD, {})
    assert environment(FINAL)["PATH"].startswith(f"{source}/bin:")


def test_the_build_takes_locked_requirements_with_hashes_only() -> None:
    script = build_script(BUILD, {})
    assert "uv export --quiet --frozen" in script
    assert "--require-hashes" in script
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "postgres" in project["optional-dependencies"]
    assert "--all-extras" in script


def test_the_context_has_what_the_wheel_needs_and_no_secret() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv", ".env*"} <= set(ignored)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert not set(ignored) & {*packages, "README.md", "LICENSE", "uv.lock", "pyproject.toml"}


def test_compose_follows_its_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("service", ["metricwatch", "loader"])
def test_a_service_of_compose_has_no_rights_that_it_does_not_need(service: str) -> None:
    found = SERVICES[service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]


def test_compose_publishes_pages_on_loopback_and_the_database_not_at_all() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8050:8050"]


def test_every_file_that_compose_mounts_exists() -> None:
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    places = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    assert len(places) == 3
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_compose_sets_what_the_program_and_its_files_read() -> None:
    variables = SERVICES["metricwatch"]["environment"]
    assert unknown_variables(variables) == ()
    assert set(variables) >= set(URLS)
    for name in ("METRICWATCH_STATE_URL", "SHOP_URL"):
        url = urlsplit(normalised(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", variables[name])))
        assert (url.scheme, url.hostname) == ("postgresql+psycopg", "state-and-warehouse")


def test_the_files_of_the_sample_have_no_mistake() -> None:
    found = load(ROOT / "compose" / "metrics", environment=URLS)
    assert [str(problem) for problem in found.problems] == []
    assert found.config.subscriptions


def test_passwords_of_compose_are_the_names_that_the_start_script_reads() -> None:
    script = (ROOT / "compose" / "logins.sql").read_text(encoding="utf-8")
    assert set(re.findall(r"\\getenv \w+ (\w+)", script)) == {
        name for name in SERVICES["state-and-warehouse"]["environment"] if not name.startswith("POSTGRES_")
    }
