"""Which titles name the same recording: music as it is tagged."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from made_tracks import made_tracks

from beetsplug.deejai.recommend.recordings.titles import (
    are_told_apart,
    is_generic,
    is_nobody,
    read_artist,
    read_title,
)
from beetsplug.deejai.recommend.recordings.versions import Versions

SAME = [
    # Live.
    ("Nirvana", "Lithium", "Nirvana", "Lithium (Live)"),
    ("Queen", "Radio Ga Ga", "Queen", "Radio Ga Ga [Live at Wembley]"),
    ("Radiohead", "Creep", "Radiohead", "Creep - Live"),
    ("Oasis", "Live Forever", "Oasis", "Live Forever (Live at Knebworth, 1996)"),
    ("Wings", "Live and Let Die", "Wings", "Live and Let Die - Live / Remastered"),
    ("Miles Davis", "So What", "Miles Davis", "So What (live, 1961-05-19: New York)"),
    ("Soda Stereo", "De música ligera", "Soda Stereo", "De Musica Ligera - En Vivo"),
    ("Maná", "Oye mi amor", "Maná", "Oye Mi Amor (Versión en vivo)"),
    ("Legião Urbana", "Tempo Perdido", "Legião Urbana", "Tempo Perdido (Ao Vivo)"),
    ("Lucio Dalla", "Caruso", "Lucio Dalla", "Caruso (Dal Vivo)"),
    ("Jacques Brel", "Amsterdam", "Jacques Brel", "Amsterdam (en public)"),
    ("宇多田ヒカル", "First Love", "宇多田ヒカル", "First Love\uff08Live Ver.\uff09"),
    ("BUMP OF CHICKEN", "天体観測", "BUMP OF CHICKEN", "天体観測 -Live Version-"),
    # Remasters, editions, cuts.
    ("The Police", "Roxanne", "The Police", "Roxanne - Remastered 2003"),
    ("The Police", "Roxanne", "The Police", "Roxanne (remastered 2011)"),
    ("Police, The", "Roxanne", "The Police", "Roxanne remastered 2011"),
    ("David Bowie", "“Heroes”", "David Bowie", '"Heroes" - 2017 Remaster'),
    ("Prince", "1999", "Prince", "1999 (2019 Remaster)"),
    ("Prince", "1999", "Prince", "1999 Remastered"),
    ("The Smashing Pumpkins", "1979", "Smashing Pumpkins", "1979 - Remastered 2012"),
    ("Pink Floyd", "Time", "Pink Floyd", "Time (2011 - Remaster)"),
    ("Fleetwood Mac", "Dreams", "Fleetwood Mac", "Dreams (2004 Remastered Edition)"),
    ("Édith Piaf", "La Vie en rose", "Edith Piaf", "La vie en rose - Remastérisé"),
    ("The Beatles", "Help!", "Beatles", "Help! (Mono / 2009 Digital Remaster)"),
    ("The Byrds", "Eight Miles High", "The Byrds", "Eight Miles High (Single Version)"),
    ("The Beach Boys", "Good Vibrations", "The Beach Boys", "Good Vibrations (Mono)"),
    ("The Kinks", "Lola", "The Kinks", "Lola - Stereo Version"),
    ("The Doors", "Light My Fire", "The Doors", "Light My Fire (Radio Edit)"),
    ("Daft Punk", "One More Time", "Daft Punk", "One More Time (Album Version)"),
    ("New Order", "Blue Monday", "New Order", 'Blue Monday (7" Version)'),
    ("deadmau5", "Strobe", "Deadmau5", "Strobe (Original Mix)"),
    ("Eminem", "Lose Yourself", "Eminem", "Lose Yourself [Explicit]"),
    ("Sufjan Stevens", "Chicago", "Sufjan Stevens", "Chicago (Demo) [Bonus Track]"),
    ("John Coltrane", "Naima", "John Coltrane", "Naima (alternate take)"),
    ("Bill Evans", "Waltz for Debby", "Bill Evans", "Waltz for Debby (Take 2)"),
    ("Black Sabbath", "Paranoid", "Black Sabbath", "Paranoid (Live) [2012 Remaster]"),
    ("AC/DC", "Thunderstruck", "AC-DC", "Thunderstruck (Live at Donington"),
    # Guests.
    ("Daft Punk", "Get Lucky (feat. Pharrell Williams)", "Daft Punk", "Get Lucky"),
    ("Rihanna", "Umbrella", "Rihanna feat. JAY-Z", "Umbrella"),
    ("Santana ft. Rob Thomas", "Smooth", "Santana", "Smooth (featuring Rob Thomas)"),
    ("Gorillaz", "Feel Good Inc", "Gorillaz", "Feel Good Inc. ft De La Soul (Live)"),
    ("Little Feat", "Willin'", "Little Feat", "Willin' (Live)"),
    # Spelling.
    ("Beyoncé", "Déjà Vu", "Beyonce", "Deja vu"),
    ("Sigur Rós", "Hoppípolla", "Sigur Ros", "Hoppipolla"),
    ("Motörhead", "Ace of Spades", "Motorhead", "Ace Of Spades"),
    ("Simon & Garfunkel", "America", "Simon and Garfunkel", "America"),
    ("Led Zeppelin", "Rock and Roll", "Led Zeppelin", "Rock 'n' Roll"),
    ("Guns N' Roses", "Don't Cry", "Guns N\u2019 Roses", "Don\u2019t Cry"),
    ("R.E.M.", "Everybody Hurts", "REM", "Everybody Hurts"),
    ("The Rolling Stones", "(I Can't Get No) Satisfaction", "Rolling Stones",
     "I Can't Get No Satisfaction"),
    ("Кино", "Группа крови", "КИНО", "Группа Крови (Live)"),
    ("Mylène Farmer", "Désenchantée", "Mylene Farmer", "Desenchantee [Live à Bercy]"),
    ("The Who", "Baba O\u2019Riley", "The Who", "Baba O'Riley"),
    ("Pink Floyd", "Another Brick in the Wall, Part 2", "Pink Floyd",
     "Another Brick in the Wall (Pt. II)"),
    ("Mike Oldfield", "Tubular Bells, Part One", "Mike Oldfield",
     "Tubular Bells (Part I) [2009 Remaster]"),
    ("!!!", "Must Be the Moon", "!!!", "Must Be the Moon (Radio Edit)"),
]  # fmt: skip

DIFFERENT = [
    # Other pieces.
    ("Pink Floyd", "Another Brick in the Wall, Part 1", "Pink Floyd",
     "Another Brick in the Wall, Part 2"),
    ("Pink Floyd", "Shine On You Crazy Diamond (Pts. 1-5)", "Pink Floyd",
     "Shine On You Crazy Diamond (Pts. 6-9)"),
    ("Metallica", "The Unforgiven", "Metallica", "The Unforgiven II"),
    ("The Beatles", "Revolution 1", "The Beatles", "Revolution 9"),
    ("The Beatles", "Revolution", "The Beatles", "Revolution 1 - Remastered 2009"),
    ("Brian Eno", "1/1", "Brian Eno", "2/1"),
    ("Erik Satie", "Gymnopédie No. 1", "Erik Satie", "Gymnopédie No. 3"),
    ("Johann Sebastian Bach", "Toccata and Fugue in D minor, BWV 538",
     "Johann Sebastian Bach", "Toccata and Fugue in D minor, BWV 565"),
    ("Frédéric Chopin", "Waltz in C# minor, Op. 64 No. 2", "Frédéric Chopin",
     "Waltz in C minor, Op. 64 No. 2"),
    ("Elton John", "Candle in the Wind", "Elton John", "Candle in the Wind 1997"),
    ("The Police", "Don't Stand So Close to Me", "The Police",
     "Don't Stand So Close to Me '86"),
    ("Bob Dylan", "Forever Young", "Bob Dylan", "Forever Young (Continued)"),
    ("Jimi Hendrix", "Voodoo Chile", "Jimi Hendrix", "Voodoo Child (Slight Return)"),
    ("Neil Young", "Hey Hey, My My (Into the Black)", "Neil Young",
     "My My, Hey Hey (Out of the Blue)"),
    ("Sigur Rós", "Untitled #1 (Vaka)", "Sigur Rós", "Untitled #3 (Samskeyti)"),
    # Words that mark versions elsewhere.
    ("Oasis", "Live Forever", "Oasis", "Forever"),
    ("Wings", "Live and Let Die", "Wings", "And Let Die"),
    ("Taylor Swift", "Long Live", "Taylor Swift", "Long"),
    ("Opus", "Live Is Life", "Opus", "Life Is Live"),
    ("Gravediggaz", "6 Ft. Deep", "Gravediggaz", "6"),
    ("Oasis", "Oasis - Live", "Oasis", "Oasis"),
    ("Ultravox", "Dancing (With Tears in My Eyes)", "Ultravox", "Dancing"),
    # Other arrangements, other hands.
    ("New Order", "Blue Monday", "New Order", "Blue Monday (Hardfloor Remix)"),
    ("Depeche Mode", "Enjoy the Silence", "Depeche Mode",
     "Enjoy the Silence (Ecstatic Dub)"),
    ("Depeche Mode", "Enjoy the Silence - Mike Shinoda Remix", "Depeche Mode",
     "Enjoy the Silence (Ricki Tik Tik Mix)"),
    ("Everything but the Girl", "Missing", "Everything but the Girl",
     "Missing (Todd Terry Club Mix)"),
    ("Sia", "Cheap Thrills", "Sia", "Cheap Thrills (feat. Sean Paul - Le Youth Remix)"),
    ("Lil Nas X", "Old Town Road", "Lil Nas X",
     "Old Town Road feat. Billy Ray Cyrus - Diplo Remix"),
    ("Eric Clapton", "Layla", "Eric Clapton", "Layla (Acoustic)"),
    ("Nirvana", "Polly", "Nirvana", "Polly (Live, MTV Unplugged)"),
    ("Hans Zimmer", "Time", "Hans Zimmer", "Time (Piano Version)"),
    ("Dr. Dre", "Still D.R.E.", "Dr. Dre", "Still D.R.E. (Instrumental)"),
    ("ABBA", "Fernando", "ABBA", "Fernando (Spanish Version)"),
    ("Nena", "99 Luftballons", "Nena", "99 Red Balloons"),
    ("Taylor Swift", "Love Story", "Taylor Swift", "Love Story (Taylor's Version)"),
    ("The Beatles", "Sgt. Pepper's Lonely Hearts Club Band", "The Beatles",
     "Sgt. Pepper's Lonely Hearts Club Band (Reprise)"),
    ("Frankie Goes to Hollywood", "Relax", "Frankie Goes to Hollywood",
     "Relax (Sex Mix)"),
    ("Soft Cell", "Tainted Love", "Soft Cell", 'Tainted Love (12" Version)'),
    ("Leonard Cohen", "Hallelujah", "Jeff Buckley", "Hallelujah"),
    ("Nine Inch Nails", "Hurt", "Johnny Cash", "Hurt"),
    # Names that tell nothing.
    ("The xx", "Intro", "The xx", "Intro (Live)"),
    ("Interpol", "Untitled", "Interpol", "Untitled (Live)"),
    ("Mogwai", "Track 01", "Mogwai", "Track 01 (Live)"),
    ("", "Yesterday", "", "Yesterday (Live)"),
    ("Various Artists", "Angel", "Various Artists", "Angel (Live)"),
    ("The xx", "", "The xx", ""),
    ("Antonio Vivaldi", "II. Largo", "Antonio Vivaldi", "II. Largo (Remastered)"),
    # Other scripts.
    ("椎名林檎", "幸福論", "椎名林檎", "幸福論 (悦楽編)"),
    ("サザンオールスターズ", "はし", "サザンオールスターズ", "ばし"),
    ("Lata Mangeshkar", "कि", "Lata Mangeshkar", "का"),
    ("Кино", "Пачка сигарет", "Кино", "Пачка"),
]  # fmt: skip


def are_versions(artist: str, title: str, other_artist: str, other_title: str) -> bool:
    """Ask for two tracks of about one length that sound like nothing else."""
    tracks = made_tracks(
        [title, other_title], artists=[artist, other_artist], lengths_s=[200.0, 203.0]
    )
    one, other = Versions(tracks)[:]
    return bool(one == other)


@pytest.mark.parametrize("pair", SAME, ids=" / ".join)
def test_these_are_the_same_recording(pair: tuple[str, str, str, str]) -> None:
    artist, title, other_artist, other_title = pair
    assert are_versions(*pair)
    assert are_versions(other_artist, other_title, artist, title)


@pytest.mark.parametrize("pair", DIFFERENT, ids=" / ".join)
def test_these_are_not_the_same_recording(pair: tuple[str, str, str, str]) -> None:
    artist, title, other_artist, other_title = pair
    assert not are_versions(*pair)
    assert not are_versions(other_artist, other_title, artist, title)


@pytest.mark.parametrize(
    ("title", "name", "is_marked"),
    [
        ("Live", "live", False),
        ("(Live)", "live", False),
        ("Remastered", "remastered", False),
        ("Demo (Demo)", "demo", True),
        ("1999", "1999", False),
        ("Song (Live at the Hall (2011 Remaster))", "song", True),
        ("Song - Live at the Hall - London - 1999", "song", True),
        ("Song (50th Anniversary Edition)", "song", True),
        ("Song (1995)", "song 1995", False),
        ("Song (with Somebody)", "song with somebody", False),
        ("Song (Version)", "song version", False),
        ("Song [live acoustic]", "song live acoustic", False),
        ("Song (feat. Somebody) (Other Remix)", "song other remix", True),
        ("Song #3", "song #3", False),
        ("2.0", "2 0", False),
        ("???", "???", False),
        (":( - 2019 Remaster", ":(", True),
        ("Sad :( [Live]", "sad", True),
        ("Song ( Live", "song", True),
        ("Song (Live]", "song", True),
        ("([ - 2019 Remaster", "2019", True),
        (" -  - 2019 Remaster", "2019", True),
        ("Song/feat. Somebody", "song", True),
        ("\u1d2don", "aeon", False),
        ("", "", False),
    ],
)
def test_a_title_is_taken_apart(title: str, name: str, is_marked: bool) -> None:
    assert read_title(title) == (name, is_marked)


@given(st.text())
def test_a_name_is_never_empty_and_nothing_more_is_taken_off_it(text: str) -> None:
    name = read_title(text).name
    assert bool(name) == bool(text.strip())
    assert read_title(name).name == name


@given(
    # A bracket that is left open would close around the marker: a cut-off title.
    st.text(st.characters(exclude_categories=["Cs", "Ps"]), min_size=1),
    st.sampled_from(["(Live)", "- 2019 Remaster", "[Mono]"]),
)
def test_a_marker_changes_no_name(title: str, marker: str) -> None:
    assume(any(map(str.isalnum, read_title(title).name)))
    marked = read_title(f"{title} {marker}")
    if marked.is_marked:
        assert marked.name == read_title(title).name


@given(st.text())
def test_an_artist_keeps_a_name(text: str) -> None:
    assert bool(read_artist(text)) == bool(text.strip())
    assert read_artist(read_artist(text)) == read_artist(text)


@pytest.mark.parametrize(
    ("artist", "name"),
    [
        ("The The", "the"),
        ("Beatles, The", "beatles"),
        ("Santana (feat. Rob Thomas)", "santana"),
        ("Little Feat feat. Emmylou Harris", "little feat"),
        ("feat. X", "feat x"),
        ("Earth, Wind & Fire", "earth wind and fire"),
        ("", ""),
    ],
)
def test_an_artist_is_reduced(artist: str, name: str) -> None:
    assert read_artist(artist) == name


def test_nobody_is_no_artist() -> None:
    assert all(map(is_nobody, ["", "various artists", "unknown artist"]))
    assert not is_nobody("variety")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("", True),
        ("Intro", True),
        ("Track 7", True),
        ("07", True),
        ("III. Andante con moto", True),
        ("7", False),
        ("1979", False),
        ("Live Forever", False),
        ("Symphony No. 5 in C minor, Op. 67: I. Allegro con brio", False),
    ],
)
def test_some_names_tell_nothing(title: str, expected: bool) -> None:
    assert is_generic(read_title(title).name) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("song", "song instrumental", True),
        ("song part 1", "song part 2", True),
        ("track 1", "track 2", True),
        ("song", "lied", False),
        ("song", "track 2", False),
        ("", "song 2", False),
    ],
)
def test_names_tell_recordings_apart_by_numbers_and_some_words(
    one: str, other: str, expected: bool
) -> None:
    assert are_told_apart(one, other) == are_told_apart(other, one) == expected
