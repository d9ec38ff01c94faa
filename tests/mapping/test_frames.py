"""Images of a target in the source's frame."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.exceptions import InputError
from acclimate.mapping.frames import align_frames, look


def _bars(
    n: int, h: int, w: int, box: tuple[int, int, int, int], ground: float, ink: float
) -> np.ndarray:
    """Return images with one bar: rows from box[0] to box[1], columns from box[2] to box[3]."""
    images = np.full((n, h, w), ground)
    images[:, box[0] : box[1], box[2] : box[3]] = ink
    return images


SOURCE = _bars(7, 28, 28, (4, 24, 10, 18), 0.0, 1.0)


def test_look_by_hand() -> None:
    seen = look(_bars(3, 20, 10, (2, 8, 1, 4), 0.25, 0.75))
    assert (seen.height, seen.width) == (20, 10)
    assert (seen.box_height, seen.box_width) == pytest.approx((6.0, 3.0))
    assert (seen.middle_row, seen.middle_column) == pytest.approx((5.0, 2.5))
    assert (seen.ground, seen.ink) == (0.25, 0.75)


def test_domains_that_look_alike_are_left_alone() -> None:
    framed = align_frames(SOURCE, SOURCE)
    assert framed.changes == ()
    assert framed(SOURCE) is SOURCE


@pytest.mark.parametrize("ground", [0.0, 0.2])
def test_smaller_images_are_padded_with_their_ground(ground: float) -> None:
    small = SOURCE[:, 2:26, 5:25]  # the same objects in a smaller canvas
    source = np.where(SOURCE == 0, ground, SOURCE)
    framed = align_frames(source, np.where(small == 0, ground, small))
    assert framed.scale == 1.0
    np.testing.assert_array_equal(framed(np.where(small == 0, ground, small)), source)


def test_larger_images_are_cropped_where_there_is_no_object() -> None:
    large = np.pad(SOURCE, ((0, 0), (3, 6), (8, 1)))
    np.testing.assert_array_equal(align_frames(SOURCE, large)(large), SOURCE)


def test_objects_are_scaled_alike_in_both_directions() -> None:
    half = _bars(5, 16, 16, (3, 13, 6, 10), 0.0, 1.0)
    framed = align_frames(SOURCE, half)
    assert framed.scale == pytest.approx(2.0)
    out = framed(half)
    after = look(out)
    assert (after.height, after.width) == (28, 28)
    # edges are interpolated, so sizes are told by the ink: all of it over that of the middle line
    assert out[0].sum() / out[0, 14].sum() == pytest.approx(20.0)
    assert out[0].sum() / out[0, :, 14].sum() == pytest.approx(8.0)
    assert (after.middle_row, after.middle_column) == pytest.approx((14.0, 14.0), abs=0.6)


def test_a_wide_object_stays_wide() -> None:
    wide = _bars(5, 20, 20, (8, 12, 5, 15), 0.0, 1.0)  # 4 x 10, the source has 20 x 8
    after = look(align_frames(SOURCE, wide)(wide))
    assert after.box_width / after.box_height == pytest.approx(2.5, rel=0.15)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_dark_on_light_becomes_light_on_dark(kind: type) -> None:
    top = 255 if kind is np.uint8 else 1.0
    source = (SOURCE * top).astype(kind)
    target = (top - source * 0.5).astype(kind)
    framed = align_frames(source, target)
    assert "light and dark exchanged" in framed.changes
    out = framed(target)
    assert out.dtype == kind
    np.testing.assert_allclose(out.astype(float), source, atol=1.01 if kind is np.uint8 else 1e-6)


def test_new_images_take_the_same_map() -> None:
    rng = np.random.default_rng(0)
    target = _bars(9, 16, 16, (3, 13, 6, 10), 0.9, 0.1)
    framed = align_frames(SOURCE, target)
    new = rng.random((4, 16, 16))
    np.testing.assert_allclose(framed(new), np.stack([framed(image[None])[0] for image in new]))
    with pytest.raises(InputError, match="made for images of 16 x 16 pixels, got 28 x 28"):
        framed(SOURCE)


def test_channels_are_changed_alike() -> None:
    target = _bars(5, 16, 16, (3, 13, 6, 10), 0.9, 0.1)
    flat = align_frames(SOURCE, target)(target)
    colour = [np.repeat(images[:, None], 3, axis=1) for images in (SOURCE, target)]
    out = align_frames(*colour)(colour[1])
    for channel in range(3):
        np.testing.assert_allclose(out[:, channel], flat)


def test_few_odd_images_do_not_decide() -> None:
    target = _bars(9, 28, 28, (4, 24, 10, 18), 0.0, 1.0)
    target[0] = 0.0  # empty
    target[1] = _bars(1, 28, 28, (0, 28, 0, 28), 0.0, 1.0)[0]
    assert align_frames(SOURCE, target).changes == ()


def test_images_without_an_object_are_left_but_for_the_canvas() -> None:
    blank = np.zeros((3, 20, 20))
    assert align_frames(SOURCE, blank)(blank).shape == (3, 28, 28)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        (np.zeros((3, 4)), SOURCE, "source must hold images"),
        (SOURCE, np.zeros((0, 4, 4)), "target must hold images"),
        (SOURCE, np.zeros((2, 4, 4), int), "uint8 or floating point, got int64"),
        (SOURCE, np.zeros((2, 3, 4, 4)), "same channels"),
    ],
)
def test_what_are_no_images_is_refused(source: object, target: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        align_frames(source, target)
