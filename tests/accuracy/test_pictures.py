"""The page about the method shows what the program does today."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.accuracy import drawing
from tests.accuracy.ours import on_grid
from tests.accuracy.pictures import IMAGES, PICTURES, TAXI, THANKSGIVING, explained, series_of

PAGE = (IMAGES.parent / "how-it-decides.md").read_text(encoding="utf-8")


def test_the_page_shows_every_picture_that_is_drawn() -> None:
    shown = set(re.findall(r"\]\(images/(how-[a-z]+)\.png\)", PAGE))
    assert shown == set(PICTURES)
    assert shown == {path.stem for path in IMAGES.glob("how-*.png")}


def test_the_parts_of_the_point_on_the_page_are_those_that_explain_tells() -> None:
    panel, _ = on_grid(series_of("nab", TAXI))
    (said,) = explained(panel, THANKSGIVING, THANKSGIVING + np.timedelta64(30, "m"))
    written = dict(re.findall(r"^\| [=+ ]*([a-z]+) \| ([\d,−]+)", PAGE, re.MULTILINE))
    parts = {"level": said.level, **said.seasons, "calendar": said.calendar, "expected": said.expected}
    parts |= {"residual": said.residual, "observed": said.expected + said.residual}
    assert {name: number(written[name]) for name in parts} == {name: round(value) for name, value in parts.items()}
    assert said.expected == pytest.approx(said.level + sum(said.seasons.values()) + said.calendar)
    assert f'{said.score:.2f}: "{said.reason}"' in PAGE
    assert f"{said.lower:,.0f} to {said.upper:,.0f}" in PAGE


def test_a_picture_is_a_small_png_that_keeps_the_colour_of_anomalies(tmp_path: Path) -> None:
    from PIL import Image

    figure = drawing.sheet(2.0)
    times = np.datetime64("2026-01-05", "us") + np.arange(10) * np.timedelta64(1, "h")
    drawing.band(figure.axes[0], times, np.zeros(10), np.ones(10))
    drawing.marks(figure.axes[0], times, np.full(10, 0.5), np.arange(10) == 4)
    drawing.write(figure, tmp_path / "one.png")
    assert isinstance(figure, Figure)
    with Image.open(tmp_path / "one.png") as picture:
        red, green, blue = np.moveaxis(np.asarray(picture.convert("RGB")), 2, 0)
    assert ((red > 180) & (green < 80) & (blue < 80)).any()


def number(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-"))
