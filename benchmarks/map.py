"""What the map costs, and whether it is smooth in a browser.

    python benchmarks/map.py [--tracks N ...] [--chromium FILE]

Times whole processes of ``beet deejai map`` in made libraries: the first map, and one
more after a twentieth was added. With Chromium and Playwright installed, it opens the
page without a graphics card, drags and zooms, and counts frames.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from common import beet, machine, make_home, open_library
from library import make_library

from beetsplug.deejai.embedding.encoder import model_id, model_path
from beetsplug.deejai.storage.fields import MODEL_FIELD

SIZES = ((1280, 800, 1), (1920, 1080, 1), (1280, 800, 2), (390, 800, 3))
"""Width and height of the window in CSS pixels, and how many pixels each has a side."""

N_FRAMES = 150

MOVE = """async (kind) => {
  const canvas = document.querySelector(".map-canvas");
  const box = canvas.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const send = (Kind, type, values) => canvas.dispatchEvent(
    new Kind(type, { cancelable: true, pointerId: 1, pointerType: "mouse", ...values }),
  );
  canvas.setPointerCapture = () => {};
  if (kind === "pan") send(PointerEvent, "pointerdown", { clientX: x, clientY: y });
  const times = [];
  await new Promise((done) => {
    const step = (time) => {
      const n = times.push(time);
      const clientX = x + 100 * Math.sin(n / 10);
      const clientY = y + 80 * Math.cos(n / 10);
      if (kind === "pan") send(PointerEvent, "pointermove", { clientX, clientY });
      else {
        const deltaY = n % 60 < 30 ? -60 : 60;
        send(WheelEvent, "wheel", { deltaY, clientX: x, clientY: y });
      }
      if (n > N_FRAMES) done();
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  if (kind === "pan") send(PointerEvent, "pointerup", { clientX: x, clientY: y });
  const gaps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
  const rate = (1000 * gaps.length) / (times.at(-1) - times[0]);
  return [rate, gaps[Math.floor(0.95 * gaps.length)]];
}""".replace("N_FRAMES", str(N_FRAMES))


def measure(folder: Path, n_tracks: int) -> Path:
    """Draw the map of a made library, twice; return the page."""
    home = make_home(folder / str(n_tracks))
    make_library(home, n_tracks)
    page = home / "map.html"
    args = ("deejai", "map", "-o", str(page), "-o", str(home / "map.png"))
    first = beet(home, *args)
    again = beet(home, *args)
    n_new = n_tracks // 20
    set_model(home, n_new, "another")
    fewer = beet(home, *args, "--remake")
    set_model(home, n_new, model_id(model_path("default")))
    placed = beet(home, *args)
    for name, run in (
        ("first", first),
        ("again", again),
        (f"less {n_new}, made anew", fewer),
        (f"{n_new} placed", placed),
    ):
        print(f"{n_tracks} {name:22} {run.wall_s:7.2f} s  peak {run.peak_mb:.0f} MB")
    print(f"{n_tracks} page {page.stat().st_size / 1e6:.1f} MB")
    return page


def set_model(home: Path, n: int, model: str) -> None:
    """Say of the first tracks by which encoder they were heard."""
    lib = open_library(home)
    with lib.transaction() as tx:
        tx.mutate(
            "UPDATE item_attributes SET value = ? WHERE key = ? AND entity_id <= ?",
            (model, MODEL_FIELD, n),
        )
    lib._close()


def count_frames(page: Path, chromium: str) -> None:
    """Move the map and print frames a second, and the time that 95 % keep."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        for width, height, ratio in SIZES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, device_scale_factor=ratio
            )
            opened = context.new_page()
            opened.goto(page.as_uri())
            opened.wait_for_selector(".map-canvas")
            opened.wait_for_timeout(1000)
            for kind in ("pan", "zoom"):
                rate, slow_ms = opened.evaluate(MOVE, kind)
                print(
                    f"{width} x {height} at {ratio}: {kind:4} {rate:5.1f} frames/s, "
                    f"95 % within {slow_ms:.0f} ms"
                )
            context.close()
        browser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--chromium", default=shutil.which("chromium") or "")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        for n_tracks in options.tracks:
            page = measure(Path(folder), n_tracks)
            if options.chromium:
                count_frames(page, options.chromium)


if __name__ == "__main__":
    main()
