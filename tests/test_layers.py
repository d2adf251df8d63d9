"""The architecture, enforced: who may import whom, and what beets' start may cost."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "beetsplug" / "deejai"

LAYERS = [
    {"errors", "settings", "durations", "audio.constants", "vectors"},
    {
        "audio.spectrogram",
        "embedding.pooling",
        "embedding.document_frequency",
        "recommend",
        "evaluation",
        "atlas.layout",
    },
    {
        "audio.damage",
        "audio.decode",
        "audio.packets",
        "audio.seeking",
        "embedding.encoder",
        "embedding.inference",
        "embedding.keras_encoder",
        "embedding.legacy_h5",
        "embedding.model_files",
        "embedding.model_folder",
        "embedding.onnx_encoder",
        "embedding.quiet",
        "embedding.trial",
        "filters.layer_time",
        "filters.layers",
        "filters.unfold",
        "storage",
        "output",
    },
    {
        "atlas",
        "embedding.decoders",
        "embedding.listen",
        "embedding.ends",
        "embedding.freshness",
        "embedding.scan",
        "embedding.outside",
        "filters.ranking",
        "live",
        "training",
        "evaluation.baselines",
        "evaluation.material",
    },
    {"session", "spaces", "genre_space", "candidates", "filters"},
    {"importing", "commands", "queries", "search", "web"},
    {""},
]
"""From the bottom up; a module belongs to the longest name that fits."""

PURE = {
    "atlas.faithfulness",
    "atlas.hills",
    "atlas.layout",
    "atlas.regions",
    "audio.spectrogram",
    "embedding.pooling",
    "evaluation.bootstrap",
    "evaluation.classification",
    "evaluation.figures",
    "evaluation.labels",
    "evaluation.lists",
    "evaluation.made_lists",
    "evaluation.metrics",
    "evaluation.overrepresented",
    "evaluation.ranking",
    "evaluation.report",
    "evaluation.sampling",
    "evaluation.space",
    "evaluation.study",
    "evaluation.tasks",
    "recommend",
}
"""Arrays in, arrays out: they know neither beets nor files."""

HEAVY = [
    "openTSNE",
    "tensorflow",
    "keras",
    "onnxruntime",
    "librosa",
    "sklearn",
    "gensim",
    "flask",
    "av",
    "pydub",
]


def modules() -> dict[str, Path]:
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        names[".".join(parts)] = path
    return names


def layer_of(module: str) -> int:
    best = max(
        (name for layer in LAYERS for name in layer if is_within(module, name)), key=len
    )
    return next(number for number, layer in enumerate(LAYERS) if best in layer)


def is_within(module: str, name: str) -> bool:
    return name == "" or module == name or module.startswith(name + ".")


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it, names under test included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def own_imports(path: Path) -> set[str]:
    prefix = "beetsplug.deejai"
    return {
        name.removeprefix(prefix).lstrip(".")
        for name in imports(path)
        if name == prefix or name.startswith(prefix + ".")
    }


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_its_own_layer_and_those_below(module: str) -> None:
    package = module.rpartition(".")[0]
    for imported in own_imports(modules()[module]):
        if imported == package:
            continue
        assert layer_of(imported) <= layer_of(module), f"{module} imports {imported}"


@pytest.mark.parametrize("module", modules())
def test_pure_modules_know_neither_beets_nor_files(module: str) -> None:
    if not any(is_within(module, name) for name in PURE):
        return
    banned = {"beets", "mediafile", "av", "pydub", "os", "pathlib", "sqlite3"}
    roots = {name.partition(".")[0] for name in imports(modules()[module])}
    assert not roots & banned


def loaded_after(code: str) -> set[str]:
    script = f"{code}\nimport sys; print(*sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    loaded = loaded_after(
        "import beetsplug.deejai; plugin = beetsplug.deejai.DeejaiPlugin()"
        "\nplugin.commands()"
    )
    assert not loaded & {*HEAVY, "numpy", "scipy"}


@pytest.mark.parametrize(
    "verb", ["similar", "playlist", "journey", "reorder", "evaluate"]
)
def test_recommending_from_stored_vectors_imports_nothing_heavy(verb: str) -> None:
    loaded = loaded_after(f"import beetsplug.deejai.commands.{verb}")
    assert not loaded & {*HEAVY, "scipy"}


def test_every_package_is_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(project["tool"]["setuptools"]["packages"])
    found = {
        f"beetsplug.deejai.{name}".rstrip(".")
        for name, path in modules().items()
        if path.name == "__init__.py"
    }
    assert listed == found | {"beetsplug.deejai.weights"}


def test_no_file_outgrows_its_room() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path
