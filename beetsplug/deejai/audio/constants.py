"""The front end's numbers, shared by everything that speaks of slices."""

from __future__ import annotations

SAMPLE_RATE = 22_050
"""Sampling rate of every analysed waveform, in Hz."""

N_FFT = 2048
"""Samples under the window of one frame."""

HOP_LENGTH = 512
"""Samples between two frames."""

N_MELS = 96
"""Mel bands, from 0 Hz to half the sampling rate."""

N_FRAMES = 216
"""Frames in one slice."""

SLICE_SAMPLES = N_FRAMES * HOP_LENGTH
"""Samples between the starts of two slices."""

SLICE_S = SLICE_SAMPLES / SAMPLE_RATE
"""Duration of one slice, in seconds: 5.015."""

VECTOR_SIZE = 100
"""Components of a slice vector and of a track vector."""
