"""axe-core, the accessibility engine: the package as npm has it, checked by its digest, and what it finds on a page."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.artefacts import ARTEFACTS

VERSION = "4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
GRAVE = ("serious", "critical")


class NotAvailable(Exception):
    """The package cannot be had here; the message says what is missing."""


def source() -> str:
    """The engine's script, from the copy of an earlier run where there is one. Raises NotAvailable."""
    package = ARTEFACTS / f"axe-core-{VERSION}.tgz"
    if not package.exists():
        _fetch(package)
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != SHA512:
        raise ValueError(f"{package} is not axe-core {VERSION}: its sha512 is {found}")
    with tarfile.open(package) as files:
        script = files.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode("utf-8")


def violations(page: Page) -> list[str]:
    """Rule, severity and place of what is seriously wrong. The page's context has the engine as an init script."""
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['target'][0] for node in one['nodes']][:5]}"
        for one in found["violations"]
        if one["impact"] in GRAVE
    ]


def _fetch(package: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotAvailable("npm")
    package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.parent) as folder:
        asked = [npm, "pack", "--silent", f"axe-core@{VERSION}"]
        done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise NotAvailable(f"axe-core (npm says: {done.stderr.strip()[-300:]})")
        # In one step, because other test processes look for it too.
        (Path(folder) / package.name).replace(package)
