"""Lay figures out for people and for programs (pure)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from beetsplug.deejai.evaluation.figures import MFCC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.evaluation.bootstrap import Estimate
    from beetsplug.deejai.evaluation.figures import Figure

LEGEND = (
    "The encoder with its 95 % interval, then what else reaches how much: + the encoder"
    "\nis ahead, - behind, = the interval of the difference holds 0, ? too few to tell."
)

_HEADINGS = {MFCC: "MFCC"}
_TITLE_WIDTH, _COUNT_WIDTH, _SCORE_WIDTH, _OTHER_WIDTH = 28, 6, 20, 11


def figure_table(figures: Sequence[Figure]) -> str:
    """Lay figures out for a terminal, at most 98 columns wide.

    Returns
    -------
    str
        A row for each figure; a column for everything that the encoder is compared
        with in any of them.
    """
    others = list(dict.fromkeys(name for f in figures for name in f.comparisons))
    lines = [
        "measure".ljust(_TITLE_WIDTH)
        + "n".rjust(_COUNT_WIDTH)
        + "  encoder".ljust(_SCORE_WIDTH)
        + "".join(_HEADINGS.get(name, name).rjust(_OTHER_WIDTH) for name in others)
    ]
    for figure in figures:
        score = figure.score
        line = (
            figure.title.ljust(_TITLE_WIDTH)
            + str(figure.n_queries).rjust(_COUNT_WIDTH)
            + f"  {score.value:.2f} [{score.low:.2f}, {score.high:.2f}]".ljust(
                _SCORE_WIDTH
            )
        )
        for name in others:
            comparison = figure.comparisons.get(name)
            cell = ""
            if comparison is not None:
                cell = f"{comparison.score.value:.2f} {comparison.verdict or ' '}"
            line += cell.rjust(_OTHER_WIDTH)
        lines.append(line.rstrip())
    return "\n".join(lines)


def figures_as_data(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Turn figures into what JSON can say, in full precision."""
    return [
        {
            "key": figure.key,
            "title": figure.title,
            "n": figure.n_queries,
            "unit": figure.unit,
            **_interval(figure.score),
            "compared_with": {
                name: {
                    **_interval(comparison.score),
                    "ahead": _interval(comparison.ahead),
                    "verdict": comparison.verdict or None,
                }
                for name, comparison in figure.comparisons.items()
            },
        }
        for figure in figures
    ]


def _interval(estimate: Estimate) -> dict[str, float]:
    return asdict(estimate)
