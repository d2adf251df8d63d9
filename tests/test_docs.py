"""The documentation keeps up with the program."""

from __future__ import annotations

import re
import runpy
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from beetsplug.deejai.commands import VERBS, Verb
from beetsplug.deejai.settings import DEFAULTS, POOLINGS

if TYPE_CHECKING:
    from beets.ui import CommonOptionsParser

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def parser(verb: str) -> CommonOptionsParser:
    return Verb(verb, VERBS[verb]).parser


def page_of(verb: str) -> str:
    """Name a verb's page; ``models import`` is on that of ``models``."""
    own = f"{verb.replace(' ', '-')}.md"
    return own if (DOCS / own).exists() else f"{verb.split()[0]}.md"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_page(verb: str) -> None:
    module = verb.replace(" ", "_")
    usage = import_module(f"beetsplug.deejai.commands.{module}").USAGE
    page = text(page_of(verb))
    assert re.search(rf"^##? beet deejai {verb}$", page, re.MULTILINE)
    assert f"beet deejai {verb} {usage}".rstrip() + "\n" in page
    row = f"beet deejai {verb}`]({page_of(verb)}) | {VERBS[verb]}"
    assert row in text("index.md")


@pytest.mark.parametrize("page", sorted({page_of(verb) for verb in VERBS}))
def test_every_option_is_on_its_verbs_page(page: str) -> None:
    rows = re.findall(r"^\| (`-.*?) \|", text(page), re.MULTILINE)
    documented = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", " ".join(rows)))
    options = {
        string
        for verb in VERBS
        if page_of(verb) == page
        for option in parser(verb).option_list
        for string in option._short_opts + option._long_opts
    }
    assert documented == options - {"-h", "--help"}


@pytest.mark.parametrize("verb", VERBS)
def test_defaults_on_the_pages_are_those_of_the_options(verb: str) -> None:
    page = text(page_of(verb))
    for option in parser(verb).option_list:
        default = re.search(r"default: ([\d.]+)\)", option.help or "")
        if default:
            name = (option._short_opts + option._long_opts)[-1]
            row = re.search(rf"^\|.*`.*{name}\b.*", page, re.MULTILINE)
            assert row, name
            assert re.search(rf"[Dd]efault {default[1]}\b", row[0]), row[0]


def test_every_configuration_key_is_documented_and_no_other() -> None:
    page = text("configuration.md")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(DEFAULTS)
    for method in POOLINGS:
        assert f"`{method}`" in page


def test_the_configuration_shown_is_the_default() -> None:
    shown = re.search(r"```yaml\n(.*?)```", text("configuration.md"), re.DOTALL)
    assert shown
    assert yaml.safe_load(shown[1])["deejai"] == DEFAULTS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.is_file(), f"{page.name} links to {target}"
        if heading:
            headings = re.findall(
                r"^#+ (.*)", linked.read_text(encoding="utf-8"), re.MULTILINE
            )
            slugs = {
                re.sub(r"[^\w-]", "", h.lower().replace(" ", "-")) for h in headings
            }
            assert heading in slugs, f"{page.name} links to {target}"


def test_every_page_of_the_documentation_is_linked_from_its_index() -> None:
    linked = set(re.findall(r"\]\((\w[\w-]*\.md)\)", text("index.md")))
    assert linked == {page.name for page in DOCS.glob("*.md")} - {"index.md"}


def test_the_picture_shows_the_transcript() -> None:
    script = runpy.run_path(str(DOCS / "picture.py"))
    tracks = script["read_journey"](text("transcript.md"))
    assert len(tracks) > 2
    assert script["draw"](tracks) == text("journey.svg")


def test_the_readme_begins_with_the_quick_start_and_the_tests() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", readme, re.DOTALL)
    assert blocks[0] == (
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && "
        ".venv/bin/python -m beetsplug.deejai.quickstart\n"
    )
    assert blocks[1] == ".venv/bin/python -m pytest\n"
    # The same test command runs unattended.
    assert '"$python" -m pytest\n' in (ROOT / ".ci" / "run").read_text()
