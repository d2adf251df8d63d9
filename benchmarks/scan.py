"""scan against decoding alone, and against the plain way with librosa and Keras.

    python benchmarks/scan.py FOLDER [--work DIR] [--rounds N]

Makes 40 MP3s of 174 s at 192 kbit/s from the music in FOLDER (once, kept in --work).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
from common import Run, add_files, beet, machine, make_home, run

N_FILES = 40
SECONDS = 174
RATE = 44_100

DECODERS = {
    "one FFmpeg graph per file, threads": "graph",
    "PyAV packet loop, processes": "packets",
    "libsndfile + soxr, threads": "soundfile",
}


def make_mp3s(folder: Path, work: Path) -> list[Path]:
    """Encode 40 excerpts of the music in a folder, loudly different or not."""
    work.mkdir(parents=True, exist_ok=True)
    made = sorted(work.glob("*.mp3"))
    sources = (
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in (".mp3", ".ogg", ".opus", ".flac", ".m4a")
    )
    while len(made) < N_FILES:
        source = next(sources, None)
        if source is None:
            raise SystemExit(
                f"{folder} holds fewer than {N_FILES} tracks of {SECONDS} s"
            )
        target = work / f"{len(made):02}.mp3"
        if encode_excerpt(source, target):
            made.append(target)
    return made[:N_FILES]


def encode_excerpt(source: Path, target: Path) -> bool:
    """Encode the first 174 s of a file; False when it is shorter or damaged."""
    try:
        with av.open(str(source), metadata_errors="replace") as container:
            if (container.duration or 0) < SECONDS * 1_000_000:
                return False
            resampler = av.AudioResampler("s16p", "stereo", RATE)
            with av.open(str(target), "w") as out:
                stream = out.add_stream("libmp3lame", rate=RATE, layout="stereo")
                stream.bit_rate = 192_000
                n_samples = 0
                for frame in container.decode(audio=0):
                    for part in resampler.resample(frame):
                        part.pts = None
                        n_samples += part.samples
                        out.mux(stream.encode(part))
                    if n_samples >= SECONDS * RATE:
                        break
                out.mux(stream.encode(None))
    except av.error.FFmpegError:
        target.unlink(missing_ok=True)
        return False
    return True


def make_long(source: Path, target: Path, *, hours: float) -> None:
    """Repeat a file until it is hours long, as an MP3 again."""
    if target.exists():
        return
    with av.open(str(target), "w") as out:
        stream = out.add_stream("libmp3lame", rate=RATE, layout="stereo")
        stream.bit_rate = 64_000
        for _ in range(round(hours * 3600 / SECONDS)):
            with av.open(str(source)) as container:
                for frame in container.decode(audio=0):
                    frame.pts = None
                    out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def decode_with_graph(path: str) -> int:
    """Decode as the project does."""
    from beetsplug.deejai.audio.decode import stream_waveform

    return sum(block.size for block in stream_waveform(path))


def decode_with_packets(path: str) -> int:
    """Decode frame by frame in Python."""
    n_samples = 0
    with av.open(path) as container:
        resampler = av.AudioResampler("flt", "mono", 22_050, frame_size=22_050)
        for frame in container.decode(audio=0):
            n_samples += sum(f.to_ndarray().size for f in resampler.resample(frame))
        n_samples += sum(f.to_ndarray().size for f in resampler.resample(None))
    return n_samples


def decode_with_soundfile(path: str) -> int:
    """Decode with libsndfile and resample with soxr (what librosa.load is made of)."""
    import soundfile
    import soxr

    n_samples = 0
    with soundfile.SoundFile(path) as file:
        resampler = soxr.ResampleStream(file.samplerate, 22_050, 1, dtype="float32")
        for block in file.blocks(1 << 17, dtype="float32", always_2d=True):
            n_samples += resampler.resample_chunk(block.mean(axis=1)).size
    return n_samples


def decode_all(kind: str, paths: list[str]) -> None:
    """Decode files in two workers (this process's child part)."""
    from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

    decode = {
        "graph": decode_with_graph,
        "packets": decode_with_packets,
        "soundfile": decode_with_soundfile,
    }[kind]
    pool: Executor
    pool = ProcessPoolExecutor(2) if kind == "packets" else ThreadPoolExecutor(2)
    with pool:
        print(sum(pool.map(decode, paths)))


def plain_way(paths: list[str]) -> None:
    """Write what a first version would: librosa, and predict track by track."""
    import keras
    import librosa

    from beetsplug.deejai.embedding.encoder import model_path

    model = keras.models.load_model(model_path("default"), compile=False)
    for path in paths:
        y, sr = librosa.load(path, sr=22_050, mono=True)
        power = librosa.feature.melspectrogram(
            y=y, sr=sr, n_fft=2048, hop_length=512, n_mels=96
        )
        slices = []
        for k in range(power.shape[1] // 216):
            db = librosa.power_to_db(power[:, k * 216 : (k + 1) * 216], ref=np.max)
            slices.append((db - db.min()) / (db.max() - db.min()))
        model.predict(np.array(slices)[..., None], verbose=0)


def scan(work: Path, paths: list[Path]) -> Run:
    """Scan files from a fresh library, start-up included."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        home = make_home(Path(folder))
        add_files(home, paths)
        result = beet(home, "deejai", "scan")
        if f"{len(paths)} new, 0 fresh, 0 failed" not in result.output:
            raise SystemExit(f"the scan went wrong: {result.output}")
        return result


def me(*args: str) -> Run:
    """Run a part of this script as a process of its own."""
    return run([sys.executable, __file__, *args])


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["decode"]:
        decode_all(sys.argv[2], sys.argv[3:])
        return
    if sys.argv[1:2] == ["plain"]:
        plain_way(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "deejai-scan"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-plain", action="store_true")
    parser.add_argument("--no-long", action="store_true")
    options = parser.parse_args()
    paths = make_mp3s(options.folder, options.work)
    names = [str(path) for path in paths]
    print(machine())
    print(f"{N_FILES} MP3s of {SECONDS} s, 192 kbit/s; medians of {options.rounds}")
    audio_s = N_FILES * SECONDS
    walls: dict[str, list[float]] = {}
    scans: list[Run] = []
    for _ in range(options.rounds):
        for kind in DECODERS.values():
            walls.setdefault(kind, []).append(me("decode", kind, *names).wall_s)
        scans.append(scan(options.work, paths))
    for label, kind in DECODERS.items():
        wall_s = statistics.median(walls[kind])
        print(
            f"decode + resample, {label:36} {wall_s:6.2f} s  {audio_s / wall_s:6.0f} x"
        )
    fastest = min(walls.values(), key=statistics.median)
    # Round by round, so that a machine whose speed drifts does not count.
    ratios = [s.wall_s / decode_s for s, decode_s in zip(scans, fastest, strict=True)]
    scan_s = statistics.median(s.wall_s for s in scans)
    cpu_s = statistics.median(s.cpu_s for s in scans)
    speed = audio_s / scan_s
    print(
        f"beet deejai scan {scan_s:.2f} s ({cpu_s:.1f} s of CPU), {speed:.0f} x"
        f" real time, peak {max(s.peak_mb for s in scans):.0f} MB:"
        f" {statistics.median(ratios):.2f} x the fastest decode alone"
    )
    if not options.no_plain:
        plain = me("plain", *names)
        ratio = plain.wall_s / scan_s
        print(f"the plain way {plain.wall_s:.1f} s: {ratio:.1f} x the scan")
    if not options.no_long:
        long = options.work / "long" / "3h.mp3"
        long.parent.mkdir(exist_ok=True)
        make_long(paths[0], long, hours=3)
        result = scan(options.work, [long])
        print(
            f"one file of 3 hours: {result.wall_s:.1f} s, peak {result.peak_mb:.0f} MB"
        )


if __name__ == "__main__":
    main()
