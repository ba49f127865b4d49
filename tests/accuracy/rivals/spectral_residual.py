"""Spectral residual: what stands out of the smoothed log spectrum of the recent past."""

from __future__ import annotations

import numpy as np

from detectors.contract import Floats
from tests.accuracy.labelled import Seconds
from tests.accuracy.rivals.rival import Rival, week_of

_WINDOW, _SMOOTHED, _COMPARED, _ADDED, _SLOPES = 1440, 3, 21, 5, 5
_TINY = 1e-12


class SpectralResidual(Rival):
    """Source: H. Ren et al. (2019), Time-Series Anomaly Detection Service at Microsoft, KDD."""

    name = "spectral_residual"
    about = "saliency of the last of at most 1,440 readings (a week), q = 3, z = 21, 5 points extrapolated; alert at 3"
    threshold = 3.0

    def scores(self, times_s: Seconds, values: Floats, step_s: int) -> Floats:
        window = min(_WINDOW, week_of(step_s, _WINDOW, 64))
        if len(values) < window:
            window = max(16, len(values) // 4)
        found = np.zeros(len(values))
        pasts = np.lib.stride_tricks.sliding_window_view(values, window)
        for start in range(0, len(pasts), 512):
            block = pasts[start : start + 512]
            found[window - 1 + start : window - 1 + start + len(block)] = _saliency_of_last(block)
        return found


def _saliency_of_last(pasts: Floats) -> Floats:
    """Relative rise of the saliency at the last column above its mean over the columns before it."""
    last = pasts.shape[1] - 1
    spectrum = np.fft.fft(_extended(pasts), axis=1)
    amplitude = np.maximum(np.abs(spectrum), _TINY)
    log = np.log(amplitude)
    padded = np.pad(log, ((0, 0), (_SMOOTHED - 1, 0)), mode="edge")
    smooth = np.mean([padded[:, lag : lag + log.shape[1]] for lag in range(_SMOOTHED)], axis=0)
    saliency = np.abs(np.fft.ifft(np.exp(log - smooth) * spectrum / amplitude, axis=1))
    usual = np.maximum(saliency[:, last - _COMPARED + 1 : last + 1].mean(axis=1), _TINY)
    found: Floats = (saliency[:, last] - usual) / usual
    return found


def _extended(pasts: Floats) -> Floats:
    """Each past with an estimated point repeated behind it: a point at the very edge has no saliency of its own.

    The estimate leaves the last point out, as the authors' own code does; with it, an anomaly would be followed by five
    points as high and not stand out.
    """
    newest = pasts[:, -2]
    slope = np.mean([(newest - pasts[:, -2 - lag]) / lag for lag in range(1, _SLOPES + 1)], axis=0)
    following = pasts[:, -1 - _SLOPES] + slope * _SLOPES
    return np.concatenate([pasts, np.repeat(following[:, None], _ADDED, axis=1)], axis=1)
