"""How sure a mean is: percentile bootstrap intervals (pure; Efron 1979)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

N_RESAMPLES = 2000
"""Times that the queries are drawn anew."""

LEVEL = 0.95
"""Share of the resampled means that an interval holds."""

BLOCK_VALUES = 1 << 20
"""Values drawn at once: 8 MB."""


@dataclass(frozen=True)
class Estimate:
    """A mean and its interval."""

    value: float
    low: float
    high: float


def estimate_means(
    values: Floats,
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> list[Estimate]:
    """Estimate the mean of each column, with an interval.

    The rows are drawn with replacement, the same in all columns: a column of
    differences between two others is a paired comparison.

    Parameters
    ----------
    values
        Shape (n_queries, n_columns), finite.
    seed
        Of the resampling.
    n_resamples
        How often to resample.
    level
        Share of the resampled means within the interval, in (0, 1).

    Returns
    -------
    list of Estimate
        One for each column.

    Raises
    ------
    ValueError
        There is no query, or a value is not finite.
    """
    if values.ndim != 2 or not len(values):
        raise ValueError(f"need a row for each query, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("values hold NaN or infinity")
    rng = np.random.default_rng(seed)
    n_queries = len(values)
    means = np.empty((n_resamples, values.shape[1]))
    n_at_once = max(1, BLOCK_VALUES // n_queries)
    for start in range(0, n_resamples, n_at_once):
        stop = min(start + n_at_once, n_resamples)
        drawn = rng.integers(n_queries, size=(stop - start, n_queries))
        for column in range(values.shape[1]):
            means[start:stop, column] = values[:, column][drawn].mean(axis=1)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=0)
    return [
        Estimate(float(value), float(below), float(above))
        for value, below, above in zip(values.mean(axis=0), low, high, strict=True)
    ]
