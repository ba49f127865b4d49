"""The rivals, one small file each; a rival is a class and a line here."""

from __future__ import annotations

from tests.accuracy.rivals.adtk_seasonal import AdtkPersist, AdtkSeasonal
from tests.accuracy.rivals.half_space_trees import HalfSpaceTrees
from tests.accuracy.rivals.prophet_interval import ProphetInterval
from tests.accuracy.rivals.pyod_anomstack import PyodPcaKnn
from tests.accuracy.rivals.rival import Rival
from tests.accuracy.rivals.rolling import RecentZ, RollingZ, WeekOverWeek
from tests.accuracy.rivals.spectral_residual import SpectralResidual
from tests.accuracy.rivals.statsforecast_mstl import StatsforecastMstl
from tests.accuracy.rivals.stl import StlMad

RIVALS: tuple[type[Rival], ...] = (
    RollingZ,
    RecentZ,
    WeekOverWeek,
    StlMad,
    SpectralResidual,
    PyodPcaKnn,
    HalfSpaceTrees,
    AdtkSeasonal,
    AdtkPersist,
    ProphetInterval,
    StatsforecastMstl,
)
