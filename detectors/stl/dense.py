"""A decomposition without weights as one matrix: all its rows for short lengths, a few rows for any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Floats


@dataclass(frozen=True)
class Rows:
    """Chosen rows of every part: ``matrix[parts × rows, n]``."""

    parts: int
    matrix: Floats

    def apply(self, values: Floats) -> Floats:
        """``values[n, S]`` → ``[parts, rows, S]``."""
        product = np.matmul(self.matrix, values)
        return np.reshape(product, (self.parts, len(self.matrix) // self.parts, values.shape[1]))

    @property
    def size_bytes(self) -> int:
        return self.matrix.nbytes


@dataclass(frozen=True)
class Mirrored:
    """All rows, where a series read backwards has its parts read backwards: half the work of the full matrix.

    A series is the sum of an even and an odd one about its middle; the parts of one are even, of the other odd, so
    each half is enough: ``even[parts, m, m]``, ``odd[parts, h, h]``, h = n // 2, m = n − h. Jumps are not symmetric.
    """

    even: Floats
    odd: Floats

    @classmethod
    def of(cls, columns: Floats) -> Mirrored:
        """From the first m columns of the full matrices: ``columns[parts, n, m]``."""
        length, half = columns.shape[1], columns.shape[1] // 2
        near, far = columns[:, : length - half], columns[:, ::-1][:, : length - half]
        return cls((near + far) / 2, (near[:, :half, :half] - far[:, :half, :half]) / 2)

    def apply(self, values: Floats) -> Floats:
        """``values[n, S]`` → ``[parts, n, S]``."""
        half, middle = self.odd.shape[1], self.even.shape[1]
        near, far = values[:middle], values[::-1][:half]
        total = near.copy()
        total[:half] += far
        even, odd = np.matmul(self.even, total), np.matmul(self.odd, near[:half] - far)
        stack = np.empty((len(self.even), *values.shape))
        stack[:, :middle] = even
        stack[:, :half] += odd
        np.subtract(even[:, :half], odd, out=stack[:, ::-1][:, :half])
        return stack

    @property
    def size_bytes(self) -> int:
        return self.even.nbytes + self.odd.nbytes
