"""The README's way from an empty folder to a first metric, walked: the same commands over a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.canaries import PASSWORD
from tests.docs.test_readme import README
from tests.servers import Server

ORDERS = """
CREATE TABLE public.orders AS
SELECT hour + n * interval '1 minute' AS created_at, 'DE' AS country, 10.5::numeric(10, 2) AS amount_usd
FROM generate_series(now() - interval '5 weeks', now(), interval '1 hour') AS hour,
LATERAL generate_series(1, 10 + extract(hour FROM hour)::int) AS n
"""


def test_five_commands_lead_from_an_empty_folder_to_a_first_metric(postgres: Server, tmp_path: Path) -> None:
    database = postgres.database().partition("?")[0].rpartition("/")[2]
    reader = f"reader_of_{database}"
    postgres.run(ORDERS, f"CREATE ROLE {reader} LOGIN", f"GRANT SELECT ON orders TO {reader}", database=database)
    section = README.partition("## From an empty folder to your first metric")[2]
    install, *commands = section.partition("```bash\n")[2].partition("```")[0].strip().splitlines()
    assert install.startswith("pip install")
    assert len(commands) == 4
    shop_url = postgres.url(database, reader).replace(f":{PASSWORD}@", "@")
    printed = [walked(command, tmp_path, shop_url) for command in commands]
    assert "wrote metrics/orders.yaml" in printed[0]
    assert printed[1].startswith("ok: 1 sources, 1 queries, 2 metrics")
    assert "1 queries evaluated, 0 failed" in printed[2]
    assert printed[3].startswith("orders.row_count")
    assert "usual range" in printed[3]


def walked(command: str, folder: Path, shop_url: str) -> str:
    """What a command prints when it is run in the folder as written."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("METRICWATCH_")}
    scripts = str(Path(sys.executable).parent)
    ran = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**environment, "SHOP_URL": shop_url, "PATH": os.pathsep.join([scripts, environment["PATH"]])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout
