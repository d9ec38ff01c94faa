"""The frame of MNIST."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.datasets.images import frame, resize_matrix
from acclimate.exceptions import InputError


@pytest.mark.parametrize("side", [8, 16, 20, 31])
def test_same_as_interpolation_in_torch(side):
    from torch import from_numpy
    from torch.nn.functional import interpolate

    images = np.random.default_rng(0).random((5, side, side), dtype=np.float32)
    expected = interpolate(
        from_numpy(images)[:, None],
        size=(20, 20),
        mode="bilinear",
        antialias=True,
        align_corners=False,
    )[:, 0].numpy()
    framed = frame(images)
    np.testing.assert_allclose(framed[:, 4:24, 4:24], expected, atol=2e-6)
    outside = framed.copy()
    outside[:, 4:24, 4:24] = 0
    assert framed.dtype == np.float32
    assert not outside.any()


def test_bytes_are_rounded_floats():
    images = np.random.default_rng(1).integers(0, 256, (7, 16, 16)).astype(np.uint8)
    expected = np.rint(frame(images.astype(np.float64)))
    assert frame(images).dtype == np.uint8
    np.testing.assert_allclose(frame(images).astype(float), expected, atol=1)


def test_linear_ramp_stays_linear_inside():
    ramp = np.tile(np.arange(16.0), (1, 16, 1))
    row = frame(ramp)[0, 14, 5:23]
    np.testing.assert_allclose(np.diff(row), 16 / 20, atol=1e-12)


def test_proportions_are_kept_and_rows_are_independent():
    images = np.ones((3, 10, 20))
    framed = frame(images)
    assert (framed > 0).sum() == 3 * 20 * 10
    assert framed[0, 9:19, 4:24].min() > 0
    rng = np.random.default_rng(2)
    images = rng.random((6, 16, 16))
    order = rng.permutation(6)
    np.testing.assert_array_equal(frame(images[order]), frame(images)[order])
    np.testing.assert_allclose(frame(images.transpose(0, 2, 1)), frame(images).transpose(0, 2, 1))


def test_same_size_is_identity_and_no_rows_work():
    images = np.random.default_rng(3).random((2, 20, 20))
    np.testing.assert_allclose(frame(images)[:, 4:24, 4:24], images)
    assert frame(np.empty((0, 16, 16), np.uint8)).shape == (0, 28, 28)
    np.testing.assert_allclose(resize_matrix(7, 3).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((3, 256)), {}, r"\(3, 256\)"),
        (np.zeros((1, 16, 16), np.int64), {}, "int64"),
        (np.zeros((1, 16, 16)), {"box": 30}, "30"),
        (np.zeros((1, 16, 16)), {"box": 0}, "got 0"),
    ],
)
def test_bad_input(images, options, message):
    with pytest.raises(InputError, match=message):
        frame(images, **options)
