"""Augmentation against scipy's affine maps, and what it must not touch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform

from acclimate import DANN, Domain, FineTune, JointObjective, NeuralClassifier
from acclimate.exceptions import InputError
from acclimate.training.augment import (
    AUGMENTATIONS,
    OF_ROWS,
    Augmentation,
    augmentation,
    views,
    warp,
)
from acclimate.training.batch import Batch


def test_warp_is_scipys_affine_map() -> None:
    rng = np.random.default_rng(0)
    h, w = 9, 12
    image = rng.random((h, w))
    matrix = np.array([[0.9, -0.2, 0.1], [0.15, 1.1, -0.05]])  # of places (x, y) in [-1, 1]
    ours = warp(torch.tensor(image)[None, None], torch.tensor(matrix)[None])[0, 0].numpy()
    # the same map on pixel indices (row, column): index = ((place + 1) * side - 1) / 2
    sides = np.array([h, w])
    turned = matrix[::-1, :2][:, ::-1]  # (row, column) order
    scaled = turned * sides[:, None] / sides
    middle = (sides - 1) / 2
    offset = matrix[::-1, 2] * sides / 2 + middle - scaled @ middle
    expected = affine_transform(image, scaled, offset, order=1, mode="nearest")
    np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_a_move_is_a_share_of_the_side() -> None:
    torch.manual_seed(0)
    images = torch.zeros(200, 20, 20)
    images[:, 8:12, 8:12] = 1.0
    moved = Augmentation(shift=0.1)(images)
    rows = torch.arange(20.0)
    centre = (moved.sum(2) * rows).sum(1) / moved.sum((1, 2)) - 9.5
    assert centre.abs().max() <= 2.0 + 1e-4
    assert centre.abs().max() > 1.5
    assert abs(centre.mean()) < 0.3


def test_an_angle_keeps_what_is_in_the_middle() -> None:
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.arange(21.0) - 10, torch.arange(21.0) - 10, indexing="ij")
    disc = torch.exp(-(x**2 + y**2) / 18).expand(10, 21, 21)
    torch.testing.assert_close(Augmentation(degrees=180.0)(disc), disc, rtol=0.0, atol=0.03)
    bar = torch.zeros(10, 21, 21)
    bar[:, 10] = 1.0
    assert (Augmentation(degrees=90.0)(bar) - bar).abs().amax((1, 2)).min() > 0.1


def test_sizes_grow_and_shrink() -> None:
    torch.manual_seed(0)
    images = torch.zeros(300, 30, 30)
    images[:, 10:20, 10:20] = 1.0
    area = Augmentation(scale=0.2)(images).sum((1, 2)) / 100
    assert area.min() == pytest.approx(0.64, abs=0.05)
    assert area.max() == pytest.approx(1.44, abs=0.05)


def test_flip_mirrors_about_half_of_the_images() -> None:
    torch.manual_seed(0)
    images = torch.rand(400, 3, 5, 6)
    changed = Augmentation(flip=True)(images)
    mirrored = torch.tensor([torch.allclose(a, b.flip(2), atol=1e-5)
                             for a, b in zip(changed, images, strict=True)])  # fmt: skip
    same = torch.tensor([torch.allclose(a, b, atol=1e-5)
                         for a, b in zip(changed, images, strict=True)])  # fmt: skip
    assert (mirrored | same).all()
    assert 150 < mirrored.sum() < 250


def test_colour_changes_contrast_brightness_and_each_channel() -> None:
    torch.manual_seed(0)
    images = torch.rand(300, 3, 6, 7)
    changed = Augmentation(colour=0.3)(images)
    own = changed.mean((2, 3)) / images.mean((2, 3))
    assert 0.3 < own.min() < 0.7
    assert 1.3 < own.max() < 1.75
    # each channel is a line of what it was: nothing moves within an image
    for one, was in zip(changed[:20].flatten(0, 1), images[:20].flatten(0, 1), strict=True):
        both = torch.stack([one.flatten(), was.flatten()])
        assert torch.corrcoef(both)[0, 1] == pytest.approx(1.0, abs=1e-4)
    grey = Augmentation(colour=0.3)(images[:, 0])
    gain = grey.mean((1, 2)) / images[:, 0].mean((1, 2))
    assert gain.min() > 0.69
    assert gain.max() < 1.31


def test_several_words_do_all_that_each_does() -> None:
    assert augmentation("flip,crop , colour") == Augmentation(shift=0.1, flip=True, colour=0.3)
    assert augmentation("affine,crop") == AUGMENTATIONS["affine"]
    X, y = np.random.default_rng(0).random((8, 12, 12)), np.arange(8) % 2
    model = NeuralClassifier("cnn", augment="flip,noise", min_steps=2, hidden=(2,)).fit(X, y)
    assert model.predict(X).shape == (8,)
    with pytest.raises(InputError, match=r"augment must be one of .* got 'flip,turn'"):
        NeuralClassifier("cnn", augment="flip,turn").fit(X, y)


def test_noise_has_the_deviation_that_was_asked() -> None:
    torch.manual_seed(0)
    images = torch.rand(50, 20, 20)
    assert (Augmentation(noise=0.1)(images) - images).std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("shape", [(4, 12, 10), (4, 3, 12, 10)])
def test_shape_and_type_stay_and_each_image_has_its_own_draw(
    name: str, shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    x = torch.rand(1, *shape[1:]).expand(shape)
    before = x.clone()
    torch.manual_seed(1)
    out = AUGMENTATIONS[name](x)
    assert (out.shape, out.dtype) == (x.shape, x.dtype)
    assert torch.equal(x, before)
    assert not torch.equal(out[0], out[1])
    torch.manual_seed(1)
    assert torch.equal(AUGMENTATIONS[name](x), out)


def test_flat_rows_and_unknown_words_are_refused(toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=r"augment needs images .* got rows of shape \(4,\)"):
        NeuralClassifier(augment="affine", min_steps=5).fit(d.X, d.y)
    for value in ("turn", 3):
        with pytest.raises(InputError, match=f"augment must be one of .* got {value!r}"):
            NeuralClassifier(augment=value).fit(d.X, d.y)


def test_views_of_a_method_come_after() -> None:
    batch = Batch(torch.zeros(2, 3), None, None, torch.arange(2))
    assert views(None) is None
    double = lambda b: SimpleNamespace(x=2 * b.x)  # noqa: E731
    assert views(None, double) is double
    both = views(lambda x: x + 1, double)
    assert both is not None
    assert both(batch).x.tolist() == [[2.0] * 3] * 2


def test_every_method_with_a_network_trains_on_changed_rows_and_answers_plain_ones(
    toy: Any,
) -> None:
    d = toy()
    seen: list[bool] = []

    def look(x: torch.Tensor) -> torch.Tensor:
        seen.append(True)
        return x

    base = NeuralClassifier(augment=look, hidden=(8,), epochs=1, min_steps=6, random_state=0)
    target = Domain(d.Xt, d.yt)
    for model, batches in ((DANN(base), 12), (JointObjective(base), 12)):
        seen.clear()
        model.fit(d.X, d.y)
        assert len(seen) == 6
        seen.clear()
        model.adapt(target)
        assert len(seen) == batches  # of the source and of the target
        seen.clear()
        model.predict(d.Xn)
        assert seen == []
    seen.clear()
    FineTune(base, strategy="full", head="new").fit(d.X, d.y, target=target)
    assert len(seen) == 12


def test_erase_covers_a_box_with_the_mean() -> None:
    torch.manual_seed(0)
    images = torch.rand(300, 3, 20, 30)
    changed = Augmentation(erase=0.5)(images)
    where = (changed != images).any(1)  # (n, h, w)
    down, across = where.any(2), where.any(1)
    assert torch.equal(where, down[:, :, None] & across[:, None, :])
    for side, size in ((down, 20), (across, 30)):
        edges = (side[:, 1:] != side[:, :-1]).sum(1) + side[:, 0].int() + side[:, -1].int()
        assert set(edges.tolist()) <= {0, 2}  # one stretch, or none
        assert side.sum(1).max() in (size // 2 - 1, size // 2)
        assert side.any(0).all()  # anywhere within the image
    mean = images.mean((1, 2, 3))[:, None, None, None].expand_as(images)
    inside = where[:, None].expand_as(images)
    torch.testing.assert_close(changed[inside], mean[inside])


def test_bands_cover_rows_and_columns() -> None:
    torch.manual_seed(0)
    images = torch.rand(200, 20, 30)
    where = Augmentation(bands=0.3)(images) != images
    down, across = where.all(2), where.all(1)
    assert torch.equal(where, down[:, :, None] | across[:, None, :])
    assert (down.sum(1).max(), across.sum(1).max()) == (6, 9)


def test_time_moves_along_the_last_axis_alone() -> None:
    torch.manual_seed(0)
    images = torch.zeros(100, 20, 20)
    images[:, 8:12, 8:12] = 1.0
    moved = Augmentation(time=0.1)(images)
    places = torch.arange(20.0)
    down, across = ((moved.sum(k) * places).sum(1) / moved.sum((1, 2)) - 9.5 for k in (2, 1))
    assert down.abs().max() < 1e-4
    assert 1.5 < across.abs().max() <= 2.0 + 1e-4


def test_swapped_cells_come_from_their_own_column() -> None:
    torch.manual_seed(0)
    x = torch.arange(1000.0)[:, None] + 10_000 * torch.arange(4.0)
    changed = OF_ROWS["swap-strong"](x)
    assert torch.equal((changed // 10_000).long(), torch.arange(4).expand(1000, 4))
    assert (changed != x).float().mean() == pytest.approx(0.3, abs=0.03)
    # cells of one row come from different rows
    both = (changed != x)[:, 0] & (changed != x)[:, 1]
    assert (changed[both, 0] != changed[both, 1] - 10_000).float().mean() > 0.9
    weight = torch.tensor([1.0, 0.0, 3.0])  # cells of the third row come three times as often
    drawn = torch.cat([Augmentation(swap=0.9)(x[:3], weight) for _ in range(400)])
    counts = torch.bincount((drawn % 10_000).long().flatten())
    assert counts[2] / counts.sum() == pytest.approx(0.75 * 0.9 + 0.1 / 3, abs=0.03)
    assert counts[1] / counts.sum() == pytest.approx(0.1 / 3, abs=0.02)
    with pytest.raises(InputError, match=r"swap changes rows .* got rows of shape \(5, 5\)"):
        OF_ROWS["swap-strong"](torch.zeros(2, 5, 5))


def test_zoom_enlarges_a_crop_from_inside_the_image() -> None:
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 41), torch.linspace(-1, 1, 41), indexing="ij")
    places = torch.stack([x, y]).expand(300, 2, 41, 41)  # each pixel says where it is
    seen = Augmentation(zoom=0.7)(places)
    low, high = seen.amin((2, 3)), seen.amax((2, 3))
    side = (high - low) / 2.0
    torch.testing.assert_close(side[:, 0], side[:, 1], rtol=0.0, atol=0.02)  # it keeps its shape
    area = side[:, 0] * side[:, 1]
    assert 0.27 < area.min() < 0.35
    assert area.max() > 0.9
    assert area.mean() == pytest.approx(0.65, abs=0.05)
    assert low.min() < -0.95
    assert high.max() > 0.95
    both = Augmentation(zoom=0.7, flip=True)(places)
    assert 80 < (both[:, 0, 0, 0] > both[:, 0, 0, -1]).sum() < 220
