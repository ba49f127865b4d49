"""The Dockerfile as data, so that its own steps can be checked and run without a container engine."""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Step:
    """One instruction: ``RUN``, ``COPY`` … and its text on one line."""

    instruction: str
    text: str


def stages(text: str) -> list[list[Step]]:
    """The instructions of each stage; a stage begins with its FROM.

    >>> stages("FROM a AS b\\nRUN x \\\\\\n && y\\nFROM c\\nCMD [\\"run\\"]")[0][1]
    Step(instruction='RUN', text='x && y')
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[list[Step]] = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction == "FROM":
            found.append([])
        found[-1].append(Step(instruction, rest.strip()))
    return found


def environment(stage: list[Step]) -> dict[str, str]:
    """The variables that the ENV lines of a stage set."""
    words = [word for step in stage if step.instruction == "ENV" for word in shlex.split(step.text)]
    return dict(word.split("=", 1) for word in words)


def health_command(stage: list[Step]) -> list[str]:
    """The command of HEALTHCHECK. Raises StopIteration when there is none."""
    text = next(step.text for step in stage if step.instruction == "HEALTHCHECK")
    command: list[str] = json.loads(text.partition("CMD ")[2])
    return command


def build_script(stage: list[Step], places: dict[str, str]) -> str:
    """The RUN steps of a stage as one shell script, with absolute paths moved to ``places``."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment(stage).items()]
    runs = [step.text for step in stage if step.instruction == "RUN"]
    script = "\n".join(["set -eux", *exports, *runs])
    for path, place in places.items():
        script = re.sub(rf"(?<![\w./-]){re.escape(path)}(?=[\s/]|$)", place, script, flags=re.MULTILINE)
    return script + "\n"


def main(question: str, *places: str) -> None:
    """``build /src=DIR …``, ``environment``, ``health`` or ``start``: what prove.sh asks, as shell text."""
    build, final = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    answers = {
        "build": lambda: build_script(build, dict(place.split("=", 1) for place in places)),
        "environment": lambda: "".join(
            f"export {name}={shlex.quote(value)}\n" for name, value in environment(final).items() if name != "PATH"
        ),
        "health": lambda: shlex.join(health_command(final)),
        "start": lambda: shlex.join(
            word
            for wanted in ("ENTRYPOINT", "CMD")
            for step in final
            if step.instruction == wanted
            for word in json.loads(step.text)
        ),
    }
    print(answers[question](), end="")  # noqa: T201  # a command


if __name__ == "__main__":
    main(*sys.argv[1:])
