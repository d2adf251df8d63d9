"""``similar:`` in beets' own commands and in other plugins, through real ones."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from beets.exceptions import UserError
from beets.library import Item, Library, parse_query_string
from beets.test.helper import IOMixin, PluginTestHelper
from libraries import add_made_tracks, circle

N = 30


class Host(IOMixin, PluginTestHelper):
    """Tracks on a quarter circle, in a library that is sorted by year."""

    plugins = ("deejai",)
    preload_plugin = False
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.load_plugins(*self.plugins)
        self.config["sort_item"] = ["year+"]
        self.items = add_made_tracks(self.lib, circle(N))
        for number, item in enumerate(self.items):
            item["year"] = 1980 + (number * 7) % N
            item.store()

    def titles(self, *query: str) -> list[str]:
        return self.run_with_output("ls", "-f", "$title", *query).splitlines()

    def numbers(self, *query: str) -> list[int]:
        return [int(title.split()[1]) for title in self.titles(*query)]

    def refused(self, *args: str) -> str:
        with pytest.raises(UserError) as caught:
            self.run_command(*args)
        message = str(caught.value)
        assert "\n" not in message
        return message


class TestList(Host):
    def test_the_nearest_come_first_and_never_the_seed(self) -> None:
        assert self.numbers("similar:'title:=track 0'") == list(range(1, 11))
        numbers = self.numbers("similar:'track 12'")
        assert sorted(numbers) == [*range(7, 12), *range(13, 18)]
        distances = [abs(number - 12) for number in numbers]
        assert distances == sorted(distances)

    def test_it_is_what_the_verb_lists(self) -> None:
        for seed in ("title:=track 0", "year:1990..1992"):
            verb = self.run_with_output("deejai", "similar", "-f", "$title", seed)
            assert self.titles(f"similar:'{seed}'") == verb.splitlines()

    def test_the_configuration_says_how_many(self) -> None:
        self.config["deejai"]["similar_count"] = 3
        assert self.numbers("similar:'title:=track 0'") == [1, 2, 3]
        assert len(self.titles("^similar:'title:=track 0'")) == N - 3

    def test_another_sort_that_is_given_holds(self) -> None:
        years = self.run_with_output("ls", "-f", "$year", "similar:'track 12'", "year+")
        assert len(years.split()) == 10
        assert years.split() == sorted(years.split())

    def test_the_limit_keeps_the_nearest(self) -> None:
        assert self.numbers("-l", "2", "similar:'title:=track 0'") == [1, 2]

    def test_other_terms_leave_some_of_the_nearest(self) -> None:
        near = self.numbers("similar:'track 12'")
        kept = self.numbers("similar:'track 12'", "year:1990..")
        assert kept == [n for n in near if 1980 + n * 7 % N >= 1990]
        assert self.numbers("year:1990..", "similar:'track 12'") == kept
        assert 0 < len(kept) < len(near)

    def test_a_term_that_sql_cannot_answer_may_stand_beside_it(self) -> None:
        for item in self.items[:13]:
            item["mood"] = "blue"
            item.store()
        for query in (
            ["similar:'track 12'", "mood:blue"],
            ["mood:blue", "similar:'track 12'"],
        ):
            assert self.numbers(*query) == [11, 10, 9, 8, 7]

    def test_negated_it_is_all_others_in_the_usual_order(self) -> None:
        others = self.numbers("^similar:'track 12'")
        assert set(others) == set(range(N)) - {*range(7, 18)} | {12}
        assert others == sorted(others, key=lambda n: n * 7 % N)

    def test_either_of_two_mixes_them_by_nearness(self) -> None:
        self.config["deejai"]["similar_count"] = 2
        numbers = self.numbers("similar:'title:=track 0'", ",", "similar:'track 29'")
        assert set(numbers[:2]) == {1, 28}
        assert set(numbers[2:]) == {2, 27}

    def test_what_is_not_near_follows_in_the_usual_order(self) -> None:
        self.config["deejai"]["similar_count"] = 2
        numbers = self.numbers("similar:'title:=track 0'", ",", "year:..1982")
        assert numbers[:2] == [1, 2]
        assert numbers[2:] == [0, 13, 26]

    def test_both_of_two_are_what_they_share(self) -> None:
        query = ["similar:'track 10'", "similar:'track 14'"]
        assert set(self.numbers(*query)) == {9, 11, 12, 13, 15}

    def test_no_library_order_configured(self) -> None:
        self.config["sort_item"] = []
        assert self.numbers("similar:'title:=track 0'")[:3] == [1, 2, 3]

    def test_exclude_and_max_length_hold(self) -> None:
        self.config["deejai"]["exclude"] = "'title:=track 1'"
        self.items[2]["length"] = 700.0
        self.items[2].store()
        assert self.numbers("similar:'title:=track 0'")[:2] == [3, 4]

    def test_only_vectors_of_the_encoder_in_use_are_compared(self) -> None:
        self.items[1]["deejai_model"] = "another"
        self.items[1].store()
        assert self.numbers("similar:'title:=track 0'")[:2] == [2, 3]

    def test_a_file_of_the_library_is_a_seed(self, tmp_path: Path) -> None:
        path = tmp_path / "it's a file.mp3"
        path.touch()
        self.items[0].path = bytes(path)
        self.items[0].store()
        assert self.numbers(f"similar:{path}")[:2] == [1, 2]

    def test_modify_takes_it_too(self) -> None:
        self.run_command("modify", "-y", "-W", "-M", "similar:'track 12'", "mood=like")
        assert len(self.lib.items("mood:like")) == 10

    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ("similar:nothing", "nothing in the library matches 'nothing'"),
            ("similar:/no/such.mp3", "there is no such file"),
            (f"similar:{__file__}", "is not in the library"),
        ],
    )
    def test_a_seed_that_is_not_there_is_one_line(
        self, query: str, reason: str
    ) -> None:
        assert reason in self.refused("ls", query)

    def test_a_seed_without_a_vector_is_one_line(self) -> None:
        self.add_item(title="silence", path=b"/nowhere/silence.mp3")
        assert "beet deejai scan" in self.refused("ls", "similar:silence")
        # Another one with a vector is enough, and the other is not forgotten silently.
        assert len(self.titles("similar:'track 12'")) == 10

    def test_no_vectors_at_all_is_one_line(self) -> None:
        for item in self.items:
            del item["deejai_vector"]
            item.store()
        assert "beet deejai scan" in self.refused("ls", "similar:'track 12'")

    @pytest.mark.parametrize(
        "query", ["similar:", "similar:similar:track", "similar:' '"]
    )
    def test_what_is_no_seed_is_refused_as_any_bad_query_is(self, query: str) -> None:
        with pytest.raises(ValueError, match="similar:"):
            self.run_command("ls", query)

    @pytest.mark.parametrize(
        "query", ["similar::track", "similar:=track", "^similar::track"]
    )
    def test_it_takes_none_of_the_prefixes_of_other_fields(self, query: str) -> None:
        assert "regular expression" in self.refused("ls", query)

    def test_what_is_wrong_in_the_configuration_is_one_line(self) -> None:
        self.config["deejai"]["similar_count"] = 0
        assert "deejai.similar_count" in self.refused("ls", "similar:track")

    def test_however_deep_it_is_nested(self) -> None:
        with pytest.raises(ValueError, match="cannot stand within"):
            self.run_command("ls", "similar:" * 2000 + "track")

    def test_it_cannot_stand_in_exclude(self) -> None:
        self.config["deejai"]["exclude"] = "similar:'track 3'"
        assert "deejai.exclude" in self.refused("ls", "similar:'track 12'")
        assert "deejai.exclude" in self.refused("deejai", "similar", "track 12")

    def test_it_may_stand_in_the_seeds_and_candidates_of_a_verb(self) -> None:
        titles = self.run_with_output(
            "deejai",
            "playlist",
            "title:=track 0",
            "--from",
            "similar:\"'title:=track 0'\"",
            "-n",
            "10",
            "-f",
            "$title",
        )
        assert set(titles.splitlines()) == {f"track {n}" for n in range(11)}
        titles = self.run_with_output(
            "deejai", "similar", "similar:'title:=track 0'", "-n", "1", "-f", "$title"
        )
        assert titles in ("track 0\n", "track 11\n")


class TestAnyLibrary(Host):
    def test_a_library_that_beets_did_not_open_gives_the_same_set(self) -> None:
        assert type(self.lib) is Library
        found = self.lib.items(["similar:'title:=track 0'"])
        assert {item.title for item in found} == {f"track {n}" for n in range(1, 11)}

    def test_only_the_library_that_beets_opened_is_changed(self) -> None:
        self.run_command("ls", "similar:'track 12'")
        assert isinstance(self.lib, Library)
        assert type(self.lib) is not Library
        assert type(Library(":memory:", str(self.temp_path))) is Library

    def test_a_query_that_is_asked_of_nothing_matches_nothing(self) -> None:
        query, _ = parse_query_string("similar:track", Item)
        assert not query.match(Item(title="loose"))


class TestCost(Host):
    def test_one_search_serves_the_command(self) -> None:
        self.run_command("version")
        statements: list[str] = []
        with self.lib.transaction() as tx:
            tx.db._connection().set_trace_callback(statements.append)
        for query in (["similar:'track 12'"], ["similar:'track 12'", "mood:blue"]):
            statements.clear()
            list(self.lib.items(query))
            # Vectors, and perhaps of which encoders; not once for each of 30 tracks.
            assert 1 <= sum("deejai_vector" in text for text in statements) <= 2

    def test_no_framework_is_imported(self) -> None:
        code = (
            "import sys, os; from beets import ui, config; "
            "ui.main(['ls', 'similar:track 12']); "
            "heavy = {'tensorflow', 'keras', 'onnxruntime', 'librosa', 'av'}; "
            "sys.exit(bool(heavy & {name.partition('.')[0] for name in sys.modules}))"
        )
        home = self.temp_path / "home"
        home.mkdir()
        database = self.lib.path
        (home / "config.yaml").write_text(
            f"directory: {home}\nlibrary: {database}\nplugins: deejai\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={"BEETSDIR": str(home), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        assert len(result.stdout.splitlines()) == 10


class TestAlbums(Host):
    @pytest.fixture(autouse=True)
    def albums(self, tracks: None) -> None:
        """Albums of five, in the order of the circle."""
        for number in range(0, N, 5):
            items = self.items[number : number + 5]
            for item in items:
                item["album"] = f"album {number // 5}"
                item["albumartist"] = "one"
            self.lib.add_album(items)

    def albums_like(self, *query: str) -> list[str]:
        return self.run_with_output("ls", "-a", "-f", "$album", *query).splitlines()

    def test_the_nearest_come_first_and_never_the_seeds_own(self) -> None:
        self.config["sort_album"] = ["album-"]
        assert self.albums_like("similar:'track 11'") == [
            *["album 1", "album 3", "album 0", "album 4", "album 5"]
        ]
        assert self.albums_like("similar:'title:=track 0'", "album+")[0] == "album 1"

    def test_the_configuration_says_how_many(self) -> None:
        self.config["deejai"]["similar_count"] = 2
        assert self.albums_like("similar:'title:=track 0'") == ["album 1", "album 2"]
        assert len(self.albums_like("^similar:'title:=track 0'")) == 4

    def test_it_is_what_the_verb_lists(self) -> None:
        verb = self.run_with_output(
            "deejai", "similar", "-a", "-f", "$album", "track 12"
        )
        assert self.albums_like("similar:'track 12'") == verb.splitlines()


class TestExport(Host):
    plugins = ("deejai", "export")

    def test_the_nearest_are_exported_in_their_order(self) -> None:
        text = self.run_with_output(
            "export", "-l", "-i", "title", "similar:'title:=track 0'"
        )
        titles = [track["title"] for track in json.loads(text)]
        assert titles == [f"track {n}" for n in range(1, 11)]


class TestPlay(Host):
    plugins = ("deejai", "play")

    def test_the_player_gets_the_nearest_in_their_order(self, tmp_path: Path) -> None:
        heard = tmp_path / "heard.m3u"
        player = tmp_path / "player"
        player.write_text(f'#!/bin/sh\ncat "$1" > "{heard}"\n')
        player.chmod(0o755)
        # beets replaces the process by the player, so it needs one of its own.
        home = tmp_path / "home"
        home.mkdir()
        (home / "config.yaml").write_text(
            f"directory: {home}\nlibrary: {self.lib.path}\n"
            f"plugins: deejai play\nplay: {{command: {player}}}\n"
        )
        subprocess.run(
            [sys.executable, "-m", "beets", "play", "similar:'title:=track 0'"],
            env={"BEETSDIR": str(home), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            check=True,
        )
        names = [Path(line).stem for line in heard.read_text().splitlines()]
        assert names == [str(n) for n in range(1, 11)]


class TestSmartPlaylist(Host):
    plugins = ("deejai", "smartplaylist")

    @pytest.fixture(autouse=True)
    def playlists(self, tracks: None, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.config["smartplaylist"]["playlist_dir"] = str(tmp_path)
        self.config["deejai"]["similar_count"] = 3
        self.define(like="similar:\"'title:=track 0'\"")

    def define(self, **queries: str) -> None:
        self.config["smartplaylist"]["playlists"] = [
            {"name": f"{name}.m3u", "query": query} for name, query in queries.items()
        ]

    def written(self, name: str = "like") -> list[int] | None:
        path = self.folder / f"{name}.m3u"
        if not path.exists():
            return None
        numbers = [int(Path(line).stem) for line in path.read_text().splitlines()]
        path.unlink()
        return numbers

    def test_splupdate_writes_the_nearest_in_their_order(self) -> None:
        self.run_command("splupdate")
        assert self.written() == [1, 2, 3]

    def test_other_terms_and_sorts_hold(self) -> None:
        self.define(
            like="similar:\"'title:=track 0'\" year-",
            some="similar:\"'title:=track 0'\" year:1990..",
            both="similar:\"'title:=track 0'\" , similar:\"'track 29'\"",
        )
        self.run_command("splupdate")
        assert self.written() == [3, 2, 1]
        assert self.written("some") == [2, 3]
        assert sorted(self.written("both") or []) == [1, 2, 3, 26, 27, 28]

    def test_one_lost_seed_does_not_keep_the_others_from_being_written(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.define(
            lost="similar:vanished",
            bad="similar:similar:x",
            like="similar:\"'track 12'\"",
        )
        with caplog.at_level(logging.WARNING, logger="beets"):
            self.run_command("splupdate")
        assert self.written("lost") is None
        assert sorted((self.written() or [])[:2]) == [11, 13]
        assert "'vanished'" in caplog.text
        assert "cannot stand within" in caplog.text

    def change(self, number: int, *, to: float | None = None) -> list[int] | None:
        """Modify a track as a command would, and return what was written then."""
        item = self.items[number]
        if to is not None:
            item["deejai_vector"] = circle(901)[round(to / (N - 1) * 900)]
        item["comments"] = f"{item.comments}."
        self.run_command("splupdate")  # opens the library
        self.written()
        from beets import plugins

        (plugin,) = (p for p in plugins.find_plugins() if p.name == "smartplaylist")
        plugin.build_queries()
        # A first change, of a track that is far, is what the query is evaluated for.
        self.items[25]["comments"] = f"{self.items[25].comments}."
        self.items[25].store()
        item.store()
        plugins.send("cli_exit", lib=self.lib)
        return self.written()

    def test_a_change_of_what_is_near_writes_the_playlist(self) -> None:
        assert self.change(2) == [1, 2, 3]

    def test_a_change_of_what_is_far_does_not(self) -> None:
        assert self.change(20) is None

    def test_what_comes_near_writes_it(self) -> None:
        assert self.change(20, to=1.5) == [1, 20, 2]

    def test_a_change_of_the_seed_writes_it(self) -> None:
        assert self.change(0, to=29) == [29, 28, 27]


def test_the_order_of_ties_is_that_of_the_library() -> None:
    from beetsplug.deejai.queries import NearnessSort, SimilarQuery

    sort = NearnessSort([SimilarQuery("similar", "x")])
    items = [Item(id=number) for number in (3, 1, 2)]
    assert [item.id for item in sort.sort(items)] == [3, 1, 2]
