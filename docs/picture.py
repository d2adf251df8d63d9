"""Draw the journey of ``transcript.md``: ``python docs/picture.py``."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

DOCS = Path(__file__).parent

WIDTH, ROW, TOP = 800, 40, 36
LINE_X, BAR = 200, 110

STYLE = """\
  <style>
    text { font: 14px system-ui, sans-serif; fill: #24292f; }
    .hop { font-size: 12px; fill: #57606a; text-anchor: end; }
  </style>"""


def read_journey(transcript: str) -> list[tuple[float | None, str]]:
    """Return the tracks of the explained journey, each with its hop's similarity."""
    match = re.search(
        r"^\$ beet deejai journey .*--explain\n((?:.+\n)+)", transcript, re.MULTILINE
    )
    if match is None:
        raise ValueError("the transcript shows no explained journey")
    tracks: list[tuple[float | None, str]] = []
    for line in match[1].splitlines():
        if line.startswith("```"):
            break
        similarity, name = line[:6].strip(), line[6:].strip()
        if name.startswith("/"):
            # Of a track without tags the folder and the file's name say enough.
            name = "/".join(name.split("/")[-2:])
        tracks.append((float(similarity) if similarity else None, name))
    return tracks


def draw(tracks: list[tuple[float | None, str]]) -> str:
    """Draw a dot for each track, and between two the similarity as a bar."""
    height = TOP * 2 + ROW * (len(tracks) - 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" '
        'aria-label="A journey with the similarity of each hop">',
        STYLE,
        f'  <rect width="{WIDTH}" height="{height}" rx="8" fill="#f6f8fa"/>',
        f'  <path d="M{LINE_X} {TOP}V{height - TOP}" stroke="#8c959f"/>',
    ]
    for number, (similarity, name) in enumerate(tracks):
        y = TOP + ROW * number
        if similarity is not None:
            width = round(BAR * max(0.0, similarity))
            middle = y - ROW // 2
            parts += [
                f'  <rect x="{LINE_X - 16 - width}" y="{middle - 4}" '
                f'width="{width}" height="8" rx="2" fill="#2da44e"/>',
                f'  <text class="hop" x="{LINE_X - 24 - BAR}" y="{middle + 4}">'
                f"{similarity:.2f}</text>",
            ]
        is_end = number in (0, len(tracks) - 1)
        radius, weight = (7, ' font-weight="600"') if is_end else (5, "")
        parts += [
            f'  <circle cx="{LINE_X}" cy="{y}" r="{radius}" fill="#0969da"/>',
            f'  <text x="{LINE_X + 18}" y="{y + 5}"{weight}>{escape(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    shown = (DOCS / "transcript.md").read_text(encoding="utf-8")
    picture = draw(read_journey(shown))
    (DOCS / "journey.svg").write_text(picture, encoding="utf-8")
