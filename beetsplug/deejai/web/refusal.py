"""What a request is answered with that cannot be served."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - it is an answer, no failure
    """A request that is refused.

    Attributes
    ----------
    status
        Of HTTP, 400 to 599.
    message
        One line for the user, without paths of the file system.
    headers
        Further headers of the answer, such as ``Retry-After``.
    """

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
