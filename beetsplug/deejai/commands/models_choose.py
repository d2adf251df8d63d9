"""``beet deejai models choose``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_

from beetsplug.deejai.storage.library import count_by_model

if TYPE_CHECKING:
    from logging import Logger

    from beetsplug.deejai.session import Session

USAGE = "NAME"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options: it has none."""


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Use an encoder that is listed."""
    if len(args) != 1:
        raise UserError("name one model, or default; `beet deejai models` lists them")
    use(session, args[0], log)


def use(session: Session, name: str, log: Logger) -> None:
    """Put a model to use, and say what that means for the vectors there are.

    Parameters
    ----------
    session
        The library and its models.
    name
        Of an imported model, or ``default``.
    log
        For what needs the user's attention.
    """
    model = session.models.choose(name)
    if session.is_model_configured:
        log.warning(
            "deejai.model in the configuration names {}, and that is used: set it to "
            "default for {} to be used",
            session.settings.model,
            name,
        )
        return
    print_(f"in use: {name} ({model.model_id})")
    counts = count_by_model(session.lib)
    n_others = sum(counts.values()) - counts.get(model.model_id, 0)
    if n_others:
        tracks = "1 track is" if n_others == 1 else f"{n_others} tracks are"
        print_(
            f"the vectors of {tracks} of another encoder, and are not used until "
            "`beet deejai scan` makes new ones"
        )
