from __future__ import annotations

import json

import numpy as np
import pytest

from tests.accuracy.labelled import (
    FOLDER,
    LABELLED_COLLECTIONS,
    PLAIN_COLLECTIONS,
    UnknownCollection,
    collection,
    parsed,
)
from tests.accuracy.made import series

ROWS = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "count"), [("nab", 29), ("mscloud", 15), ("kpi", 15), ("plain_hourly", 15), ("plain_daily", 15)]
)
def test_every_collection_has_the_series_that_its_readme_says(name: str, count: int) -> None:
    assert len([row for row in ROWS if row["collection"] == name]) == count
    assert f"| {name} | {count} |" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_everything_shipped_is_mit_or_bsd_and_its_source_is_named() -> None:
    assert {row["licence"] for row in ROWS} == {"MIT", "BSD-2/3-Clause"}
    licences = (FOLDER / "LICENSES.md").read_text(encoding="utf-8")
    assert [row["source"] for row in ROWS if row["source"] not in licences] == []
    assert all(len(row["commit"]) == 40 and row["path"] for row in ROWS)


def test_the_folder_is_small_and_holds_nothing_but_what_the_manifest_names() -> None:
    files = list(FOLDER.glob("*/*"))
    assert sum(path.stat().st_size for path in files) < 6_000_000
    assert {f"{path.parent.name}/{path.name}" for path in files} == {
        f"{row['collection']}/{row['name']}.txt.xz" for row in ROWS
    }


@pytest.mark.parametrize("name", [*LABELLED_COLLECTIONS[:2], *PLAIN_COLLECTIONS])
def test_series_are_as_long_as_the_manifest_says_and_their_windows_lie_inside(name: str) -> None:
    lengths = {row["name"]: row["readings"] for row in ROWS}
    for one in collection(name):
        assert len(one) == lengths[one.name]
        assert np.all(np.diff(one.times_s) > 0)
        assert all(0 <= first <= last < len(one) for first, last in one.windows)
        assert all(first <= begin <= last for (first, last), begin in zip(one.windows, one.begins, strict=True))


def test_taxi_rides_are_those_of_the_benchmark() -> None:
    taxi = next(one for one in collection("nab") if one.name.endswith("nyc_taxi"))
    assert (taxi.times_s[0], taxi.values[0], len(taxi), len(taxi.windows)) == (1404172800, 10844, 10320, 5)


def test_an_empty_value_is_a_missing_reading_not_zero() -> None:
    _, values = parsed("1@0\n\n3\n", step_s=60)
    assert np.isnan(values[1])
    assert sum(int(np.isnan(one.values).sum()) for one in collection("mscloud")) == 42


def test_an_unknown_collection_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownCollection, match="no collection 'nabb'; there are kpi, mscloud, nab"):
        collection("nabb")


def test_a_digest_follows_readings_not_labels() -> None:
    plain = series(5)
    assert plain.digest() == series(5, [(1, 2)]).digest()
    assert plain.digest() != series(5, values=np.ones(5)).digest()
    assert plain.digest() != series(5, step_s=60).digest()
