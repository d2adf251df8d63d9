"""The query ``similar:SEED``, for every command of beets that takes a query.

A query of beets is a set without an order, and does not know which library it is asked
of. :class:`NearestFirst` mends both. Where that is not in use (another plugin opens a
library of its own) the query matches the same, but slowly and in that library's order.

beets loads this module at every start, so it does without numpy.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar

from beets import logging
from beets.dbcore.query import (
    CollectionQuery,
    FieldQuery,
    InvalidQueryArgumentValueError,
    NotQuery,
    ParsingError,
    Query,
)
from beets.dbcore.sort import MultipleSort, Sort
from beets.exceptions import UserError
from beets.library import Album, Item, Library, parse_query_parts, parse_query_string

from beetsplug.deejai.errors import DeejaiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from beets.dbcore import Results
    from beets.dbcore.db import AnyModel
    from beets.library import LibModel

    from beetsplug.deejai.search import Found

    AnyQuery = str | Sequence[str] | Query | None

NAME = "similar"

log = logging.getLogger("beets.deejai")

_is_busy: ContextVar[bool] = ContextVar("deejai_is_busy", default=False)
"""Whether a ``similar:`` is being read or answered, in which no other may stand."""


class SimilarQuery(FieldQuery[str]):
    """The tracks nearest to a seed, ``similar_count`` of them, without the seeds.

    Raises
    ------
    InvalidQueryArgumentValueError
        The pattern is no seed.
    """

    model_cls: ClassVar[type[LibModel]] = Item

    def __init__(self, field_name: str, pattern: str, fast: bool = True) -> None:
        from beetsplug.deejai.search import parse_seed

        super().__init__(field_name, pattern, fast)
        if _is_busy.get():
            raise InvalidQueryArgumentValueError(
                f"{NAME}:{pattern}",
                "possible here",
                f"{NAME}: cannot stand within {NAME}: or in deejai.exclude",
            )
        token = _is_busy.set(True)
        try:
            seed = parse_seed(pattern)
        finally:
            _is_busy.reset(token)
        if seed is None:
            raise InvalidQueryArgumentValueError(
                f"{NAME}:{pattern}", "complete", "name a seed after it"
            )
        self.seed = seed
        self._found: Found | None = None
        self._is_bound = False

    def bind(self, lib: Library, *, strict: bool) -> None:
        """Search a library, of which the query is about to be asked.

        Parameters
        ----------
        lib
            The library.
        strict
            Raise when there is nothing to search with. Otherwise that is logged and
            nothing matches: one playlist whose seed was deleted must not keep
            smartplaylist from writing the others.

        Raises
        ------
        UserError
            The seed is not to be found, or has no vector.
        """
        try:
            self._found = self._search(lib)
        except ParsingError as error:
            raise UserError(str(error)) from error
        except (UserError, DeejaiError) as error:
            if strict:
                raise UserError(f"{NAME}: {error}") from error
            self._found = self._nothing(lib, error)
        self._is_bound = True

    def clause(self) -> tuple[str | None, Sequence[Any]]:
        """Name the ids in SQL; None (ask :meth:`match`) as long as there is no library.

        The ids stand in the text, since SQLite limits how many values are passed.
        """
        if not self._is_bound:
            return None, ()
        ids = ", ".join(map(str, self._similarities))
        return f"{self.model_cls._table}.id IN ({ids})", ()

    def match(self, obj: Any) -> bool:
        """Whether an item or album is among the nearest.

        Without a library that asked, somebody wants to know of an object that has just
        changed, as smartplaylist does, many times in an import. Then it is compared
        with what was found at first: to search anew each time would take hours. In
        doubt it is a match, since the playlist is made from a new search.
        """
        lib = obj._db
        if lib is None or not isinstance(obj, self.model_cls):
            return False
        found = self._found
        if found is None:
            try:
                found = self._search(lib)
            except (UserError, DeejaiError, ParsingError) as error:
                found = self._nothing(lib, error)
            self._found = found
        if obj.id in found.similarities:
            return True
        if self._is_bound or lib.revision == found.revision:
            return False
        if isinstance(obj, Item) and self.seed.match(obj):
            self._found = None  # What is near may be something else by now.
            return True
        return found.would_include(obj)

    def similarity(self, object_id: int) -> float:
        """Return how similar a match is; less than any for what is none."""
        return self._similarities.get(object_id, -2.0)

    @property
    def _similarities(self) -> Mapping[int, float]:
        return self._found.similarities if self._found else {}

    def _search(self, lib: Library) -> Found:
        from beetsplug.deejai.search import search

        token = _is_busy.set(True)
        try:
            return search(
                lib, self.seed, name=self.pattern, albums=self.model_cls is Album
            )
        finally:
            _is_busy.reset(token)

    def _nothing(self, lib: Library, error: Exception) -> Found:
        from beetsplug.deejai.search import Found

        log.warning("{}: {}", NAME, error)
        return Found(revision=lib.revision)


class SimilarAlbumQuery(SimilarQuery):
    """The albums nearest to a seed, by the mean of their tracks, without its own."""

    model_cls: ClassVar[type[LibModel]] = Album


class NearnessSort(Sort):
    """Nearest first, by the query that is nearest; what none of them found, last."""

    def __init__(self, queries: Sequence[SimilarQuery]) -> None:
        self.queries = queries

    @property
    def field_names(self) -> set[str]:
        """No column: beets then limits the results after sorting them."""
        return {NAME}

    def is_slow(self) -> bool:
        """Tell that SQL cannot sort this."""
        return True

    def sort(self, items: Sequence[AnyModel]) -> Sequence[AnyModel]:
        """Sort items or albums; equally near ones stay as they are."""

        def distance(obj: AnyModel) -> float:
            return -max(query.similarity(obj.id or 0) for query in self.queries)

        return sorted(items, key=distance)


class NearestFirst(Library):
    """beets' library, with the nearest first where a query wants what is near.

    beets chooses its default order before it reads the query and offers plugins no say
    in it, so this must be a library of its own kind. It does nothing that its caller
    could not do: it hands beets the query already read, and an order if there is none.
    """

    def items(
        self, query: AnyQuery = None, sort: Sort | None = None, limit: int | None = None
    ) -> Results[Item]:
        """Get the items that match a query."""
        query, sort = _prepare(self, Item, query, sort)
        return super().items(query, sort, limit)

    def albums(
        self, query: AnyQuery = None, sort: Sort | None = None, limit: int | None = None
    ) -> Results[Album]:
        """Get the albums that match a query."""
        query, sort = _prepare(self, Album, query, sort)
        return super().albums(query, sort, limit)


def adopt(lib: Library) -> None:
    """Make a library that beets has opened a :class:`NearestFirst`.

    Only this object changes, not beets' class. A library of yet another kind is left
    alone.
    """
    if type(lib) is Library:
        lib.__class__ = NearestFirst


def _prepare(
    lib: Library, model_cls: type[LibModel], query: AnyQuery, sort: Sort | None
) -> tuple[AnyQuery, Sort | None]:
    """Bind the ``similar:`` of a query to a library, and choose the order."""
    is_text = query is not None and not isinstance(query, Query)
    if is_text:
        try:
            parsed, parsed_sort = _parse(lib, model_cls, query)
        except ParsingError:
            return query, sort  # beets meets the same and words it.
        query, sort = parsed or query, parsed_sort or sort
    if is_text and _has_other_field(query):
        raise UserError(
            f"{NAME}: takes a seed, and neither a regular expression ({NAME}::) nor "
            f"an exact match ({NAME}:=)"
        )
    terms = list(_terms(query))
    for term, _ in terms:
        term.bind(lib, strict=is_text)
    wanted = [term for term, is_wanted in terms if is_wanted]
    if sort or not wanted:
        return query, sort
    default = (
        lib.get_default_item_sort()
        if model_cls is Item
        else lib.get_default_album_sort()
    )
    # A slow sort within another MultipleSort would be overlooked.
    sorts = default.sorts if isinstance(default, MultipleSort) else [default]
    return query, MultipleSort([NearnessSort(wanted), *sorts])


def _parse(
    lib: Library, model_cls: type[LibModel], query: Any
) -> tuple[Query | None, Sort | None]:
    """Read a query in which ``similar:`` may stand; None for all others."""
    words = [query] if isinstance(query, str) else query
    if not any(f"{NAME}:" in word for word in words):
        return None, None
    parse = parse_query_string if isinstance(query, str) else parse_query_parts
    with lib.music_dir_context():
        return parse(query, model_cls)


def _has_other_field(query: object) -> bool:
    """Whether a field ``similar`` is asked for: beets reads prefixes before names."""
    if isinstance(query, FieldQuery):
        return query.field_name == NAME and not isinstance(query, SimilarQuery)
    if isinstance(query, NotQuery):
        return _has_other_field(query.subquery)
    parts = query.subqueries if isinstance(query, CollectionQuery) else ()
    return any(map(_has_other_field, parts))


def _terms(
    query: object, is_wanted: bool = True
) -> Iterator[tuple[SimilarQuery, bool]]:
    """Find the ``similar:`` within a query, and whether it is wanted or negated."""
    if isinstance(query, SimilarQuery):
        yield query, is_wanted
    elif isinstance(query, NotQuery):
        yield from _terms(query.subquery, not is_wanted)
    elif isinstance(query, CollectionQuery):
        for part in query.subqueries:
            yield from _terms(part, is_wanted)
