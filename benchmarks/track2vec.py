"""How well vectors of tracks tell the styles of made playlists, and in what time.

    python benchmarks/track2vec.py [--seed INT] [WORLD...]

Playlists are drawn within styles; in a mixed world a share of the tracks of each are of
any style. Counted is how often a track's nearest is of its own style. Printed beside
are chance, and how many tracks are in any playlist at all.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from common import machine

from beetsplug.deejai.training.factors import factors
from beetsplug.deejai.training.neighbours import share_of_same
from beetsplug.deejai.training.playlists import Playlist
from beetsplug.deejai.training.track2vec import require_gensim, track2vec

if TYPE_CHECKING:
    from beetsplug.deejai.training.targets import Targets


@dataclass(frozen=True)
class World:
    """Made playlists, of `shortest` to `longest` tracks, `mixed` of them of any style.

    `popularity` is the exponent of Zipf's law by which tracks of a style are drawn.
    """

    n_tracks: int
    n_styles: int
    n_playlists: int
    shortest: int = 10
    longest: int = 30
    mixed: float = 0.0
    popularity: float = 0.0

    def draw(self, rng: np.random.Generator) -> list[Playlist]:
        """Draw the playlists; track i is of the style i modulo `n_styles`."""
        styles = np.arange(self.n_tracks) % self.n_styles
        playlists = []
        for number in range(self.n_playlists):
            length = int(rng.integers(self.shortest, self.longest + 1))
            n_any = rng.binomial(length, self.mixed)
            own = np.flatnonzero(styles == rng.integers(self.n_styles))
            weights = (1.0 + np.arange(len(own))) ** -self.popularity
            drawn = [
                *rng.choice(
                    own, length - n_any, replace=False, p=weights / sum(weights)
                ),
                *rng.choice(self.n_tracks, n_any, replace=False),
            ]
            rng.shuffle(drawn)
            tracks = tuple(dict.fromkeys(str(track) for track in drawn))
            playlists.append(Playlist(str(number), tracks))
        return playlists

    def share_in_style(self, targets: Targets) -> tuple[float, float]:
        """Return how often the nearest is of the same style, and that by chance."""
        labels = np.array([int(key) % self.n_styles for key in targets])
        shares = share_of_same(targets.matrix(), labels)
        assert shares
        return shares


WORLDS = {
    "plain": World(1000, 20, 2000),
    "few": World(1000, 20, 200),
    "very few": World(1000, 20, 100, longest=20),
    "mixed 30 %": World(1000, 20, 1000, mixed=0.3),
    "mixed 50 %": World(1000, 20, 2000, mixed=0.5),
    "few, mixed 30 %": World(1000, 20, 400, mixed=0.3),
    "popular": World(1000, 20, 1000, mixed=0.2, popularity=1.0),
    "long, mixed 30 %": World(2000, 20, 300, shortest=50, longest=100, mixed=0.3),
    "large": World(10_000, 100, 3000, longest=40, mixed=0.2),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("worlds", nargs="*", choices=[*WORLDS, []], metavar="WORLD")
    options = parser.parse_args()
    require_gensim()
    print(machine())
    for name in options.worlds or WORLDS:
        world = WORLDS[name]
        playlists = world.draw(np.random.default_rng(options.seed))
        print(
            f"{name}: {world.n_tracks} tracks in {world.n_styles} styles, "
            f"{world.n_playlists} playlists"
        )
        for what, learn in (("Track2Vec", track2vec), ("factors", factors)):
            start = time.perf_counter()
            targets = learn(playlists, seed=options.seed)
            seconds = time.perf_counter() - start
            share, chance = world.share_in_style(targets)
            print(
                f"  {what:10} {share:6.1%} of nearest in the right style "
                f"(chance {chance:.1%}), {len(targets)} tracks, {seconds:.1f} s"
            )


if __name__ == "__main__":
    main()
