"""Folders, columns and files of sounds: what is read, and what every odd file does."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from acclimate import SourceOnly, tables
from acclimate.datasets.spectrograms import as_pixels, spectrogram
from acclimate.datasets.waveforms import decoded, resampled
from acclimate.exceptions import AcclimateWarning, InputError, MissingExtraError
from acclimate.tables import Pictures
from acclimate.transfer.log_mel_rows import LogMel

soundfile = pytest.importorskip("soundfile")


def tone(seconds: float = 0.3, pitch: float = 440.0, rate: int = 16000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)


def write(path: Path, samples: np.ndarray, rate: int = 16000, **how: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **how)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of low and high tones of 0.2 to 0.4 s, with things beside them."""
    for k in range(4):
        write(tmp_path / "here" / "low" / f"{k}.wav", tone(0.2 + 0.05 * k, 300 + 10 * k))
        write(tmp_path / "here" / "high" / f"{k}.flac", tone(0.2 + 0.05 * k, 3000 + 99 * k))
    write(tmp_path / "here" / "unknown.wav", tone())
    (tmp_path / "here" / "low" / "cover.png").write_bytes(b"a picture")
    (tmp_path / "here" / "low" / ".hidden.wav").write_bytes(b"")
    (tmp_path / "here" / "empty").mkdir()
    return tmp_path / "here"


def test_a_folder(folder: Path) -> None:
    table = tables.read(folder)
    assert table.X.shape == (9, 80, 50)
    assert table.X.dtype == np.uint8
    assert table.ids.tolist()[:2] == ["high/0.flac", "high/1.flac"]
    assert table.y[table.labelled].tolist() == ["high"] * 4 + ["low"] * 4
    assert table.told == (
        "9 sounds of 2 classes, 0.50 s; 1 without a label; 1 hidden left out; 1 other file left "
        "out (.png); no sound in empty/; 0.20 to 0.35 s long"
    )
    low = as_pixels(spectrogram(tone(0.2, 300)))
    heard = low > 120  # the rest is the noise of 16 bits
    np.testing.assert_allclose(table.X[4, :, :20][heard], low[heard], atol=1)
    assert (table.X[4, :, 22:] == 0).all()


def test_seconds_are_of_the_set_and_of_the_model(folder: Path, tmp_path: Path) -> None:
    table = tables.read(folder, pictures=Pictures(seconds=0.25))
    assert table.X.shape == (9, 80, 25)
    assert table.told.endswith("0.20 to 0.35 s long; 5 longer ones cut")
    write(tmp_path / "there" / "low" / "a.wav", tone(0.9))
    other = tables.read(tmp_path / "there", how=table.reading.like(table))
    assert other.X.shape == (1, 80, 25)
    assert "1 longer one cut" in other.told
    X, y = table.labelled_rows()
    model = SourceOnly(preprocess=LogMel()).fit(X, y)
    model.extras_ = {"table": {"reading": table.reading.noted()}}
    out = tmp_path / "p.csv"
    assert tables.predict_file(model, tmp_path / "there", out) == 1
    assert tables.predict_file(model, tmp_path / "there" / "low" / "a.wav", out) == 1
    assert out.read_text().replace('"', "").split() == ["name,prediction", "a.wav,low"]
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"no matter what")
    with pytest.raises(InputError, match=r"holds no sounds \(\.wav.*aiff\); 1 other file left out"):
        tables.predict_file(model, tmp_path / "pictures", out)


def test_a_column_of_paths(folder: Path, tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "clip": ["here/low/0.wav", "here/high/0.flac", "here/unknown.wav"],
        "pitch": ["low", "high", None],
        "room": [1, 2, 3],
    })  # fmt: skip
    frame.to_csv(tmp_path / "clips.csv", index=False)
    frame.to_parquet(tmp_path / "clips.parquet")
    for name in ("clips.csv", "clips.parquet"):
        table = tables.read(tmp_path / name, label="pitch")
        assert table.X.shape == (3, 80, 50)
        assert table.y[:2].tolist() == ["low", "high"]
        assert table.told.startswith("3 sounds of 2 classes, 0.50 s; 1 without a label; 0.20 to")
        assert "--drop clip" in table.told
    both = frame.assign(again=frame["clip"])
    both.to_csv(tmp_path / "both.csv", index=False)
    with pytest.raises(InputError, match="2 columns of paths to sounds, clip, again"):
        tables.read(tmp_path / "both.csv")


FORMATS = {
    "16 bits": ("a.wav", {"subtype": "PCM_16"}, 2),
    "24 bits": ("a.wav", {"subtype": "PCM_24"}, 1),
    "8 bits": ("a.wav", {"subtype": "PCM_U8"}, 30),
    "floats": ("a.wav", {"subtype": "FLOAT"}, 1),
    "doubles": ("a.wav", {"subtype": "DOUBLE"}, 1),
    "mu law": ("a.wav", {"subtype": "ULAW"}, 30),
    "FLAC": ("a.flac", {}, 2),
    "FLAC of 24 bits": ("a.FLAC", {"subtype": "PCM_24"}, 1),
    "AIFF": ("a.aiff", {}, 2),
    "Vorbis": ("a.ogg", {}, 40),
    "MP3 by another name": ("a.wav", {"format": "MP3"}, 40),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_says_the_same(kind: str, tmp_path: Path) -> None:
    name, how, steps = FORMATS[kind]
    path = write(tmp_path / name, tone(0.5), **how)
    X = tables.read(path).X[0].astype(int)
    want = as_pixels(spectrogram(tone(0.5))).astype(int)
    heard = want[:, 5:45] > 130  # bands that the tone is in
    assert heard.any()
    assert np.abs(X[:, 5:45] - want[:, 5:45])[heard].max() <= steps


def test_channels_are_averaged_and_rates_are_one(tmp_path: Path) -> None:
    left, right = tone(0.5, 440), tone(0.5, 2000)
    mono = write(tmp_path / "mono.wav", (left + right) / 2, subtype="FLOAT")
    both = write(tmp_path / "both.wav", np.stack([left, right], axis=1), subtype="FLOAT")
    np.testing.assert_allclose(tables.read(both).X, tables.read(mono).X, atol=1)
    for rate in (8000, 11025, 22050, 44100, 48000, 96000):
        path = write(tmp_path / f"{rate}.wav", tone(0.5, 440, rate), rate, subtype="FLOAT")
        X = tables.read(path).X[0, :, 10:40]
        want = as_pixels(spectrogram(tone(0.5)))[:, 10:40]
        band = want[:, 0].argmax()
        np.testing.assert_allclose(X[band].astype(int), want[band], atol=1)


def test_resampling_is_that_of_scipy() -> None:
    from scipy.signal import resample_poly

    samples = np.random.default_rng(0).normal(size=4410).astype(np.float32)
    for rate, up, down in ((44100, 160, 441), (8000, 2, 1), (48000, 1, 3)):
        want = resample_poly(samples, up, down)
        np.testing.assert_allclose(resampled(samples, rate), want, atol=1e-5)


def streamed() -> bytes:
    """Return a WAV file whose length nobody knew, as tools write it into pipes."""
    data = (tone(0.3) * 32767).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16)
    unknown = struct.pack("<I", 0xFFFFFFFF)
    return b"RIFF" + unknown + b"WAVE" + form + b"data" + unknown + data


def test_a_stream_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "s.wav"
    path.write_bytes(streamed())
    samples, rate, seconds = decoded(str(path))
    assert (len(samples), rate) == (4800, 16000)
    assert seconds == pytest.approx(0.3)


def bad_files(folder: Path) -> dict[str, str]:
    """Write files that cannot be read; return what is said of each."""
    good = write(folder / "x" / "good.wav", tone()).read_bytes()
    flac = write(folder / "x" / "cut.flac", np.random.default_rng(0).normal(size=9999) * 0.1)
    flac.write_bytes(flac.read_bytes()[:5000])
    write(folder / "x" / "nan.wav", np.array([0.1, np.nan] * 999), subtype="FLOAT")
    write(folder / "x" / "slow.wav", tone(9, 5, 100), 100)
    write(folder / "x" / "none.wav", np.zeros(0))
    (folder / "x" / "empty.wav").write_bytes(b"")
    (folder / "x" / "cut.wav").write_bytes(good[:5000])
    (folder / "x" / "header.wav").write_bytes(good[:20])
    (folder / "x" / "words.wav").write_bytes(b"these are words, and no sound at all")
    (folder / "x" / "picture.wav").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    (folder / "x" / "lost.wav").symlink_to(folder / "nowhere.wav")
    return {
        "cut.flac": "decoded", "nan.wav": "not finite", "slow.wav": "100 samples a second",
        "none.wav": "no samples", "empty.wav": "empty", "cut.wav": "cut off: 4,956 bytes of 9,600",
        "header.wav": "decoded", "words.wav": "decoded", "picture.wav": "decoded",
        "lost.wav": "no such file",
    }  # fmt: skip


def test_bad_files_are_told_together(tmp_path: Path) -> None:
    expected = bad_files(tmp_path / "here")
    with pytest.raises(InputError, match=r"10 sounds of 11 cannot be read: .*and 4 more.*--skip-"):
        tables.read(tmp_path / "here")
    with pytest.warns(
        AcclimateWarning, match="10 sounds of 11 cannot be read and left out"
    ) as told:
        table = tables.read(tmp_path / "here", pictures=Pictures(skip_bad=True))
    message = str(told[0].message)
    for name, why in expected.items():
        assert f"x/{name} (" in message
        assert why in message.partition(f"x/{name} (")[2].partition("), x/")[0], name
    assert table.ids.tolist() == ["x/good.wav"]
    assert table.told.endswith("10 unreadable left out")


def test_settings_that_cannot_be(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no size in pixels.*--seconds 2\.5"):
        tables.read(folder, pictures=Pictures(size=96))
    for seconds in (0.1, 601.0):
        with pytest.raises(InputError, match=r"between 0\.16 and 600"):
            Pictures(seconds=seconds)


def test_more_pictures_than_sounds_are_pictures(folder: Path) -> None:
    from PIL import Image

    for k in range(12):
        Image.new("L", (9, 9), 20 * k).save(folder / "low" / f"p{k}.png")
    (folder / "low" / "cover.png").unlink()
    table = tables.read(folder)
    assert table.X.shape == (12, 9, 9)
    assert "9 other files left out (.flac, .wav)" in table.told


def test_without_the_extra_one_line_says_how(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    with pytest.raises(MissingExtraError, match=r'soundfile.*pip install "acclimate\[audio\]"$'):
        tables.read(folder)


def test_a_file_of_whole_numbers_written_as_floats_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", tone() * 32768, 16000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"loud.wav \(it has a sample of 1.64e\+04; samples lie"):
        tables.read(tmp_path)


def test_a_rate_that_nobody_records_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "fast.wav", tone(), 999_999_937)
    with pytest.raises(InputError, match=r"fast.wav \(it has 999999937 samples a second\)"):
        tables.read(tmp_path)
