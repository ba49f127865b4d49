"""``python -m tests.delivery --kills 200``: see ``kill``."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from alerting.store import open_store
from tests.delivery import kill


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.delivery", description=kill.__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--url", help="an empty state database; default: a new SQLite file")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.url or f"sqlite:///{folder}/state.db"
        open_store(url).close()
        found = kill.run(url, Path(folder), kills=chosen.kills, seed=chosen.seed)
    sys.stdout.write(json.dumps({"seed": chosen.seed, **asdict(found)}) + "\n")
    return 0 if found.is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
