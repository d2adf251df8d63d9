"""What is told of a model of genres: on the terminal, and on its card (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beetsplug.deejai.output.text import counted, fitted, one_line, text_width
from beetsplug.deejai.training.genres.measured import FEW_TRACKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from beetsplug.deejai.evaluation.classification import Scores
    from beetsplug.deejai.training.genres.labels import GenreLabels
    from beetsplug.deejai.training.genres.measured import Measured

MAX_COLUMNS = 16
"""Genres whose confusion matrix fits on a terminal."""

MAX_CONFUSIONS = 12
"""Of more genres so many confusions are named."""

NAME_BYTES = 28
"""Of a genre's name in a table."""

NO_FIGURES = (
    "no figures: nothing could be held out. With two artists or more in each genre "
    "there would be some"
)


def genre_rows(labels: GenreLabels) -> list[dict[str, Any]]:
    """Count tracks and artists of each genre, for the card."""
    rows = []
    for column, genre in enumerate(labels.genres):
        members = [
            k for k, is_one in enumerate(labels.targets[:, column] > 0) if is_one
        ]
        artists = {labels.groups[k] for k in members}
        rows.append({"name": genre, "tracks": len(members), "artists": len(artists)})
    return rows


def scores_as_data(scores: Scores) -> dict[str, float]:
    """Turn scores into what JSON can say."""
    return {"accuracy": scores.accuracy, "macro_f1": scores.macro_f1}


def measured_as_data(measured: Measured) -> dict[str, Any]:
    """Turn what was measured into what JSON can say."""
    return {
        **scores_as_data(measured.scores),
        "n_tracks": measured.n_tracks,
        "calibration_error": measured.scores.calibration_error,
        "calibration_error_uncalibrated": measured.uncalibrated,
        "temperature": measured.temperature,
        "confusion": measured.scores.confusion.tolist(),
    }


def figure_lines(card: Mapping[str, Any]) -> list[str]:
    """Lay out accuracy, F1 and calibration beside the baselines, and warn of them."""
    measured = card["measured"]
    if measured is None:
        return [NO_FIGURES]
    lines = [f"{'':28}{'accuracy':>10}{'macro F1':>10}"]
    for title, row in (
        ("this model", measured),
        ("always the commonest genre", card["baselines"]["majority"]),
        ("MFCC, logistic regression", card["baselines"]["mfcc"]),
    ):
        if row is not None:
            lines.append(f"{title:28}{row['accuracy']:10.3f}{row['macro_f1']:10.3f}")
    is_few = measured["n_tracks"] < FEW_TRACKS
    lines.append(_calibration_line(measured, is_few=is_few))
    commonest = card["baselines"]["majority"]
    genre = one_line(commonest["genre"], max_bytes=NAME_BYTES)
    if commonest["accuracy"] == 1:
        lines.append(f"warning: of no other genre than {genre} could be measured")
    elif measured["accuracy"] <= commonest["accuracy"]:
        lines.append(
            f"warning: no better than always saying {genre}: it is right no more often"
        )
    if is_few:
        lines.append(
            f"warning: only {counted(measured['n_tracks'], 'track')} could be measured "
            "on: the figures are rough"
        )
    return lines


def _calibration_line(measured: Mapping[str, Any], *, is_few: bool) -> str:
    before = f"{measured['calibration_error_uncalibrated']:.3f}"
    if measured["temperature"] != 1:
        return (
            f"expected calibration error: {before} before, "
            f"{measured['calibration_error']:.3f} after temperature scaling "
            f"(temperature {measured['temperature']:.2f})"
        )
    why = "for want of tracks" if is_few else "as none was seen to help"
    return f"expected calibration error: {before}; no temperature scaling, {why}"


def confusion_lines(
    genres: Sequence[str], matrix: Sequence[Sequence[int]], *, is_whole: bool = False
) -> list[str]:
    """Lay out a confusion matrix, or of many genres what is mistaken most often.

    Parameters
    ----------
    genres
        Names of rows and columns.
    matrix
        Numbers of tracks: rows are what they are, columns what they are taken for.
    is_whole
        Whether the matrix is laid out however wide it becomes.
    """
    names = [one_line(genre, max_bytes=NAME_BYTES) for genre in genres]
    if len(names) > MAX_COLUMNS and not is_whole:
        pairs = sorted(
            (-n, row, column)
            for row, counts in enumerate(matrix)
            for column, n in enumerate(counts)
            if n and row != column
        )
        return ["taken for each other most often:"] + [
            f"{-n:6}  {names[row]} as {names[column]}"
            for n, row, column in pairs[:MAX_CONFUSIONS]
        ]
    width = max(14, *map(text_width, names))
    cell = max(4, *(len(str(n)) + 1 for counts in matrix for n in counts))
    numbers = "".join(f"{k:{cell}}" for k in range(1, len(names) + 1))
    lines = [f"{'':4}{'is, taken for:':{width}}{numbers}"]
    for number, (name, counts) in enumerate(zip(names, matrix, strict=True), 1):
        cells = "".join(f"{n:{cell}}" if n else f"{'.':>{cell}}" for n in counts)
        lines.append(f"{number:3} {fitted(name, width)}{cells}")
    return lines


def card_text(card: Mapping[str, Any]) -> str:
    """Write the card of a model in Markdown.

    Parameters
    ----------
    card
        As ``genres train`` fills it.
    """
    measured = card["measured"]
    rows = "\n".join(
        f"| {_cell(row['name'])} | {row['tracks']} | {row['artists']} |"
        for row in card["genres"]
    )
    parts = [
        "# What was learnt of this library's genres",
        f"{card['made']}, beets-deejai {card['version']}. {card['method']}",
        f"## Data\n\n{counted(card['n_tracks'], 'track')} by "
        f"{counted(card['n_artists'], 'artist')}.\n\n"
        f"| genre | tracks | artists |\n| --- | ---: | ---: |\n{rows}",
    ]
    merged = [
        f"{_cell(name)} ({_cell(new) if new else 'not learnt'})"
        for name, new in card["merged"].items()
    ]
    if merged:
        parts.append(
            f"Rarer than {card['min_tracks']} tracks or of one artist only, and what "
            f"they were learnt as: {', '.join(merged)}."
        )
    parts.append(f"## How it was measured\n\n{card['split']}")
    figures = "\n".join(figure_lines(card))
    parts.append(f"```\n{figures}\n```")
    if measured is not None:
        names = [row["name"] for row in card["genres"]]
        matrix = "\n".join(confusion_lines(names, measured["confusion"], is_whole=True))
        parts.append(f"## Confusion\n\n```\n{matrix}\n```\n\nAlso as `confusion.png`.")
    parts.append("## Limits\n\n" + "\n".join(f"- {line}" for line in card["limits"]))
    details = "\n".join(f"- {k}: {v}" for k, v in card["details"].items())
    parts.append(f"## Details\n\n{details}")
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    """Make a name fit for a table of Markdown."""
    return one_line(text).replace("|", "\\|")
