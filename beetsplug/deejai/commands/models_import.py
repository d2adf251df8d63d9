"""``beet deejai models import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_
from beets.util import displayable_path

from beetsplug.deejai.commands.models import format_shape, format_size
from beetsplug.deejai.commands.models_choose import use

if TYPE_CHECKING:
    from logging import Logger

    from beetsplug.deejai.embedding.model_folder import Model
    from beetsplug.deejai.embedding.trial import Trial
    from beetsplug.deejai.session import Session

USAGE = "[--name NAME] [--replace] [--no-use] FILE"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--name",
        metavar="NAME",
        help="what to call it (default: the name of the file)",
    )
    parser.add_option(
        "--replace",
        action="store_true",
        default=False,
        help="give up another model of this name for it",
    )
    parser.add_option(
        "--no-use",
        dest="use",
        action="store_false",
        default=True,
        help="keep it without using it; `beet deejai models choose` does that later",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Check an encoder by running it, keep a copy, and use it."""
    if len(args) != 1:
        raise UserError("name one model file to import: .keras, .h5 or .onnx")
    source = Path(args[0]).expanduser()
    model, trial = session.models.add(
        source, name=options.name, replace=options.replace
    )
    for line in _lines(model, trial):
        print_(line)
    if options.use:
        use(session, model.name, log)


def _lines(model: Model, trial: Trial) -> list[str]:
    shape = "-" if model.input_shape is None else format_shape(model.input_shape)
    lines = [
        f"name:       {model.name}",
        f"id:         {model.model_id}",
        f"kind:       {model.kind}",
        f"input:      {shape}",
        f"output:     {model.vector_size} numbers a slice",
        f"size:       {format_size(model.size_bytes)}",
        f"speed:      {trial.ms_per_slice:.2f} ms for a slice of 5 s",
        f"kept as:    {displayable_path(model.path)}",
    ]
    if model.n_parameters is not None:
        lines.insert(5, f"parameters: {model.n_parameters:,}")
    return lines
