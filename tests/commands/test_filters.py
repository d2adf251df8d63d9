"""The verb filters, through the real command line."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from beets import config
from beets.library import Item
from command_line import CommandLine
from libraries import add_files, make_album
from models import write_onnx
from planted import PLANTED, PLANTED_RATE, planted_wave
from sounds import RATE, noise, write_sound

from beetsplug.deejai.embedding.encoder import load_encoder, model_path
from beetsplug.deejai.embedding.keras_encoder import KerasEncoder

if TYPE_CHECKING:
    from pathlib import Path

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")

HOSTILE = "</script><img src=x onerror=alert(1)>"

HEADING = re.compile(r"(\w+), filter (\d+)(?:: (.*))?")
LINE = re.compile(r" *(-?[\d.e+-]+) +(\d+:\d\d)  (.*)")


def read_filters(output: str) -> dict[int, tuple[str, list[tuple[float, str, str]]]]:
    """Read what is printed: by number the name, and value, time and track of lines."""
    filters: dict[int, tuple[str, list[tuple[float, str, str]]]] = {}
    lines: list[tuple[float, str, str]] = []
    for text in output.splitlines():
        if heading := HEADING.fullmatch(text):
            lines = []
            filters[int(heading[2])] = heading[3] or "", lines
        elif text:
            found = LINE.fullmatch(text)
            assert found, text
            lines.append((float(found[1]), found[2], found[3]))
    return filters


def data_in(path: Path) -> dict[str, Any]:
    found = re.search(r'id="filters-data">(.*?)</script>', path.read_text())
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


class TestFilters(CommandLine):
    @pytest.fixture(autouse=True)
    def tracks(self, setup: None, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.paths = make_album(tmp_path / "music")
        self.items = add_files(self.lib, self.paths)
        config["deejai"]["playlist_dir"] = str(tmp_path)

    def filters(self, *args: str) -> dict[int, Any]:
        return read_filters(
            self.run_with_output("deejai", "filters", *args, "-f", "$title")
        )

    def test_each_filter_lists_its_tracks_strongest_first(self) -> None:
        filters = self.filters()
        assert list(filters) == list(range(24))
        for _, lines in filters.values():
            assert 0 < len(lines) <= 5
            values = [value for value, _, _ in lines]
            assert values == sorted(values, reverse=True)
            assert {time for _, time, _ in lines} <= {f"0:0{s}" for s in range(6)}

    def test_layers_are_listed(self) -> None:
        lines = self.run_with_output("deejai", "filters", "--layers").splitlines()
        assert lines[0] == "0 conv_0 (Conv2D, 24 filters)"
        assert lines[-1] == "4 vectors (Dense, 100 filters)"

    def test_filters_layers_and_numbers_of_tracks_are_chosen(self) -> None:
        args = ("--filter", "3,5-6", "--filter", "0", "-n", "2")
        by_name = self.filters("--layer", "conv_1", *args)
        assert list(by_name) == [0, 3, 5, 6]
        assert all(len(lines) <= 2 for _, lines in by_name.values())
        assert by_name == self.filters("--layer", "1", *args)

    def test_the_mean_ranks_by_what_lasts(self) -> None:
        largest = self.filters("--filter", "0-7")
        means = self.filters("--filter", "0-7", "--by", "mean")
        assert largest != means
        for number, (_, lines) in means.items():
            by_title = {title: value for value, _, title in largest[number][1]}
            for value, _, title in lines:
                assert value <= by_title[title] + 1e-3

    def test_a_query_limits_what_is_heard(self) -> None:
        filters = self.filters("title:h", "--filter", "0-3")
        found = {title for _, lines in filters.values() for _, _, title in lines}
        assert found <= {"high", "hiss"}
        assert found

    def test_a_library_of_three_tracks_will_do(self) -> None:
        for item in self.items[3:]:
            item.remove()
        filters = self.filters("--filter", "0-3", "--layer", "conv_3")
        assert all(len(lines) <= 3 for _, lines in filters.values())
        assert any(lines for _, lines in filters.values())

    def test_copies_of_a_recording_are_listed_once(self) -> None:
        for number in range(4):
            copy = self.folder / "music" / f"low {number}.flac"
            shutil.copy(self.paths[0], copy)
            [item] = add_files(self.lib, [copy])
            item["album"] = f"The Best of {number}"
            item.store()
        for _, lines in self.filters().values():
            titles = [title for _, _, title in lines]
            assert len(titles) == len(set(titles))

    def test_playlists_go_into_a_folder(self) -> None:
        (self.folder / "lists").mkdir()
        output = self.run_with_output(
            "deejai", "filters", "--filter", "2-3", "-n", "3", "-o", "lists"
        )
        assert output.startswith("2 playlists: ")
        assert output.endswith("/lists/conv_0-002.m3u8 to conv_0-003.m3u8\n")
        names = sorted(path.name for path in (self.folder / "lists").iterdir())
        assert names == ["conv_0-002.m3u8", "conv_0-003.m3u8"]
        lines = (self.folder / "lists" / names[0]).read_text().splitlines()
        assert lines[0] == "#EXTM3U"
        assert lines[1].startswith("# conv_0, filter 2")
        assert "beet deejai filters --filter 2-3 -n 3" in lines[1]
        entries = [lines[i : i + 3] for i in range(2, len(lines), 3)]
        assert 0 < len(entries) <= 3
        for title, start, location in entries:
            assert re.fullmatch(r"#EXTINF:\d+,artist (\w+) - \1 \(0:0\d\)", title)
            seconds = title[-2]
            assert start == f"#EXTVLCOPT:start-time={seconds}"
            assert location.startswith("../music/")

    def test_a_name_is_numbered_unless_there_is_one_filter(self) -> None:
        self.run_command("deejai", "filters", "--filter", "7", "-o", "drum.m3u")
        self.run_command("deejai", "filters", "--filter", "7,11", "-o", "drum.m3u")
        names = sorted(path.name for path in self.folder.glob("*.m3u"))
        assert names == ["drum-007.m3u", "drum-011.m3u", "drum.m3u"]

    def test_a_length_in_the_library_that_is_wrong_moves_no_moment(self) -> None:
        wave = np.concatenate(
            [np.zeros(8 * RATE), noise(seconds=1.0), np.zeros(3 * RATE)]
        )
        path = write_sound(self.folder / "burst.wav", wave)
        (item,) = add_files(self.lib, [path])
        item["length"] = 6.0
        item["title"] = "burst"
        item.store()
        lines = [line for _, some in self.filters().values() for line in some]
        times = {time for _, time, title in lines if title == "burst"}
        assert times & {"0:07", "0:08"}

    def test_files_that_vanished_are_told_and_passed_over(self) -> None:
        self.paths[0].unlink()
        self.run_command("deejai", "filters", "--filter", "0", "-o", "a.m3u8")
        assert "low.flac" not in (self.folder / "a.m3u8").read_text()
        for path in self.paths[1:]:
            path.unlink()
        assert "no track could be heard" in self.refused("filters")

    def test_the_last_layer_is_read_from_what_is_stored(self) -> None:
        assert "beet deejai scan" in self.refused("filters", "--layer", "vectors")
        self.run_command("deejai", "scan")
        for path in self.paths:
            path.unlink()
        filters = self.filters("--layer", "vectors", "--filter", "0-9")
        assert all(len(lines) == 5 for _, lines in filters.values())

    def test_silent_filters_are_said_to_be(self) -> None:
        encoder = load_encoder(model_path("default"))
        assert isinstance(encoder, KerasEncoder)
        layer = encoder.network.get_layer("conv_0")
        kernel, bias = layer.get_weights()
        kernel[..., :2] = 0
        bias[:2] = -1, 3
        layer.set_weights([kernel, bias])
        path = self.folder / "dead.keras"
        encoder.network.save(path)
        config["deejai"]["model"] = str(path)
        filters = self.filters("--filter", "0-2")
        for number in (0, 1):
            assert filters[number] == ("silent, the same for every track", [])
        assert filters[2][1]
        output = self.run_with_output(
            "deejai", "filters", "--filter", "0-2", "-o", "some.m3u8"
        )
        assert output.startswith("wrote ")
        assert output.endswith("/some-002.m3u8; 2 silent\n")
        assert [path.name for path in self.folder.glob("*.m3u8")] == ["some-002.m3u8"]

    def test_the_sheet_holds_drawings_clips_and_tracks(self) -> None:
        output = self.run_with_output("deejai", "filters", "--sheet", "f.html")
        assert re.match(r"24 filters and \d+ clips in .*f\.html \(\d\.\d MB\)", output)
        data = data_in(self.folder / "f.html")
        assert data["layer"] == "conv_0"
        assert data["kernel"] == [5, 5]
        assert len(data["filters"]) == 24
        for one in data["filters"]:
            assert one["silent"] or (one["patch"] and one["kernel"])
            for top in one["tops"]:
                assert data["clips"][top["clip"]]
        deeper = ("--layer", "conv_2", "--filter", "0-4")
        self.run_command("deejai", "filters", *deeper, "--sheet", "g.html")
        assert data_in(self.folder / "g.html")["kernel"] is None

    def test_tags_on_the_sheet_stay_text(self) -> None:
        for item, title in zip(
            self.items, (HOSTILE, "ζ" * 5000, "a\x00b", "", "a\nb"), strict=True
        ):
            item["title"] = item["artist"] = title
            item["genres"] = [HOSTILE]
            item.store()
        self.run_command("deejai", "filters", "--filter", "0-3", "--sheet", "f.html")
        html = (self.folder / "f.html").read_text()
        assert "<img" not in html
        tops = data_in(self.folder / "f.html")["filters"][0]["tops"]
        assert {HOSTILE, "high"} & {top["title"] for top in tops}
        assert all(len(top["title"]) <= 400 for top in tops)

    @pytest.mark.parametrize(
        ("args", "says"),
        [
            (("--layer", "conv_9"), "it has 0 conv_0 (Conv2D, 24 filters), 1 conv_1"),
            (("--filter", "24"), "the filters of conv_0 are 0 to 23"),
            (("--filter", "20-30"), "the filters of conv_0 are 0 to 23"),
            (("--filter", "x"), "'x' names no filters (try 7, 0-15 or 3,5,8)"),
            (("--filter", "5-3"), "names no filters"),
            (("--filter", ""), "names no filters"),
            (("--by", "median"), "max"),
            (("-n", "0"), "-n takes a whole number from 1 up"),
            (("artist:nobody",), "no track matches 'artist:nobody'"),
            (("-o", "none"), "-o none: the folder does not exist"),
            (("-o", "none/a.m3u8"), "does not exist"),
            (("-o", "a.mp3"), "ends in .m3u or .m3u8"),
            (("-o", "a.m3u", "-o", "a.m3u"), "written twice"),
            (("--sheet", "a.pdf"), "--sheet a.pdf: a name ends in .html"),
            (("--sheet", "none/a.html"), "does not exist"),
        ],
    )
    def test_mistakes_are_refused_in_a_sentence(
        self, args: tuple[str, ...], says: str
    ) -> None:
        assert says in self.refused("filters", *args)
        assert [path.name for path in self.folder.iterdir()] == ["music"]

    def test_an_empty_library_is_refused(self) -> None:
        for item in self.items:
            item.remove()
        assert "the library is empty" in self.refused("filters")

    def test_an_onnx_encoder_is_refused(self) -> None:
        path = write_onnx(self.folder / "patches.onnx")
        config["deejai"]["model"] = str(path)
        message = self.refused("filters")
        assert "no Keras encoder" in message
        assert "beet deejai models choose" in message

    def test_more_filters_than_a_page_can_hold_are_refused(self) -> None:
        from beetsplug.deejai.training.seed_networks import dieleman1d

        path = self.folder / "wide.keras"
        dieleman1d(filters=(2, 2, 2), n_hidden=(600, 2), vector_size=4).save(path)
        config["deejai"]["model"] = str(path)
        wide = ("filters", "--layer", "hidden_1", "--sheet", "f.html")
        assert "512 filters at most" in self.refused(*wide)
        filters = self.filters("--layer", "hidden_1", "--filter", "0-3")
        assert len(filters) == 4


class TestPlantedSounds(CommandLine):
    """Some filter has to hear each sound, and is named by the tag of its carriers."""

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None, tmp_path: Path) -> None:
        self.folder = tmp_path
        config["deejai"]["playlist_dir"] = str(tmp_path)
        kinds = [kind for kind in PLANTED for _ in range(30)] + [None] * 40
        with self.lib.transaction():
            for number, kind in enumerate(kinds):
                path = tmp_path / f"{number}.wav"
                wave = planted_wave(kind, seed=number, seconds=5.2)
                soundfile.write(path, wave, PLANTED_RATE)
                item = Item.from_path(str(path).encode())
                # The mood says nothing of the sound.
                item.update({"title": str(number), "mood": "ABC"[number % 3]})
                item["genres"] = [kind] if kind else []
                item.add(self.lib)
        self.kinds = kinds

    def test_some_filter_hears_each_and_is_named_by_it(self) -> None:
        args = ("deejai", "filters", "--layer", "conv_2", "--by", "mean")
        filters = read_filters(self.run_with_output(*args, "-f", "$title"))
        hearing = {
            kind: [
                number
                for number, (_, tops) in filters.items()
                if [self.kinds[int(title)] for *_, title in tops].count(kind) >= 8
            ]
            for kind in PLANTED
        }
        for kind, numbers in hearing.items():
            assert numbers, kind
            assert {filters[number][0] for number in numbers} == {kind}
        names = [name for name, _ in filters.values()]
        assert sum(name in set("ABC") for name in names) <= 0.05 * len(names)
        # Clips take long: some filters are enough to see the page.
        chosen = {kind: numbers[0] for kind, numbers in hearing.items()}
        some = ",".join(map(str, chosen.values()))
        self.run_command(*args, "--filter", some, "--sheet", "f.html")
        data = data_in(self.folder / "f.html")
        assert data["tracks"] == 130
        shown = {one["number"]: one for one in data["filters"]}
        for kind, number in chosen.items():
            assert shown[number]["name"] == kind
            assert len(shown[number]["tops"]) == 10
            titles = [int(top["title"]) for top in shown[number]["tops"]]
            assert [self.kinds[title] for title in titles].count(kind) >= 8
