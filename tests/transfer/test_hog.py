"""HOG: against a computation pixel by pixel, and what must not change features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import acclimate
from acclimate import HOG, Domain, SourceOnly
from acclimate.exceptions import InputError


def drawn(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, size=shape).astype(np.uint8)


def by_hand(image: Any, scale: float, cell: int, bins: int) -> Any:
    """Return the features of one image of one channel, loop by loop."""
    x = np.sqrt(image.astype(float) / scale)
    h, w = x.shape
    rows, columns = h // cell, w // cell
    top, left = (h - rows * cell) // 2, (w - columns * cell) // 2
    hist = np.zeros((rows, columns, bins))
    for i in range(rows * cell):
        for j in range(columns * cell):
            r, c = top + i, left + j
            dx = x[r, min(c + 1, w - 1)] - x[r, max(c - 1, 0)]
            dy = x[min(r + 1, h - 1), c] - x[max(r - 1, 0), c]
            place = np.arctan2(dy, dx) % (2 * np.pi) / (2 * np.pi) * bins
            low = int(np.floor(place))
            length = np.hypot(dx, dy)
            hist[i // cell, j // cell, low % bins] += length * (1 - (place - low))
            hist[i // cell, j // cell, (low + 1) % bins] += length * (place - low)
    found = np.zeros_like(hist)
    for i in range(rows):
        for j in range(columns):
            for up in (-1, 0):
                for aside in (-1, 0):
                    total = 0.1**2
                    for a in (i + up, i + up + 1):
                        for b in (j + aside, j + aside + 1):
                            near = hist[min(max(a, 0), rows - 1), min(max(b, 0), columns - 1)]
                            total += float((near**2).sum())
                    found[i, j] += np.minimum(hist[i, j] / np.sqrt(total), 0.2) / 4
    return found.ravel()


@pytest.mark.parametrize("sides", [(28, 28), (17, 23)])
def test_features_are_those_of_a_loop_over_pixels(sides: tuple[int, int]) -> None:
    images = drawn(0, 3, *sides)
    images[:, :9, :9] = 0
    step = HOG().fit(images)
    wanted = [
        np.concatenate([by_hand(one, step.scale_, 4, 8), by_hand(one, step.scale_, 7, 12)])
        for one in images
    ]
    np.testing.assert_allclose(step.transform(images), wanted, rtol=2e-4, atol=2e-5)


def test_the_types_of_pixels_do_not_matter() -> None:
    images = drawn(1, 4, 28, 28)
    images[0, 0, 0] = 255
    plain = HOG().fit_transform(images)
    np.testing.assert_array_equal(HOG().fit_transform(images.astype(np.float64)), plain)
    np.testing.assert_allclose(HOG().fit_transform(images / 255.0), plain, atol=1e-5)


def test_a_turned_image_has_turned_features() -> None:
    images = drawn(2, 2, 28, 28)
    turned = np.rot90(images, axes=(1, 2)).copy()  # against the clock: right becomes up
    step = HOG(cells=(7,), bins=(12,)).fit(images)
    h = step.transform(images).reshape(2, 4, 4, 12)
    t = step.transform(turned).reshape(2, 4, 4, 12)
    wanted = np.roll(np.rot90(h, axes=(1, 2)), -3, axis=3)  # a quarter of the directions
    np.testing.assert_allclose(t, wanted, rtol=1e-3, atol=1e-4)


def test_of_channels_the_longest_gradient_counts() -> None:
    first, second = drawn(3, 2, 28, 28), drawn(4, 2, 28, 28)
    left, right = first.copy(), second.copy()
    left[:, :, 14:] = 0
    right[:, :, :14] = 0
    step = HOG(cells=(4,), bins=(8,)).fit(np.stack([first, second], axis=1))
    both = step.transform(np.stack([left, right], axis=1)).reshape(2, 7, 7, 8)
    alone = HOG(cells=(4,), bins=(8,)).fit(np.concatenate([first, second]))
    alone.scale_ = step.scale_
    np.testing.assert_allclose(
        both[:, :, :2], alone.transform(left).reshape(2, 7, 7, 8)[:, :, :2], atol=1e-6
    )
    np.testing.assert_allclose(
        both[:, :, -2:], alone.transform(right).reshape(2, 7, 7, 8)[:, :, -2:], atol=1e-6
    )
    one = drawn(5, 2, 1, 28, 28)
    np.testing.assert_array_equal(HOG().fit_transform(one), HOG().fit_transform(one[:, 0]))


def test_rows_are_answered_one_by_one() -> None:
    images = drawn(6, 300, 12, 12)  # more than a block
    step = HOG(cells=(4,), bins=(8,)).fit(images)
    whole = step.transform(images)
    np.testing.assert_array_equal(step.transform(images[255:258]), whole[255:258])
    assert whole.shape == (300, len(step.get_feature_names_out()))
    assert np.isfinite(step.transform(np.zeros_like(images))).all()


def test_what_is_no_image_is_refused() -> None:
    images = drawn(7, 3, 28, 28)
    for wrong, words in (
        (images.reshape(3, -1), r"images of shape .*X.reshape"),
        (np.zeros((3, 28, 28, 3)), "channels first"),
        (np.full((3, 28, 28), np.nan), "NaN"),
        (images[:, :6], r"cells must be at most .*6 x 28 pixels, got 7"),
    ):
        with pytest.raises(InputError, match=words):
            HOG().fit(wrong)
    with pytest.raises(InputError, match="the shape 14 x 28, and those of the fit 28 x 28"):
        HOG().fit(images).transform(images[:, :14])
    with pytest.raises(InputError, match="as many scales"):
        HOG(cells=(4,)).fit(images)
    with pytest.raises(InputError, match="cells must be"):
        HOG(cells=(1,), bins=(8,)).fit(images)


def test_a_method_with_it_is_saved(tmp_path: Any) -> None:
    images, y = drawn(8, 40, 16, 16), np.arange(40) % 2
    images[y == 1, :, :8] //= 8
    model = SourceOnly(preprocess=HOG(cells=(4,), bins=(8,))).fit(images, y, target=Domain(images))
    assert model.score(images, y) == 1.0
    loaded = acclimate.load(model.save(tmp_path / "m"))
    np.testing.assert_array_equal(loaded.predict_proba(images), model.predict_proba(images))
