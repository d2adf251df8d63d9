from __future__ import annotations

import numpy as np
import pytest

from beetsplug.deejai.output.palette import (
    DARK,
    LIGHT,
    Palette,
    along,
    ink_on,
    rgb,
)

PALETTES = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])

# What an eye sees that lacks one of the three cones (Machado et al. 2009).
EYES = {
    "all": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colours: np.ndarray) -> np.ndarray:
    parts = colours / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def oklab(light: np.ndarray) -> np.ndarray:
    """Return where distances are as they seem (Ottosson 2020)."""
    to_lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(np.clip(light, 0, 1) @ to_lms.T) @ to_lab.T


def luminance(colours: np.ndarray) -> np.ndarray:
    return linear(colours) @ [0.2126, 0.7152, 0.0722]


def contrast(palette: Palette, *names: str) -> np.ndarray:
    ground, inks = luminance(rgb(palette.ground)), luminance(rgb(*names))
    return (np.maximum(ground, inks) + 0.05) / (np.minimum(ground, inks) + 0.05)


@PALETTES
@pytest.mark.parametrize("eye", EYES)
def test_any_two_colours_are_told_apart_by_any_eye(palette: Palette, eye: str) -> None:
    seen = oklab(linear(rgb(*palette.named, palette.rest)) @ np.array(EYES[eye]).T)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    np.fill_diagonal(apart, 1)
    # matplotlib's ten come down to 0.007.
    assert apart[:-1, :-1].min() > 0.09
    assert apart.min() > 0.05


@PALETTES
def test_they_stand_out_from_the_ground(palette: Palette) -> None:
    assert contrast(palette, *palette.named).min() > 1.9
    assert contrast(palette, palette.text).min() > 7
    assert contrast(palette, palette.muted).min() > 4.5


@PALETTES
def test_years_grow_lighter_evenly(palette: Palette) -> None:
    lightness = oklab(linear(along(palette.ramp, np.linspace(0, 1, 50))))[:, 0]
    assert np.all(np.diff(lightness) > 0)


@PALETTES
def test_writing_on_colours_can_be_read(palette: Palette) -> None:
    for fill in (*palette.named, palette.rest):
        behind, ink = luminance(rgb(fill, ink_on(fill, palette)))
        brighter, darker = max(behind, ink), min(behind, ink)
        assert (brighter + 0.05) / (darker + 0.05) > 3.9
