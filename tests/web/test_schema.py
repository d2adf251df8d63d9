"""Requests made up from the API's own document: none of them breaks the deck."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import schemathesis
from decks import open_deck
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from visitors import Address, library_of_sounds, served

if TYPE_CHECKING:
    from collections.abc import Iterator

load_all_checks()

KEPT = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
    ]
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with library_of_sounds(tmp_path_factory.mktemp("schema")) as lib:
        deck = open_deck(lib, port=0)
        with served(deck) as address:
            yield address
        deck.close()


# The deck under test runs in other threads of this process, and they may use chance.
@pytest.mark.filterwarnings(
    "ignore:Do not use the .random. module"
    ":hypothesis.errors.HypothesisDeprecationWarning"
)
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_made_up_requests_get_the_answers_that_are_documented(
    address: Address, mode: GenerationMode
) -> None:
    document = f"http://{address.host}/api/v1/openapi.json"
    schema = schemathesis.openapi.from_url(document)
    # A list that is too long makes an address that is too long (414).
    schema.config.checks.negative_data_rejection.expected_statuses = ["4XX"]
    for operation in schema.get_all_operations():
        ask_all_sorts(operation.ok(), mode)


def ask_all_sorts(operation: schemathesis.APIOperation, mode: GenerationMode) -> None:
    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=15,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"X-Deejai": "1"}, checks=KEPT)

    # What takes nothing cannot be given anything wrong.
    with suppress(Unsatisfiable):
        ask()
