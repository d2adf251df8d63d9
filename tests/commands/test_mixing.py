"""Mixes, as a user asks for them."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import mutagen
import numpy as np
import pytest
import soundfile
from command_line import CommandLine
from libraries import add_files, circle, current_model
from listening import chapters_of, cue_starts_s, integrated_lufs
from mediafile import Image, ImageType, MediaFile
from PIL import Image as Picture
from sounds import RATE, clicks, noise, write_sound

from beetsplug.deejai.output.mixing.encode import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beets.library import Item

SECONDS = 1.5
TITLES = ("one", "zwölf", "three", "four")
# Neighbours overlap by a third.
STARTS_S = [SECONDS * 2 / 3 * number for number in range(len(TITLES))]


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four tracks of equal noise."""
    folder = tmp_path_factory.mktemp("music")
    paths = []
    for number, title in enumerate(TITLES):
        wave = noise(seconds=SECONDS, seed=number)
        path = write_sound(folder / f"{number}.flac", wave, layout="stereo")
        media = MediaFile(path)
        media.update({"title": title, "artist": f"artist {title}", "track": number})
        media.save()
        paths.append(path)
    return paths


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Picture.new("RGB", (30, 30), colour).save(file, "PNG")
    return file.getvalue()


class Library(CommandLine):
    items: Sequence[Item]

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None, music: list[Path]) -> None:
        # Copies, as some tests harm them.
        folder = self.temp_path / "music"
        folder.mkdir()
        self.paths = [Path(shutil.copy(path, folder)) for path in music]
        self.items = add_files(self.lib, self.paths)
        self.config["deejai"]["relative_to"] = "absolute"
        self.out = self.temp_path / "out"
        self.out.mkdir()
        self.config["deejai"]["playlist_dir"] = str(self.out)

    def mix(self, *args: str, name: str = "mix.flac") -> Path:
        """Mix the tracks of a query or a playlist, else all."""
        given = args if args and not args[0].startswith("-") else ("track+", *args)
        self.printed = self.run_with_output("deejai", "mix", *given, "-o", name)
        return self.out / name

    def playlist(self, *lines: str | Path, name: str = "list.m3u8") -> str:
        path = self.temp_path / name
        path.write_text("\n".join(map(str, lines)) + "\n")
        return str(path)

    def made(self) -> list[str]:
        return sorted(os.listdir(self.out))


class TestMix(Library):
    def test_a_query_is_mixed_in_its_order(self) -> None:
        path = self.mix("track-", name="mix.mp3")
        names = [f"artist {title} - {title}" for title in TITLES[::-1]]
        chapters = chapters_of(path)
        assert [title for _, title in chapters] == names
        assert [start_s for start_s, _ in chapters] == pytest.approx(STARTS_S, abs=2e-3)
        assert self.printed == f"4 tracks, 0:04 in {path}\n"

    def test_a_playlist_is_mixed_in_its_order(self) -> None:
        lines = [self.paths[number] for number in (2, 0, 2, 1)]
        path = self.mix(self.playlist(*lines))
        titles = [title.split(" - ")[1] for _, title in chapters_of(path)]
        assert titles == ["three", "one", "three", "zwölf"]

    def test_files_and_queries_go_together(self) -> None:
        path = self.mix("title:three", str(self.paths[0]), self.playlist(self.paths[1]))
        titles = [title.split(" - ")[1] for _, title in chapters_of(path)]
        assert titles == ["one", "zwölf", "three"]

    def test_a_file_outside_the_library_is_named_by_its_tags(self) -> None:
        outside = write_sound(self.temp_path / "x.flac", noise(seconds=1))
        untagged = Path(shutil.copy(outside, self.temp_path / "untagged.flac"))
        media = MediaFile(outside)
        media.update({"title": "strange", "artist": "somebody"})
        media.save()
        path = self.mix(str(outside), str(untagged))
        names = [title for _, title in chapters_of(path)]
        assert names == ["somebody - strange", "untagged"]

    def test_one_track_is_a_mix(self) -> None:
        path = self.mix("title:three")
        assert soundfile.info(path).duration == SECONDS
        assert MediaFile(path).title == "artist three - three"

    def test_several_outputs_are_each_of_their_format(self) -> None:
        names = [f"mix{suffix}" for suffix in FORMATS]
        more = [word for name in names[1:] for word in ("-o", name)]
        self.mix("track+", *more, name=names[0])
        assert self.made() == sorted(names)
        lengths_s = [mutagen.File(self.out / name).info.length for name in names]
        assert lengths_s == pytest.approx([4.5] * len(names), abs=0.08)

    def test_a_mix_and_its_playlist_are_written_at_once(self) -> None:
        self.mix("track+", "-o", "list.m3u")
        assert self.made() == ["list.m3u", "mix.flac"]

    def test_the_tags_name_the_whole_and_its_parts(self) -> None:
        media = MediaFile(self.mix(name="mix.opus"))
        assert media.title == "artist one - one -> artist four - four"
        assert media.artist == "Various Artists"
        assert media.comments == (
            "0:00 artist one - one\n"
            "0:01 artist zwölf - zwölf\n"
            "0:02 artist three - three\n"
            "0:03 artist four - four"
        )

    @pytest.mark.parametrize("name", ["Nächte 🎶 %d 'x'.mp3", b"caf\xe9.mp3"])
    def test_any_name_will_do(self, name: str | bytes) -> None:
        name = os.fsdecode(name)
        for path, item in zip(self.paths, self.items, strict=True):
            item.path = os.fsencode(path.rename(path.with_name(f"{path.stem}{name}")))
            item.store()
        self.mix("--cue", "--m3u8", name=name)
        stem = os.path.splitext(name)[0]
        assert self.made() == sorted([f"{stem}.cue", f"{stem}.m3u8", name])
        assert b'FILE "%s" MP3' % os.fsencode(name) in (
            (self.out / f"{stem}.cue").read_bytes()
        )
        beside = (self.out / f"{stem}.m3u8").read_bytes().splitlines()
        assert [line for line in beside if not line.startswith(b"#")] == [
            item.path for item in self.items
        ]

    def test_an_old_mix_is_replaced(self) -> None:
        (self.out / "mix.flac").write_bytes(b"old")
        assert soundfile.info(self.mix()).duration == 4.5
        assert self.made() == ["mix.flac"]


class TestOptions(Library):
    def test_crossfade_is_the_longest_overlap(self) -> None:
        assert soundfile.info(self.mix("--crossfade", "0.2s")).duration == 5.4
        self.config["deejai"]["crossfade"] = "0.1s"
        assert soundfile.info(self.mix()).duration == 5.7

    def test_without_a_crossfade_and_loudness_every_sample_is_kept(self) -> None:
        path = self.mix("--crossfade", "0", "--loudness", "off")
        parts = [soundfile.read(path, dtype="int16")[0] for path in self.paths]
        mix, _ = soundfile.read(path, dtype="int16")
        assert np.array_equal(mix, np.concatenate(parts))

    def test_silence_is_left_out_unless_it_is_to_be_kept(self) -> None:
        silence = np.zeros(RATE)
        for path in self.paths:
            wave = np.r_[silence, noise(seconds=SECONDS), silence]
            soundfile.write(path, np.c_[wave, wave], RATE)
        assert soundfile.info(self.mix("--crossfade", "0")).duration == 6
        path = self.mix("--crossfade", "0", "--keep-silence")
        assert soundfile.info(path).duration == 14
        starts_s = [start_s for start_s, _ in chapters_of(path)]
        assert starts_s == pytest.approx([0, 3.5, 7, 10.5])

    @pytest.mark.parametrize("target", ["-20", "-14.5"])
    def test_loudness_is_that_of_the_mix(self, target: str) -> None:
        path = self.mix("--loudness", target)
        assert integrated_lufs(path) == pytest.approx(float(target), abs=0.3)

    def test_loudness_is_a_setting(self) -> None:
        assert integrated_lufs(self.mix()) == pytest.approx(-14, abs=0.3)
        self.config["deejai"]["loudness"] = -22
        assert integrated_lufs(self.mix()) == pytest.approx(-22, abs=0.3)
        assert integrated_lufs(self.mix("--loudness=-18")) == pytest.approx(
            -18, abs=0.3
        )
        # What `loudness: off` is in YAML.
        self.config["deejai"]["loudness"] = False
        usual = integrated_lufs(self.paths[0])
        assert integrated_lufs(self.mix()) == pytest.approx(usual, abs=0.3)

    def test_the_gain_in_the_tags_is_believed(self) -> None:
        measured = integrated_lufs(self.paths[0])
        for item in self.items:
            # As of tracks that are 4 LU louder.
            item["rg_track_gain"] = -18 - (measured + 4)
            item.store()
        assert integrated_lufs(self.mix()) == pytest.approx(-18, abs=0.3)
        self.items[0]["r128_track_gain"] = -23 - (measured + 6)
        self.items[0].store()
        path = self.mix("title:one")
        assert integrated_lufs(path) == pytest.approx(-20, abs=0.3)

    def test_quality_and_bit_rate_are_those_of_the_mp3(self) -> None:
        best = mutagen.File(self.mix("--quality", "0", name="mix.mp3")).info
        worst = mutagen.File(self.mix("--quality", "9", name="mix.mp3")).info
        assert worst.bitrate < best.bitrate / 2
        fixed = mutagen.File(self.mix("--bitrate", "96", name="mix.mp3")).info
        assert fixed.bitrate == pytest.approx(96_000, abs=10)

    def test_sample_rate_is_that_of_the_mix(self) -> None:
        path = self.mix("--sample-rate", "48000")
        assert soundfile.info(path).samplerate == 48_000
        assert soundfile.info(path).duration == pytest.approx(4.5, abs=1e-3)

    @pytest.mark.parametrize(
        ("words", "tells"),
        [
            ("--loudness loud", "--loudness: 'loud'"),
            ("--loudness nan", "--loudness: 'nan'"),
            ("--loudness 3", "--loudness: '3'"),
            ("--loudness -41", "--loudness: '-41'"),
            ("--crossfade long", "--crossfade: 'long'"),
            ("--crossfade 61", "0 to 60 seconds"),
            ("--crossfade -1", "--crossfade: '-1'"),
            ("--bitrate fast", "--bitrate: 'fast'"),
            ("--bitrate 7", "--bitrate 7"),
            ("--bitrate -1", "--bitrate: '-1'"),
            ("--bitrate 191", "--bitrate 191"),
            ("--bitrate 192k", "--bitrate: '192k'"),
            ("--quality 10", "--quality 10"),
            ("--quality best", "--quality: 'best'"),
            ("--quality 2 --bitrate 192", "only one"),
            ("--quality 2 -o mix.flac", "not for .flac"),
            ("--bitrate 192 -o mix.wav", ".wav keeps every sample"),
            ("--sample-rate 22050", "44100 or 48000"),
            ("--sample-rate 44.1k", "--sample-rate: '44.1k'"),
            ("--sample-rate ٤٨٠٠٠", "--sample-rate"),
            ("--sample-rate 44100 -o mix.opus", "always 48000"),
            ("-o mix.aiff", "-o mix.aiff"),
            ("-o mix", "-o mix"),
        ],
    )
    def test_what_cannot_be_meant_is_one_line_before_any_work(
        self, words: str, tells: str
    ) -> None:
        # The query finds nothing, which would be told next.
        args = ["title:nosuch", "-o", "mix.mp3", *words.split()]
        assert tells in self.refused("mix", *args)
        assert self.made() == []

    @pytest.mark.parametrize("option", ["--bitrate", "--quality", "--sample-rate"])
    def test_a_number_of_any_length_is_one_line(self, option: str) -> None:
        assert option in self.refused("mix", "-o", "mix.mp3", option, "9" * 5000)

    def test_a_wrong_setting_names_its_key(self) -> None:
        self.config["deejai"]["loudness"] = "loud"
        message = self.refused("mix", "title:nosuch", "-o", "mix.mp3")
        assert "deejai.loudness" in message

    @pytest.mark.parametrize("option", ["--cue", "--m3u8", "--preview"])
    def test_what_belongs_to_a_mix_needs_one(self, option: str) -> None:
        for output in ([], ["-o", "list.m3u8"]):
            message = self.refused("similar", "title:nosuch", *output, option)
            assert message == "--cue, --m3u8 and --preview need a mix: -o mix.mp3"


class TestBeats(Library):
    def onsets_s(self) -> list[float]:
        wave, _ = soundfile.read(self.out / "mix.flac")
        loud = np.flatnonzero(np.abs(wave[:, 0]) > 0.1)
        starts = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > RATE / 20)]
        return [float(start) / RATE for start in starts]

    def off_the_beat(self, bpm: tuple[int, int]) -> list[float]:
        """Mix two tracks of 2 beats a second; tell how far each click is off them."""
        wave = clicks(seconds=20, per_second=2)
        # Without it, silence would be left out up to the first click.
        wave += 0.02 * noise(seconds=20)
        for path, n_skipped in ((self.paths[0], 0), (self.paths[1], RATE // 3)):
            soundfile.write(path, np.c_[wave, wave][n_skipped:], RATE)
        for item, each in zip(self.items, bpm, strict=False):
            item["bpm"] = each
            item.store()
        self.mix("title::^(one|zwölf)$", "track+")
        return [abs((each + 0.25) % 0.5 - 0.25) for each in self.onsets_s()]

    def test_tracks_of_one_tempo_beat_together(self) -> None:
        off_s = self.off_the_beat((120, 120))
        assert len(off_s) > 70
        assert max(off_s) < 0.015

    def test_tracks_of_two_tempi_are_left_as_they_are(self) -> None:
        assert max(self.off_the_beat((120, 90))) > 0.05


class TestBeside(Library):
    def test_cue_sheet_and_chapters_agree(self) -> None:
        path = self.mix("--cue", name="mix.mp3")
        sheet = self.out / "mix.cue"
        starts_s = [start_s for start_s, _ in chapters_of(path)]
        assert len(starts_s) == 4
        assert cue_starts_s(sheet) == pytest.approx(starts_s, abs=1 / 75)
        lines = sheet.read_text().splitlines()
        assert lines[:3] == [
            'TITLE "artist one - one -> artist four - four"',
            'PERFORMER "Various Artists"',
            'FILE "mix.mp3" MP3',
        ]
        assert '    TITLE "zwölf"' in lines
        assert '    PERFORMER "artist zwölf"' in lines
        assert f"cue sheet in {sheet}" in self.printed

    def test_the_playlist_beside_holds_what_is_in_the_mix(self) -> None:
        self.paths[1].unlink()
        self.paths[2].write_text("no music " * 1000)
        self.mix(
            "--m3u8", "--cue", "--crossfade", "0.5s", "--quality", "3", name="a.mp3"
        )
        lines = (self.out / "a.m3u8").read_text().splitlines()
        assert lines == [
            "#EXTM3U",
            "# beet deejai mix track+ --crossfade 0.5s",
            "#EXTINF:2,artist one - one",
            str(self.paths[0]),
            "#EXTINF:2,artist four - four",
            str(self.paths[3]),
        ]
        assert len(cue_starts_s(self.out / "a.cue")) == 2

    def test_a_playlist_does_not_tell_how_a_mix_was_rendered(self) -> None:
        self.mix(
            *("track+", "--loudness", "-20", "--keep-silence", "--sample-rate"),
            *("48000", "--bitrate", "96", "--cue", "--m3u8", "--preview"),
            *("-o", "other.m3u"),
            name="a.mp3",
        )
        for name in ("a.m3u8", "other.m3u"):
            lines = (self.out / name).read_text().splitlines()
            assert lines[1] == "# beet deejai mix track+"

    def test_nothing_lies_beside_unless_it_is_wanted(self) -> None:
        self.mix()
        assert self.made() == ["mix.flac"]

    def test_a_name_that_no_cue_sheet_can_hold_is_refused_before_any_work(
        self,
    ) -> None:
        message = self.refused("mix", "title:nosuch", "-o", '12".mp3', "--cue")
        assert "cue sheet" in message
        assert self.made() == []

    def test_without_a_cue_sheet_such_a_name_will_do(self) -> None:
        self.mix("--m3u8", name='12".mp3')
        assert self.made() == ['12".m3u8', '12".mp3']


class TestPreview(Library):
    def test_only_what_is_near_the_joins_is_rendered(self) -> None:
        for number, path in enumerate(self.paths):
            wave = noise(seconds=30, seed=number)
            soundfile.write(path, np.c_[wave, wave], RATE)
        path = self.mix("--preview", "--crossfade", "1s", "--cue")
        # Three joins with 10 s on either side.
        assert soundfile.info(path).duration == 63
        chapters = chapters_of(path)
        assert [title for _, title in chapters] == [
            "artist one - one -> artist zwölf - zwölf",
            "artist zwölf - zwölf -> artist three - three",
            "artist three - three -> artist four - four",
        ]
        assert [start_s for start_s, _ in chapters] == pytest.approx([0, 21, 42])
        assert MediaFile(path).comments == (
            f"0:00 {chapters[0][1]}\n0:21 {chapters[1][1]}\n0:42 {chapters[2][1]}"
        )

    def test_all_of_it_is_in_some_chapter_when_tracks_are_short(self) -> None:
        path = self.mix("--preview")
        starts_s = [start_s for start_s, _ in chapters_of(path)]
        # Half of what is between two joins belongs to each.
        assert starts_s == pytest.approx([0, 1.75, 2.75])

    def test_one_track_has_no_joins(self) -> None:
        message = self.refused("mix", "title:one", "-o", "a.mp3", "--preview")
        assert "two tracks" in message
        assert self.made() == []


class TestWhatIsMissing(Library):
    def test_a_missing_file_is_skipped_and_said(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        gone = self.temp_path / "gone.mp3"
        path = self.mix(self.playlist(self.paths[0], gone, self.paths[1]))
        assert len(chapters_of(path)) == 2
        assert f"left out of the mix: {gone}: the file does not exist" in caplog.text

    def test_a_radio_station_in_a_playlist_is_left_out(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = self.mix(self.playlist(self.paths[0], "http://radio.example/x"))
        assert len(chapters_of(path)) == 1
        assert "http://radio.example/x" in caplog.text

    def test_a_broken_file_is_told_and_left_early(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        os.truncate(self.paths[0], self.paths[0].stat().st_size // 2)
        assert len(chapters_of(self.mix())) == 4
        assert f"not whole in the mix: {self.paths[0]}: ends at" in caplog.text

    def test_when_all_are_missing_that_is_one_line(self) -> None:
        names = [self.temp_path / f"{number}.mp3" for number in range(3)]
        message = self.refused("mix", self.playlist(*names), "-o", "a.mp3", "--cue")
        assert message.startswith("no track can be mixed")
        assert self.made() == []

    @pytest.mark.parametrize(
        "outputs", [["no/a.mp3"], ["a.mp3", "no/b.mp3"], ["no/a.m3u", "a.mp3"]]
    )
    def test_a_missing_folder_is_told_before_anything_is_written(
        self, outputs: list[str]
    ) -> None:
        args = [word for output in outputs for word in ("-o", output)]
        assert "does not exist" in self.refused("mix", "track+", *args)
        assert self.made() == []

    def test_a_mix_never_overwrites_one_of_its_tracks(self) -> None:
        before = self.paths[1].read_bytes()
        message = self.refused("mix", "track+", "-o", str(self.paths[1]))
        assert "one of the tracks" in message
        assert self.paths[1].read_bytes() == before


class TestNamesThatMeet(Library):
    def test_the_playlist_that_is_mixed_is_not_replaced_by_what_can_be_played(
        self,
    ) -> None:
        gone = self.temp_path / "gone.mp3"
        name = self.playlist("#EXTINF:9,Gone", gone, self.paths[0], name="out/a.m3u8")
        before = Path(name).read_bytes()
        message = self.refused("mix", name, "--m3u8", "-o", "a.mp3")
        assert "another name" in message
        assert Path(name).read_bytes() == before
        assert self.made() == ["a.m3u8"]
        self.mix(name, "--m3u8", name="b.mp3")
        assert self.made() == ["a.m3u8", "b.m3u8", "b.mp3"]

    @pytest.mark.parametrize(
        "words",
        [
            "-o a.mp3 -o a.mp3",
            "-o a.mp3 -o a.flac --cue",
            "-o a.mp3 -o a.flac --m3u8",
            "-o a.m3u8 -o a.mp3 --m3u8",
        ],
    )
    def test_no_file_is_written_over_another_of_the_same_command(
        self, words: str
    ) -> None:
        message = self.refused("mix", "title:nosuch", *words.split())
        assert "would be written twice" in message


class TestJourney(Library):
    @pytest.fixture(autouse=True)
    def vectors(self, tracks: None) -> None:
        for item, vector in zip(self.items, circle(4), strict=True):
            item["deejai_vector"] = vector
            item["deejai_model"] = current_model()
            item["deejai_signature"] = "s"
            item.store()

    @pytest.mark.parametrize(
        ("n", "title"),
        [
            ("0", "one -> four in 0 steps"),
            ("1", "one -> four in 1 step"),
            ("2", "one -> four in 2 steps"),
        ],
    )
    def test_the_title_tells_the_way(self, n: str, title: str) -> None:
        self.run_command(
            "deejai", "journey", "title:one", "title:four", "-n", n, "-o", "a.mp3"
        )
        assert MediaFile(self.out / "a.mp3").title == title

    def test_every_waypoint_is_named(self) -> None:
        waypoints = ("title:one", "title:zwölf", "title:four")
        self.run_command("deejai", "journey", *waypoints, "-n", "1", "-o", "a.mp3")
        assert MediaFile(self.out / "a.mp3").title == "one -> zwölf -> four in 1 step"

    @pytest.mark.parametrize("verb", ["similar", "playlist"])
    def test_other_lists_are_mixed_likewise(self, verb: str) -> None:
        self.run_command(
            *("deejai", verb, "title:one", "-n", "2", "-o", "a.flac", "--cue"),
            *("--crossfade", "0", "--loudness", "-20"),
        )
        path = self.out / "a.flac"
        chapters = chapters_of(path)
        assert cue_starts_s(self.out / "a.cue") == pytest.approx(
            [start_s for start_s, _ in chapters], abs=1 / 75
        )
        assert soundfile.info(path).duration == SECONDS * len(chapters)
        assert integrated_lufs(path) == pytest.approx(-20, abs=0.3)

    def test_a_reordered_list_is_mixed(self) -> None:
        lines = [self.paths[number] for number in (2, 0, 3, 1)]
        name = self.playlist(*lines)
        self.run_command("deejai", "reorder", name, "-o", "a.mp3")
        titles = [title.split(" - ")[1] for _, title in chapters_of(self.out / "a.mp3")]
        assert titles in ([*TITLES], [*TITLES[::-1]])


class TestCover(Library):
    def test_it_is_that_of_the_first_tracks_album(self) -> None:
        folder = Path(os.fsdecode(self.lib.directory)) / "album"
        folder.mkdir(parents=True)
        album = self.lib.add_album([self.items[0]])
        art = folder / "cover.png"
        art.write_bytes(picture("red"))
        album.artpath = os.fsencode(art)
        album.store()
        assert MediaFile(self.mix(name="mix.m4a")).art == picture("red")

    def test_what_is_inside_the_first_track_comes_first(self) -> None:
        for path, colour in zip(self.paths, ("blue", "green"), strict=False):
            media = MediaFile(path)
            media.images = [Image(picture(colour), type=ImageType.front)]
            media.save()
        assert MediaFile(self.mix(name="mix.mp3")).art == picture("blue")

    def test_otherwise_it_is_drawn(self) -> None:
        art = MediaFile(self.mix(name="mix.mp3")).art
        with Picture.open(io.BytesIO(art)) as drawn:
            assert drawn.size == (800, 800)
