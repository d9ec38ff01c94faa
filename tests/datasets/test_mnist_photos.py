"""Digits on photographs are what they are said to be, and the same each time."""

from __future__ import annotations

import hashlib
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from acclimate import datasets
from acclimate.datasets import _mnist_photos
from acclimate.datasets._mnist_photos import blend
from acclimate.exceptions import IntegrityError


def photo_and_digits(n=40):
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (h, w, 3)).astype(np.uint8) for h, w in ((9, 12), (6, 6))]
    return photos, rng.integers(0, 256, (n, 5, 6)).astype(np.uint8)


def test_each_image_is_the_difference_to_a_patch_of_a_photo():
    photos, digits = photo_and_digits()
    made = blend(digits, photos, seed=3)
    assert made.shape == (40, 3, 5, 6)
    assert made.dtype == np.uint8
    patches = [
        photo[top : top + 5, left : left + 6].transpose(2, 0, 1).astype(int)
        for photo in photos
        for top in range(photo.shape[0] - 4)
        for left in range(photo.shape[1] - 5)
    ]
    found = {
        next(i for i, patch in enumerate(patches) if np.array_equal(abs(patch - digit), image))
        for digit, image in zip(digits.astype(int), made, strict=True)
    }
    assert len(found) > 15  # of 5 * 7 + 2 * 1 patches


def test_the_corners_of_a_photo_are_drawn_too():
    photo = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    made = blend(np.zeros((200, 1, 1), np.uint8), [photo], seed=0)
    assert {tuple(rgb) for rgb in made[:, :, 0, 0]} == {tuple(p) for p in photo.reshape(-1, 3)}


def test_the_seed_decides_the_patch_and_an_empty_digit_shows_it():
    photos, digits = photo_and_digits()
    np.testing.assert_array_equal(blend(digits, photos, 1), blend(digits, photos, 1))
    assert not np.array_equal(blend(digits, photos, 1), blend(digits, photos, 2))
    white = np.full_like(digits, 255)
    np.testing.assert_array_equal(
        blend(np.zeros_like(digits), photos, 1), 255 - blend(white, photos, 1)
    )


def test_a_damaged_photo_is_refused(tmp_path):
    path = tmp_path / "scikit_image-0.26.0-any.whl"
    with zipfile.ZipFile(path, "w") as box:
        for name in _mnist_photos.PHOTOS:
            box.writestr(f"skimage/data/{name}.png", b"\x89PNG\r\n\x1a\n, but not more")
    with pytest.raises(IntegrityError, match=r"astronaut\.png"):
        _mnist_photos._read_wheel(path)


def test_pixels_come_out_of_the_wheel_as_they_are(tmp_path):
    path = tmp_path / "scikit_image-0.26.0-any.whl"
    pixels = np.arange(256 * 3).reshape(16, 16, 3).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="png")
    with zipfile.ZipFile(path, "w") as box:
        for name in _mnist_photos.PHOTOS:
            box.writestr(f"skimage/data/{name}.png", stream.getvalue())
    arrays = _mnist_photos._read_wheel(path)
    assert set(arrays) == {"astronaut", "chelsea", "coffee"}
    np.testing.assert_array_equal(arrays["coffee"], pixels)


@pytest.mark.slow
def test_the_whole_set_is_the_known_one(fetch, hidden):
    data, plain = fetch("mnist_photos"), fetch("mnist")
    assert data.X_train.shape == (60000, 3, 28, 28)
    sums = [hashlib.sha256(X.tobytes()).hexdigest() for X in (data.X_train, data.X_test)]
    assert sums == [
        "06e8e4c4cde7d3fe644e52bd02ee04c4a085d6242f81508bccaa36bf38ecb97d",
        "1971764bb77fb01bd7dbee0f952e0b467ccbb28a2e6adebc07f773b3053d4503",
    ]
    np.testing.assert_array_equal(data.y_train, plain.y_train)
    np.testing.assert_array_equal(data.y_test, plain.y_test)
    assert data.class_names == plain.class_names
    assert "60000" in data.split
    again = datasets.mnist_photos(offline=True)  # photographs and digits are in the cache
    np.testing.assert_array_equal(again.X_test, data.X_test)


@pytest.mark.slow
def test_what_is_learnt_on_plain_digits_is_lost_on_photographs(fetch):
    from sklearn.neighbors import KNeighborsClassifier

    plain, colour = fetch("mnist"), fetch("mnist_photos")
    model = KNeighborsClassifier(3).fit(
        plain.X_train[:2000].reshape(2000, -1), plain.y_train[:2000]
    )
    grey = colour.X_test[:500].mean(axis=1).reshape(500, -1)
    assert model.score(plain.X_test[:500].reshape(500, -1), plain.y_test[:500]) > 0.8
    assert model.score(grey, colour.y_test[:500]) < 0.5
