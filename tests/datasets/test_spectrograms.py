"""Log-mel spectrograms: against torch and librosa, and what silence after a sound changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate.datasets.spectrograms import (
    as_pixels,
    as_spectrograms,
    hertz_of,
    lengths,
    log_mel,
    mel_filters,
    mel_of,
    spectrogram,
    stacked,
)
from acclimate.exceptions import InputError


def chirp() -> np.ndarray:
    """Return half a second that rises from 40 to 7940 Hz."""
    t = np.arange(8000) / 16000
    return 0.6 * np.sin(2 * np.pi * (40 * t + 7900 * t * t))


def test_log_mel_is_that_of_librosa() -> None:
    # librosa 0.11: stft(samples and 200 zeros, n_fft=400, hop_length=160, pad_mode="reflect") and
    # filters.mel(sr=16000, n_fft=400, n_mels=80); log10 of at least 1e-10.
    found = log_mel(chirp())
    assert found.shape == (80, 50)
    theirs = {
        (0, 0): 1.57471, (29, 7): 1.52335, (56, 20): 1.42178, (69, 33): 1.31099, (79, 49): 1.11068,
        (26, 7): 0.41744, (53, 20): -2.94555, (66, 33): -5.06694, (76, 49): -5.78911,
    }  # fmt: skip
    for place, value in theirs.items():
        assert found[place] == pytest.approx(value, abs=2e-5)
    assert found.argmax(axis=0)[[0, 7, 20, 33, 49]].tolist() == [0, 29, 56, 69, 79]


def test_log_mel_against_torch() -> None:
    samples = np.random.default_rng(0).normal(size=5000) * 0.1
    x = torch.from_numpy(np.concatenate([samples, np.zeros(400)]))
    spectrum = torch.stft(
        x, 400, 160, window=torch.hann_window(400, dtype=torch.float64), return_complex=True
    )
    power = spectrum.abs().pow(2)[:, :32].numpy()  # (201, 32)
    edges = [hertz_of(m) for m in np.linspace(0, mel_of(8000.0), 82)]
    want = np.empty((80, 32))
    for band in range(80):
        low, centre, high = edges[band : band + 3]
        weights = [
            max(0.0, min((f - low) / (centre - low), (high - f) / (high - centre)))
            for f in np.arange(201) * 40.0
        ]
        want[band] = 2 / (high - low) * (np.array(weights) @ power)
    np.testing.assert_allclose(log_mel(samples), np.log10(want), atol=1e-5)


def test_filters_have_one_area() -> None:
    area = mel_filters().sum(axis=1) * 40.0
    np.testing.assert_allclose(area[50:], 1.0, atol=0.03)  # wide ones, over steps of 40 Hz
    f = np.array([50.0, 900.0, 1000.0, 4000.0])
    np.testing.assert_allclose(hertz_of(mel_of(f)), f)


@pytest.mark.parametrize("count", [1, 100, 159, 160, 161, 399, 401, 1600, 1601])
def test_silence_after_a_sound_changes_nothing_before_it(count: int) -> None:
    samples = np.random.default_rng(count).normal(size=count) * 0.1
    alone = log_mel(samples)
    assert alone.shape == (80, -(-count // 160))
    longer = log_mel(np.concatenate([samples, np.zeros(3200)]))
    np.testing.assert_array_equal(longer[:, : alone.shape[1]], alone)
    assert (longer[:, alone.shape[1] + 2 :] == -10).all()


def test_louder_is_brighter_by_as_much() -> None:
    quiet, loud = log_mel(0.01 * chirp()), log_mel(0.1 * chirp())
    heard = quiet > -6
    np.testing.assert_allclose((loud - quiet)[heard], 2.0, atol=1e-4)


def test_pictures_of_sounds() -> None:
    picture = spectrogram(chirp())
    assert 0.88 < picture.max() < 0.9
    assert spectrogram(np.ones(16000)).max() < 1
    again = as_pixels(picture) / 255.0
    assert np.abs(again - picture).max() <= 0.5 / 255 + 1e-6
    X = stacked([picture, picture[:, :20]])
    assert X.shape == (2, 80, 50)
    assert lengths(X).tolist() == [50, 20]
    assert stacked([picture], 30).shape == (1, 80, 30)
    np.testing.assert_array_equal(as_spectrograms([chirp(), chirp()[:3200]])[0], X[0])
    as_int = (chirp() * 32768).astype(np.int16)
    np.testing.assert_allclose(as_spectrograms(as_int[None])[0], picture, atol=0.15)
    as_byte = np.rint(chirp() * 128 + 128).clip(0, 255).astype(np.uint8)  # 128 is silence
    np.testing.assert_array_equal(
        as_spectrograms(as_byte[None]), as_spectrograms(as_byte[None] / 128.0 - 1.0)
    )
    assert as_spectrograms(as_pixels(X)).dtype == np.uint8


def test_another_rate_hears_the_same_tone() -> None:
    for rate in (8000, 22050, 44100, 48000):
        t = np.arange(rate) / rate
        column = spectrogram(np.sin(2 * np.pi * 1000 * t), rate)[:, 50]
        assert int(column.argmax()) == 26
        assert column.max() == pytest.approx(spectrogram_of_1000()[:, 50].max(), abs=2e-3)


def spectrogram_of_1000() -> np.ndarray:
    return spectrogram(np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000))


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.zeros((2, 3, 4)), r"pictures of them of shape \(n, 80, columns\); got \(2, 3, 4\)"),
        ("word", "got str"),
        ([], "got list"),
        ([np.zeros(4), np.zeros((2, 2))], r"sound 1 must be one row of samples, got shape \(2, 2"),
        ([np.zeros(0)], r"sound 0 must .* \(0,\)"),
        ([np.array([0.0, np.nan])], "sound 0 has samples that are not finite"),
        ([np.array(["a"])], "sound 0 must be"),
        ([np.ones(4) * 1j], r"sound 0 must be one row of samples, got shape \(4,\) of complex128"),
        ([np.ones(4), np.array([1, -2])], "sound 1 is of int64, .* divide"),
        ([np.array([0.0, -2e4])], r"sound 0 has a sample of 2e\+04; samples lie in \[-1, 1\]"),
        (np.zeros((2, 80, 0)), r"got \(2, 80, 0\)"),
    ],
)
def test_what_is_no_sound_is_refused(X: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        as_spectrograms(X)
    with pytest.raises(InputError, match="at least 1000, got 5"):
        as_spectrograms([np.zeros(9)], rate=5)
    with pytest.raises(InputError, match="at most 1000000, got 10000019"):
        as_spectrograms([np.zeros(9)], rate=10_000_019)
