"""Banded matrices as row blocks, so that BLAS applies them to a whole panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.contract import Floats


@dataclass(frozen=True)
class Block:
    """Rows from ``row`` on, columns from ``column`` on; everything beside it is zero."""

    row: int
    column: int
    matrix: Floats


@dataclass(frozen=True)
class Bands:
    """A matrix ``[rows, columns]`` that is zero outside its blocks; inner blocks of a filter share one array."""

    rows: int
    columns: int
    blocks: tuple[Block, ...]

    def apply(self, panel: Floats) -> Floats:
        """``panel[columns, S]`` → ``[rows, S]``."""
        result = np.empty((self.rows, panel.shape[1]))
        for block in self.blocks:
            height, width = block.matrix.shape
            part = panel[block.column : block.column + width]
            np.matmul(block.matrix, part, out=result[block.row : block.row + height])
        return result

    def adjoint(self, panel: Floats) -> Floats:
        """The transposed matrix on ``panel[rows, S]`` → ``[columns, S]``."""
        result = np.zeros((self.columns, panel.shape[1]))
        for block in self.blocks:
            height, width = block.matrix.shape
            result[block.column : block.column + width] += block.matrix.T @ panel[block.row : block.row + height]
        return result

    @property
    def size_bytes(self) -> int:
        return size_bytes([block.matrix for block in self.blocks])


def size_bytes(arrays: Sequence[Floats]) -> int:
    """Bytes of arrays, each counted once however often it is shared."""
    return sum({id(array): array.nbytes for array in arrays}.values())
