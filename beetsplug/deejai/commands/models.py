"""``beet deejai models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_
from beets.util import displayable_path

from beetsplug.deejai.storage.library import count_by_model

if TYPE_CHECKING:
    from logging import Logger

    from beetsplug.deejai.embedding.model_folder import Model
    from beetsplug.deejai.session import Session

USAGE = "[import FILE | choose NAME]"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options: it has none."""


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """List the encoders that can be used, and the one that is."""
    if args:
        raise UserError(
            f"models has no {args[0]!r}; it lists, or: models import, models choose"
        )
    counts = count_by_model(session.lib)
    models = session.models.models()
    in_use = session.model_path
    if session.is_model_configured and in_use not in {m.path for m in models}:
        models.append(session.models.describe(in_use, name="(configured)"))
    rows: list[tuple[str, ...]] = [
        ("", "name", "id", "kind", "input", "output", "size", "tracks")
    ]
    for model in models:
        mark = "*" if model.path == in_use else ""
        rows.append((mark, *describe(model), str(counts.pop(model.model_id, 0))))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print_("  ".join(cells).rstrip())
    for model_id, n_tracks in counts.items():
        print_(f"{n_tracks} tracks have vectors of {model_id}, which is not here")
    if session.is_model_configured:
        print_(f"in use: {displayable_path(in_use)}, by deejai.model (configuration)")


def describe(model: Model) -> tuple[str, ...]:
    """Return name, id, kind, input, output and size of a model, as text."""
    return (
        model.name,
        model.model_id,
        model.kind,
        "-" if model.input_shape is None else format_shape(model.input_shape),
        "-" if model.vector_size is None else str(model.vector_size),
        format_size(model.size_bytes),
    )


def format_size(n_bytes: int) -> str:
    """Write the size of a file in MB, a small one's in kB."""
    if n_bytes < 100_000:
        return f"{n_bytes / 1e3:.1f} kB"
    return f"{n_bytes / 1e6:.1f} MB"


def format_shape(shape: tuple[int | None, ...]) -> str:
    """Write the shape of an input, ``any`` where every size is taken."""
    return " x ".join("any" if size is None else str(size) for size in shape)
