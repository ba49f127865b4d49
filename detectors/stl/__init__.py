"""STL and MSTL on whole panels, equal to statsmodels and many times faster; missing readings weigh nothing.

The batch is the trick: a LOESS on a regular grid is a matrix that does not depend on the values, so BLAS smooths all
series at once. Robust fits reweight each series: ratios of such matrices applied to weights and weighted values.
"""

from detectors.stl.decompose import Decomposition, mstl, stl, strengths, tail

__all__ = ["Decomposition", "mstl", "stl", "strengths", "tail"]
