"""A result as the drivers hand it over: columns, before anybody says what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Bools

Kind = Literal["plain", "number", "instant", "wall", "day"]


@dataclass(frozen=True)
class Column:
    """One column. ``kind`` says what ``cells`` are:

    ``plain`` Python values, None = NULL · ``number`` a numeric or boolean array · ``instant`` datetime64 in UTC ·
    ``wall`` datetime64 without a zone · ``day`` datetime64 at midnights that are calendar days.
    ``missing`` is True where the value is NULL (None: nowhere; ``plain`` does not need it).
    """

    name: str
    kind: Kind
    cells: Sequence[object] | NDArray[np.generic]
    missing: Bools | None = None


@dataclass(frozen=True)
class Table:
    """Columns of equal length, in the order of the SELECT list."""

    columns: tuple[Column, ...]
    rows: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)
