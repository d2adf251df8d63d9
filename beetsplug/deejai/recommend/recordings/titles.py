"""What a title names, without what only says which version or edition it is."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple


class Title(NamedTuple):
    """A title, taken apart.

    Attributes
    ----------
    name
        What versions of one recording have in common: words in lower case without
        accents and punctuation. Empty only if the title is blank.
    is_marked
        Whether the title said more, which marks a version.
    """

    name: str
    is_marked: bool


def read_title(title: str, *, artist: str = "") -> Title:
    """Tell what a title names from what marks a version of it.

    The same piece by the same people is a version when it was played on a stage, cut,
    mastered or packaged in another way: live, remaster, edit, mono, bonus track, demo,
    take. So it is with guests. In another arrangement, in another language or by other
    hands it is not: remix, instrumental, acoustic, reprise, a part with a number. In
    doubt it is not.

    Parameters
    ----------
    title
        As tagged.
    artist
        Whose it is, because of titles like "Artist - Live".

    Returns
    -------
    Title
        A title of nothing but markers names what it says: ``Live`` is ``live``.
    """
    text = _lower(title[:_LONGEST])
    whose, is_marked = read_artist(artist), False
    while True:
        bare = _strip(text, whose) if _MAYBE_MARKED.search(text) else text
        is_marked |= bare != text
        name = _words(bare)
        # Without its punctuation, more of a title may be a marker: "Song/feat. Guest".
        if name in (text, bare):
            return Title(name, is_marked)
        text = name


def read_artist(artist: str) -> str:
    """Reduce an artist's name: no guests, no article, no case, accents, punctuation.

    Returns
    -------
    str
        Empty only if the name is blank.
    """
    text = _lower(artist[:_LONGEST]).strip()
    if text.endswith(", the"):
        text = text[: -len(", the")]
    guests = _GUESTS.search(text)
    if guests:
        text = text[: guests.start()].rstrip(" ([") or text
    return _words(text).removeprefix("the ")


def is_generic(name: str) -> bool:
    """Whether many recordings go by a name, so that it tells none: an intro, a track.

    Parameters
    ----------
    name
        As :func:`read_title` makes it.
    """
    if _TITLE_NUMBER.fullmatch(name):
        return False
    return all(word in _GENERIC or _NUMERAL.fullmatch(word) for word in name.split())


def are_told_apart(one: str, other: str) -> bool:
    """Whether two names differ by a number, or by a word that makes something else.

    A generic name does not say enough to differ from one that is not, and an empty one
    from any.
    """
    if not one or not other or is_generic(one) != is_generic(other):
        return False
    differing = set(one.split()) ^ set(other.split())
    return any(_NUMERAL.fullmatch(w) or _OTHER_WORD.fullmatch(w) for w in differing)


def is_nobody(artist: str) -> bool:
    """Whether an artist's name, as :func:`read_artist` makes it, names no one."""
    return not artist or artist in _NOBODY


def _lower(text: str) -> str:
    """Fold case, accents, and the forms of brackets, quotes and letters."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.translate(_FORMS))
        decomposed = decomposed.translate(_FORMS)  # Some are made of others.
        # Only accents as European scripts have them: elsewhere marks are vowels.
        folded = unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))
        text = folded if folded.strip() else text
    return text.casefold()


def _words(text: str) -> str:
    """Reduce lower case text to its words; what has none is left as it is."""
    plain = text.replace("'n'", " n ").translate(_PUNCTUATION)
    if not plain.isascii():
        plain = _OTHER_PUNCTUATION.sub(" ", plain)
    if "." in plain:
        plain = _INITIALS.sub(lambda found: found[0].replace(".", ""), plain)
        plain = plain.replace(".", " ")
    words = [_SYNONYMS.get(word, word) for word in plain.split()]
    for place, word in enumerate(words[1:], 1):
        if words[place - 1] in _NUMBERED:
            words[place] = _NUMBERS.get(word, word.lstrip("0") or word)
    return " ".join(words) or text.strip()


def _strip(text: str, artist: str) -> str:
    """Take one marker after another off lower case text."""
    while (shorter := _strip_one(text, artist)) is not None:
        text = shorter
    return text


def _strip_one(text: str, artist: str) -> str | None:
    # Old tags cut titles off at 30 characters; the bracket of a smiley opens nothing.
    is_cut = text.count("(") > text.count(")") and _OPEN.search(text)
    closed = text + ")" if is_cut else text
    for found in _BRACKETS.finditer(closed):
        head, tail = text[: found.start()].strip(), text[found.end() :].strip()
        if head.strip(_HOLLOW) and _is_marker(found[0][1:-1]):
            return f"{head} {tail}".strip()
    for found in _DASH.finditer(text):
        head, tail = text[: found.start()].strip(), text[found.end() :].strip()
        named = head.strip(_HOLLOW) and read_artist(head) != artist
        if named and _is_marker(tail):
            return head
    for marker in _BARE_REMASTER, _GUESTS:
        for found in marker.finditer(text):
            head, tail = text[: found.start()].strip(), text[found.end() :].strip()
            if head.strip(_HOLLOW) and not _OTHER.search(_words(found[0])):
                return f"{head} {tail}".strip()
    return None


def _is_marker(text: str) -> bool:
    """Whether what stands in brackets or after a dash only marks a version."""
    text = text.strip()
    if _OTHER.search(_MIX.sub("", _words(text))):
        return False
    if _LIVE.match(text) or _GUESTS.match(f" {text}"):
        return True
    parts = [_words(part) for part in _PARTS.split(text) if part.strip()]
    parts = [part for part in parts if not _YEAR.fullmatch(part)]
    return bool(parts) and all(map(_is_plain_marker, parts))


def _is_plain_marker(part: str) -> bool:
    if _LIVE.match(part) or _TAKE.fullmatch(part):
        return True
    words = {w for w in _MIX.sub("mono", part).split() if not _YEAR.fullmatch(w)}
    if words & _REMASTER:
        words = {word for word in words if not word.isdecimal()}
    if not words <= _TELLING | _KINDS | _QUALITIES | _FILLERS:
        return False
    return bool(words & _TELLING or (words & _KINDS and words & _QUALITIES))


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LONGEST = 500  # Letters of a text that count, lest a mad one takes for ever.

# Forms of letters ---------------------------------------------------------------------

_FORMS = {
    ord(form): plain
    for forms, plain in {
        "\u2018\u2019\u201a\u201b\u02bc\u2032\u00b4`": "'",
        "\u201c\u201d\u201e\u2033\u300c\u300d\u300e\u300f": '"',
        "\u2010\u2011\u2012\u2013\u2014\u2015\u2212": "-",
        "\u301c\uff5e": "~",
        "\u3010\u3014\u3008\u300a": "[",
        "\u3011\u3015\u3009\u300b": "]",
        "\u2122\u00ae\u00a9\u2117\u200b\u200e\u200f\ufeff": "",
        "øØ": "o",
        "łŁ": "l",
        "đĐðÐ": "d",
        "æÆ": "ae",
        "œŒ": "oe",
        "þÞ": "th",
        "\u0131": "i",
    }.items()
    for form in forms
}
_ACCENTS = re.compile("[\u0300-\u036f]")
_PUNCTUATION = {
    **dict.fromkeys(map(ord, '!"()*,-/:;?[\\]^_`{|}~'), " "),
    ord("'"): "",
    ord("&"): " and ",
}
_OTHER_PUNCTUATION = re.compile(
    "[\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u060c\u061b\u061f\u0964\u0965"
    "\u2010-\u2027\u2030-\u205e\u3001-\u3003\u3008-\u301f\u30a0\u30fb]"
)
_INITIALS = re.compile(r"\b[^\W\d_](?:\.[^\W\d_])+\b\.?")
_SYNONYMS = {
    "n": "and",
    "+": "and",
    "pt": "part",
    "pts": "parts",
    "nr": "no",
    "volume": "vol",
    "opus": "op",
}
_NUMBERED = _set("part parts vol op act chapter movement mvt book no")
_NUMBERS = {
    word: str(number)
    for number, words in enumerate(
        [
            *("i one", "ii two", "iii three", "iv four", "v five"),
            *("vi six", "vii seven", "viii eight", "ix nine", "x ten"),
        ],
        start=1,
    )
    for word in words.split()
}

# Markers ------------------------------------------------------------------------------

_MAYBE_MARKED = re.compile(r"[(\[{]|\s[-~]|\bf(?:ea)?t\b|featuring|remaster")
_BRACKETS = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]|(?<=\s)[-~][^-~()\[\]{}]+[-~]$")
_OPEN = re.compile(r"\(\s*[^-~\s()\[\]{}][^()\[\]{}]*$")
_DASH = re.compile(r"\s+[-~]+\s+")
_HOLLOW = " -~()[]{}"  # What stands around markers, and names nothing.
_PARTS = re.compile(r"[,;:/|+\u2022\u00b7]|\s-\s")
_BARE_REMASTER = re.compile(
    r"\s(?:(?:(?:19|20)\d\d|digital(?:ly)?)\s+)*remaster(?:ed)?"
    r"(?:\s+(?:version|edition|in|(?:19|20)\d\d))*\s*$"
)
# "Six Ft. Under" has no guests, and Little Feat are none.
_GUESTS = re.compile(
    r"(?<!little)(?<!\d)\s[(\[]?(?:(?:feat|ft)\.\s*|(?:feat|ft|featuring)\s+)"
    r"(?!under\b|deep\b|tall\b|high\b|below\b|down\b|long\b|wide\b)[^\s&]"
    r"[^(\[{]*?(?=\s[-~]\s|\s*[(\[{]|$)"
)
_LIVE = re.compile(
    r"(?:recorded )?live\s*(?:$|[!,:;/@-]\s*\S|'?\d"
    r"|(?:at|in|from|on|im|aus|auf|en|au|a)\s+\S)"
    r"|(?:version )?(?:en|ao|dal) vivo\b|en directo\b|en (?:concert|public)\b"
    r"|in concert\b"
    r"|ライ[ブヴ]"
)
_TAKE = re.compile(
    r"(?:(?:alternate|alternative|alt|early|studio|first|second|third|original|master"
    r"|rejected|complete|unreleased) )*(?:take|out ?take)(?: (?:\d+[a-z]?|one|two"
    r"|three|four|five))?"
)
_YEAR = re.compile(r"(?:19|20)\d\d|\d+(?:st|nd|rd|th)")
_MIX = re.compile(r"\b(?:original|mono|stereo) mix\b")
# What makes something else of a recording, whatever stands beside it.
_OTHER_WORD = re.compile(
    r"remix\w*|rmx|mix|mixed|mashup|rework\w*|instrumental\w*|karaoke|acoustic\w*"
    r"|akustik\w*|acustic[oa]|acoustique|unplugged|acap+ell?a|cap+ell?a|reprise|medley"
    r"|dub|parts?|cover|version|ver|vocals?|slowed|sped"
)
_OTHER = re.compile(
    r"\b(?:remix\w*|re mix|rmx|mix|mixed|mash ?up|rework\w*|instrumental\w*|karaoke"
    r"|acoustic\w*|akustik\w*|acustic[oa]|acoustique|unplugged|a ?cap+ell?a|reprise"
    r"|medley|dub|parts?|cover)\b"
)
_REMASTER = _set(
    "remaster remastered remastering remasterizado remasterizada remasterise"
    " remasterisee rimasterizzato rimasterizzata"
)
_TELLING = _REMASTER | _set(
    "live mono stereo demo edit explicit clean dirty censored uncensored bonus outtake"
    " original single unreleased"
)
_KINDS = _set("version ver edit cut edition track recording session performance")
_QUALITIES = _set(
    "album single lp ep radio full length short long extended video deluxe expanded"
    " special limited anniversary promo main edited standard 7"
)
_FILLERS = _set(
    "digital digitally hd hq bit the in from new inch uk us usa japan japanese european"
    " disc cd vinyl itunes exclusive previously hidden early home rough studio en"
)

# Names that tell nothing --------------------------------------------------------------

_NUMERAL = re.compile(r"\d+|[ivx]+|[a-h]")
_TITLE_NUMBER = re.compile(r"[1-9]\d*(?: \d+)*")
_GENERIC = _REMASTER | _set(
    # Places on an album.
    "intro introduction introductions outro interlude interludio intermission skit"
    " prelude preludio prologue epilogue overture ouverture opening ending end credits"
    " finale final theme main title titles reprise encore break silence blank bonus"
    " hidden medley jam improvisation improv solo drum drums guitar bass keyboard piano"
    " applause crowd band tuning speech dialogue monologue test instrumental demo live"
    " mono stereo untitled unknown unnamed sketch"
    # Words before a number.
    " track audio titel titre piste pista spur faixa traccia трек дорожка part parts no"
    " number vol movement act scene chapter disc cd side"
    # Movements and forms.
    " allegro allegretto andante andantino adagio adagietto largo larghetto lento"
    " presto prestissimo vivace vivo moderato maestoso grave scherzo scherzando menuet"
    " menuetto minuet minuetto trio rondo rondeau tempo di marcia funebre sostenuto"
    " cantabile grazioso assai molto ma non troppo poco piu meno mosso con brio moto"
    " fuoco spirito e et und alla tranquillo agitato espressivo dolce giocoso"
    " sarabande gigue gavotte bourree courante allemande siciliano air aria arioso"
    " recitativo recitative chorale chorus coro fugue fuga toccata fantasia sonata"
    " sinfonia symphony concerto suite etude study nocturne waltz valse mazurka"
    " polonaise impromptu ballade berceuse bagatelle variation variations kyrie gloria"
    " credo sanctus benedictus agnus dei amen alleluia in major minor sharp flat"
)
_NOBODY = frozenset(
    [
        "artist",
        "diverse",
        "no artist",
        "unbekannt",
        "unbekannter interpret",
        "unknown",
        "unknown artist",
        "v a",
        "va",
        "various",
        "various artists",
        "varios artistas",
        "verschiedene interpreten",
        "artistes divers",
        "artista desconocido",
    ]
)
