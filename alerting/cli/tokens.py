"""The command ``token``: makes a token for the API and the pages."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from alerting.cli.session import JsonOption, fail


def token(
    name: Annotated[str, typer.Argument(help="who will use it: stands in the audit log of what they do")],
    scope: Annotated[str, typer.Argument(help="read, operate (acknowledge, silence, label, resolve) or admin")],
    as_json: JsonOption = False,
) -> None:
    """Makes a token and prints it once, with the line to put into the file METRICWATCH_TOKENS_FILE."""
    from alerting.web.tokens import make

    try:
        secret, made = make(name, scope)
    except ValueError as exc:
        fail(str(exc), 2)
    if as_json:
        typer.echo(json.dumps({"token": secret, "line": made.line()}))
        return
    typer.echo(f"token, shown this once: {secret}")
    typer.echo(f"line for the file that METRICWATCH_TOKENS_FILE names: {made.line()}")
