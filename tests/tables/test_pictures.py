"""A table of odd pictures and folders: read right, or one error with the file and the way out."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL
import pytest
from PIL import Image, ImageOps

from acclimate import tables
from acclimate.exceptions import AcclimateWarning, InputError
from acclimate.tables.pictures import of_words

RNG = np.random.default_rng(0)
GREY = np.arange(0, 240, 8, dtype=np.uint8).reshape(5, 6)  # h, w: 5 x 6, no two alike
COLOUR = RNG.integers(0, 256, (5, 6, 3), dtype=np.uint8)
DEEP = GREY.astype(np.uint16) * 257
TWELVE = np.rint(GREY * (4095 / 255)).astype(np.uint16)
INK = np.zeros((5, 6), np.uint8)
INK[1:3, 2:5] = 255


def save(path: Path, values: Any, **settings: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = values if isinstance(values, Image.Image) else Image.fromarray(values)
    picture.save(path, **settings)
    return path


def oriented(number: int) -> Any:
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


def clear(mode: str) -> Image.Image:
    """Return black ink in the alpha channel."""
    picture = Image.new(mode[:-1] if mode != "PA" else "L", (6, 5), 0)
    if mode == "PA":
        return Image.merge("LA", (picture, Image.fromarray(INK))).convert("PA")
    return Image.merge(mode, (*picture.split(), Image.fromarray(INK)))


def indexed() -> Image.Image:
    """Return a picture with a palette: red, green and blue."""
    picture = Image.fromarray((GREY // 8 % 3).astype(np.uint8), mode="L")
    made = Image.frombytes("P", picture.size, picture.tobytes())
    made.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    return made


INDEXED = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)[GREY // 8 % 3]


def palette_hole(path: Path) -> None:
    save(path, indexed(), transparency=1)


def animated(path: Path) -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    save(path, frames[0], save_all=True, append_images=frames[1:])


def pages(path: Path) -> None:
    animated(path)


def flags(path: Path) -> None:
    save(path, Image.fromarray(INK).convert("1"))


def cmyk(path: Path) -> None:
    save(path, Image.new("CMYK", (6, 5), (0, 255, 255, 0)), quality=100)


def held(number: int, **settings: Any) -> Callable[[Path], None]:
    """Return what writes a picture so that its EXIF turns it into `GREY`."""
    back = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[number]  # the inverse turn

    def write(path: Path) -> None:
        picture = Image.fromarray(GREY)
        if back is not None:
            picture = picture.transpose(Image.Transpose(back))
        save(path, picture, exif=oriented(number), **settings)

    return write


@dataclass(frozen=True)
class Odd:
    """One picture: what writes it, and the array that it is read as, or words of the error."""

    name: str
    write: Any
    wanted: Any = None
    error: str = ""
    near: float = 0.0


def plain(values: Any, **settings: Any) -> Callable[[Path], None]:
    return lambda path: void(save(path, values, **settings))


def void(_: object) -> None:
    return None


def raw(content: bytes) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(content))


def cut(share: float, **settings: Any) -> Callable[[Path], None]:
    """Return what writes a picture and keeps a part of its bytes."""

    def write(path: Path) -> None:
        noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        content = save(path, noise, **settings).read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    return write


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a part of a PNG."""
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def bomb(path: Path) -> None:
    """Write a PNG of 20 000 x 20 000 pixels in a few bytes."""
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0" * 99)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def deep_hole(path: Path) -> None:
    """Write a PNG of 16 bits in which one value is transparent."""
    content = save(path, DEEP).read_bytes()
    start = content.index(b"IDAT") - 4
    hole = chunk(b"tRNS", struct.pack(">H", DEEP[2, 3]))
    path.write_bytes(content[:start] + hole + content[start:])


def signed(path: Path) -> None:
    save(path, Image.fromarray(GREY.astype(np.int32) - 100))


def broken_exif(path: Path) -> None:
    save(path, GREY, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\x03" * 3)


def big_endian(path: Path) -> None:
    """Write a TIFF of 16 bits, the high byte first."""
    rows = DEEP.astype(">u2").tobytes()
    tags = [(256, 6), (257, 5), (258, 16), (259, 1), (262, 1), (273, 8), (277, 1), (278, 5),
            (279, len(rows))]  # fmt: skip
    entries = b"".join(
        struct.pack(">HHI", tag, 4, 1) + struct.pack(">I", value) for tag, value in tags
    )
    head = b"MM\0*" + struct.pack(">I", 8 + len(rows))
    path.write_bytes(head + rows + struct.pack(">H", len(tags)) + entries + struct.pack(">I", 0))


def folder_called(path: Path) -> None:
    save(path / "inner.png", GREY)


def with_tail(path: Path) -> None:
    path.write_bytes(save(path, GREY).read_bytes() + b"what a camera wrote behind it" * 99)


def multi_picture(path: Path) -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    frames[0].save(path, "MPO", save_all=True, append_images=frames[1:], quality=100)


def of_mode(mode: str, **settings: Any) -> Callable[[Path], None]:
    return lambda path: void(save(path, Image.fromarray(RED).convert(mode), **settings))


def as_format(name: str) -> Callable[[Path], None]:
    return lambda path: Image.fromarray(np.resize(GREY, (16, 16))).convert("RGB").save(path, name)


RED = np.zeros((5, 6, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
ONE = [
    Odd("grey.png", plain(GREY), GREY),
    Odd("colour.png", plain(COLOUR), COLOUR),
    Odd("GREY.PNG", plain(GREY), GREY),
    Odd("grey.bmp", plain(GREY), GREY),
    Odd("colour.bmp", plain(COLOUR), COLOUR),
    Odd("grey.tif", plain(GREY), GREY),
    Odd("colour.tiff", plain(COLOUR, compression="tiff_lzw"), COLOUR),
    Odd("colour.webp", plain(COLOUR, lossless=True), COLOUR),
    Odd("grey.jpg", plain(GREY, quality=100), GREY, near=3),
    Odd("grey.jfif", lambda path: void(save(path.with_suffix(".jpg"), GREY, quality=100)
                                       .rename(path)), GREY, near=3),
    Odd("cmyk.jpg", cmyk, RED, near=3),
    Odd("grey.gif", plain(GREY), GREY),
    Odd("colours.gif", plain(indexed()), INDEXED),
    Odd("moving.gif", animated, GREY),
    Odd("moving.webp", plain(COLOUR, save_all=True, lossless=True,
                             append_images=[Image.fromarray(255 - COLOUR)]), COLOUR),
    Odd("pages.tif", pages, GREY),
    Odd("flags.png", flags, INK),
    Odd("flags.tif", flags, INK),
    Odd("palette.png", plain(indexed()), INDEXED),
    Odd("grey palette.png", plain(Image.fromarray(GREY).convert("P")), GREY),
    Odd("hole in palette.png", palette_hole,
        np.where((INDEXED == [0, 255, 0]).all(-1, keepdims=True), 255, INDEXED)),
    Odd("ink.png", plain(clear("RGBA")), np.repeat(255 - INK[..., None], 3, 2)),
    Odd("ink grey.png", plain(clear("LA")), 255 - INK),
    Odd("ink.webp", plain(clear("RGBA"), lossless=True, exact=True),
        np.repeat(255 - INK[..., None], 3, 2)),
    Odd("ink.tif", plain(clear("RGBA")), np.repeat(255 - INK[..., None], 3, 2)),
    Odd("grey with one clear.png", plain(GREY, transparency=int(GREY[2, 3])),
        np.where(GREY[2, 3] == GREY, 255, GREY)),
    Odd("deep.png", plain(DEEP), GREY),
    Odd("deep.tif", plain(DEEP), GREY),
    Odd("twelve.png", plain(TWELVE), GREY),
    Odd("twelve.tif", plain(TWELVE), GREY),
    Odd("whole numbers.tif", plain(DEEP.astype(np.int32)), GREY),
    *(Odd(f"held {n}.png", held(n), GREY) for n in range(1, 9)),
    *(Odd(f"held {n}.tif", held(n), GREY) for n in range(1, 9)),
    *(Odd(f"held {n}.jpg", held(n, quality=100), GREY, near=3) for n in (3, 6)),
    *(Odd(f"held {n}.webp", held(n, lossless=True), np.repeat(GREY[..., None], 3, 2))
      for n in (3, 6)),
    Odd("broken exif.jpg", lambda path: broken_exif(path), GREY, near=12),
    Odd("png called.jpg", lambda path: void(save(path.with_suffix(".png"), GREY).rename(path)),
        GREY),
    Odd("high byte first.tif", big_endian, GREY),
    Odd("progressive.jpg", plain(GREY, quality=100, progressive=True), GREY, near=3),
    Odd("cmyk.tif", of_mode("CMYK"), RED, near=3),
    Odd("luminance and colour.tif", of_mode("YCbCr"), RED, near=3),
    Odd("two in one.jpg", multi_picture, GREY, near=3),
    Odd("moving.png", plain(GREY, save_all=True, append_images=[Image.fromarray(255 - GREY)]),
        GREY),
    Odd("a tail.png", with_tail, GREY),
    Odd("Größe №1 'a' & b.png", plain(GREY), GREY),
    Odd("a folder.png", folder_called, GREY),
    Odd("no palette left.gif", plain(GREY // 255 * 0), GREY * 0),
    Odd("black.png", plain(DEEP * 0), GREY * 0),
    Odd("a line.png", plain(GREY[:1]), GREY[:1]),
    Odd("called.jpg.png", plain(GREY), GREY),
    Odd("one pixel.png", plain(GREY[:1, :1]), GREY[:1, :1]),
    Odd("empty.png", raw(b""), error="empty"),
    Odd("page.png", raw(b"<html>not found</html>"), error="no picture of a known format"),
    Odd("script.gif", raw(b"%!PS-Adobe-3.0 EPSF-3.0\n"), error="no picture of a known format"),
    Odd("half.png", cut(0.5), error="damaged"),
    Odd("half.jpg", cut(0.5), error="damaged"),
    Odd("half.tif", cut(0.5), error="damaged|no picture"),
    Odd("half.bmp", cut(0.5), error="damaged"),
    Odd("half.webp", cut(0.5, lossless=True), error="damaged|no picture"),
    Odd("head.jpg", cut(0.01), error="damaged|no picture"),
    Odd("bomb.png", bomb, error=r"more than [\d,]+ pixels; make it smaller"),
    Odd("floats.tif", plain(GREY.astype(np.float32)), error="floats; convert it to 8 or 16 bits"),
    Odd("signed.tif", signed, error="values from -100 to 132; convert"),
    Odd("deep with one clear.png", deep_hole,
        error="16 bits with a transparent value"),
    Odd("nowhere.png", lambda path: os.symlink(path.with_name("gone"), path),
        error="there is no such file"),
    Odd("an icon.png", as_format("ICO"), error="no picture of a known format"),
    Odd("a document.png", as_format("PDF"), error="no picture of a known format"),
    Odd("drawing.png", raw(b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        error="no picture of a known format"),
    Odd("phone.jpg", raw(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99),
        error="no picture of a known format"),
    Odd("zeros.png", raw(b"\0" * 5000), error="no picture of a known format"),
    Odd("pointer.png", raw(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        error="no picture of a known format"),
    Odd("nothing wide.png", raw(b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 0, 0, 0, 0)) + chunk(b"IEND", b"")),
        error="damaged|no picture"),
    Odd("circle.png", lambda path: os.symlink(path, path), error="there is no such file"),
    Odd("pipe.png", lambda path: os.mkfifo(path), error="a device or a pipe"),
]  # fmt: skip


@pytest.mark.parametrize("odd", ONE, ids=lambda odd: odd.name)
def test_an_odd_picture_is_read_right_or_named(odd: Odd, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / odd.name
    odd.write(path)
    if odd.name == "luminance and colour.tif" and PIL.__version__.startswith("10."):
        pytest.skip("Pillow 10 cuts what it writes of this one")
    if odd.error:
        with pytest.raises(InputError, match=odd.error) as raised:
            tables.read(tmp_path)
        assert f"a/{odd.name} (" in str(raised.value)
        assert "replace or remove" in str(raised.value)
        save(tmp_path / "b" / "good.png", GREY)
        with pytest.warns(AcclimateWarning, match=f"left out: a/{odd.name}"):
            table = tables.read(tmp_path, pictures=tables.Pictures(skip_bad=True))
        assert table.ids.tolist() == ["b/good.png"]
        assert "1 unreadable left out" in table.told
        return
    table = tables.read(tmp_path)
    wanted = odd.wanted if odd.wanted.ndim == 2 else odd.wanted.transpose(2, 0, 1)
    assert table.X.dtype == np.uint8
    assert table.X.shape == (1, *wanted.shape)
    np.testing.assert_allclose(table.X[0].astype(int), wanted, atol=odd.near)


def put(root: Path, *names: str) -> Path:
    for name in names:
        save(root / name, np.full((4, 4), len(name), np.uint8))
    return root


PLAIN = ("a/0.png", "a/1.png", "b/0.png")


def linked(root: Path) -> None:
    put(root / "elsewhere", "0.png")
    put(root / "set", *PLAIN)
    os.symlink(root / "elsewhere", root / "set" / "c")


def circle(root: Path) -> None:
    put(root / "set", *PLAIN)
    os.symlink(root / "set", root / "set" / "a" / "again")
    os.symlink(root / "set" / "b", root / "set" / "b" / "self")


def linked_picture(root: Path) -> None:
    put(root / "set", *PLAIN)
    os.symlink(root / "set" / "a" / "0.png", root / "set" / "b" / "link.png")


def with_files(*names: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        put(root / "set", *PLAIN)
        for name in names:
            (root / "set" / name).parent.mkdir(exist_ok=True, parents=True)
            (root / "set" / name).write_text("x")

    return make


def holding(*names: str) -> Callable[[Path], None]:
    return lambda root: void(put(root / "set", *names))


def link_to_itself(root: Path) -> None:
    put(root / "set", *PLAIN)
    for name in ("c", "a/d"):
        os.symlink(root / "set" / name, root / "set" / name)


def empty_class(root: Path) -> None:
    put(root / "set", *PLAIN)
    (root / "set" / "c").mkdir()


# what makes a folder, its rows by class, and what the line says
LAYOUTS: dict[str, tuple[Callable[[Path], None], dict[str | None, int], str]] = {
    "class folders": (holding(*PLAIN), {"a": 2, "b": 1}, "3 pictures of 2 classes, 4 x 4, grey"),
    "a class as a link": (linked, {"a": 2, "b": 1, "c": 1}, "4 pictures of 3 classes"),
    "a picture as a link": (linked_picture, {"a": 2, "b": 2}, "4 pictures"),
    "links in a circle": (circle, {"a": 2, "b": 1}, "a/again, b/self not followed again"),
    "links to themselves": (link_to_itself, {"a": 2, "b": 1}, "3 pictures of 2 classes"),
    "hidden files": (with_files("a/.DS_Store", "a/._0.png"), {"a": 2, "b": 1},
                     "2 hidden left out"),
    "hidden folders": (holding(*PLAIN, ".thumbs/0.png", "a/.ipynb_checkpoints/0.png"),
                       {"a": 2, "b": 1}, "2 hidden left out"),
    "other files": (with_files("README", "a/0.txt", "a/Thumbs.db"), {"a": 2, "b": 1},
                    "3 other files left out (.db, .txt, README)"),
    "train and val": (holding(*(f"{part}/{n}" for part in ("train", "val") for n in PLAIN)),
                      {"a": 4, "b": 2}, "6 pictures of 2 classes, 4 x 4, grey"),
    "train and test": (holding(*(f"{part}/{n}" for part in ("Train", "Test") for n in PLAIN)),
                       {"a": 2, "b": 1}, "3 pictures of 2 classes, 4 x 4, grey; Test/ left out"),
    "train alone": (holding(*(f"train/{n}" for n in PLAIN)), {"a": 2, "b": 1}, "of 2 classes"),
    "train without classes": (holding("train/0.png", "test/1.png"), {None: 1}, "test/ left out"),
    "test alone": (holding("test/0.png", "test/1.png"), {"test": 2}, "2 pictures of 1 class"),
    "classes called test and bus": (holding("test/0.png", "bus/1.png"), {"test": 1, "bus": 1},
                                    "of 2 classes"),
    "trains and buses": (holding("train/0.png", "bus/1.png"), {"train": 1, "bus": 1}, "2 classes"),
    "folders in classes": (holding("a/x/0.png", "a/y/0.png", "b/0.png"), {"a": 2, "b": 1},
                           "3 pictures"),
    "loose ones beside classes": (holding(*PLAIN, "0.png", "1.png"), {"a": 2, "b": 1, None: 2},
                                  "5 pictures of 2 classes, 4 x 4, grey; 2 without a label"),
    "loose ones alone": (holding("0.png", "1.png"), {None: 2}, "2 pictures, 4 x 4, grey"),
    "a class without pictures": (empty_class, {"a": 2, "b": 1}, "no picture in c/"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_folder_as_people_have_it(name: str, tmp_path: Path) -> None:
    make, wanted, words = LAYOUTS[name]
    make(tmp_path)
    table = tables.read(tmp_path / "set")
    known = np.ones(len(table.X), bool) if table.labelled is None else table.labelled
    labels = [None] * len(table.X) if table.y is None else table.y.tolist()
    found = Counter(y if k else None for y, k in zip(labels, known.tolist(), strict=True))
    assert dict(found) == wanted
    assert words in table.told
    values = table.X[:, 0, 0].tolist()  # the length of the name that `put` gave it
    real = [os.path.realpath(tmp_path / "set" / one) for one in table.ids]
    assert len(set(table.ids)) == len(values) == len(real)
    assert table.ids.tolist() == sorted(table.ids.tolist(), key=lambda one: Path(one).parts)


@pytest.mark.parametrize("names", [(), ("notes.md",), ("a/0.heic",), (".hidden/0.png",)])
def test_a_folder_without_pictures_says_what_is_there(names: Any, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=r"holds no pictures \(\.png, .*") as raised:
        tables.read(tmp_path)
    if names:
        assert "left out" in str(raised.value)


def test_bad_files_are_listed_together(tmp_path: Path) -> None:
    put(tmp_path, *PLAIN)
    for name in ("a/bad.png", "b/bad.jpg"):
        (tmp_path / name).write_bytes(b"no")
    with pytest.raises(
        InputError, match=r"2 pictures of 5 .* a/bad\.png \(.*b/bad\.jpg \(.*skip_bad"
    ):
        tables.read(tmp_path)
    with pytest.warns(AcclimateWarning, match=r"a/bad\.png .* b/bad\.jpg"):
        table = tables.read(tmp_path, pictures=tables.Pictures(skip_bad=True))
    assert table.ids.tolist() == list(PLAIN)
    assert table.kept.tolist() == [0, 1, 3]  # type: ignore[union-attr]


def test_sizes_are_one_error_that_lists_them_and_the_option(tmp_path: Path) -> None:
    for number, size in enumerate([(4, 6), (4, 6), (8, 8), (5, 5)]):
        save(tmp_path / f"{number}.png", np.zeros(size, np.uint8))
    with pytest.raises(
        InputError, match=r"found 6 x 4 \(2\), 8 x 8 \(1\), 5 x 5 \(1\).*--image-size"
    ):
        tables.read(tmp_path)


def test_sizes_are_those_of_pictures_held_upright(tmp_path: Path) -> None:
    for ending in ("jpg", "png", "tif"):
        held(6)(save(tmp_path / f"{ending}/x.{ending}", GREY))
        save(tmp_path / f"{ending}/y.{ending}", np.zeros((9, 9), np.uint8))
        with pytest.raises(InputError, match=rf"x\.{ending} is 6 x 5 pixels, y\.{ending} is 9 x 9"):
            tables.read(tmp_path / ending)


RAMP = np.tile(np.arange(0, 240, 6, dtype=np.uint8), (20, 1))  # 20 x 40, darker on the left


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
def test_resizing_keeps_what_it_says(how: str, deep: bool, tmp_path: Path) -> None:
    save(tmp_path / "0.png", RAMP.astype(np.uint16) * 257 if deep else RAMP)
    settings = tables.Pictures(size=10, resize=how, white=65535 if deep else None)
    row = tables.read(tmp_path, pictures=settings).X[0].astype(int)
    assert row.shape == (10, 10)
    if how == "pad":  # 5 rows of picture between white ones
        assert (row[[0, 1, 8, 9]] == 255).all()
        row = row[4:6]
    ends = {"crop": (57, 174), "pad": (9, 225), "stretch": (9, 225)}[how]
    np.testing.assert_allclose(row[:, [0, -1]].mean(0), ends, atol=6)
    assert (np.diff(row, axis=1) > 0).all()


def test_one_number_scales_a_set_of_16_bits(tmp_path: Path) -> None:
    save(tmp_path / "0.png", np.full((3, 3), 1000, np.uint16))
    save(tmp_path / "1.png", np.full((3, 3), 4000, np.uint16))
    first = tables.read(tmp_path)
    assert first.X[:, 0, 0].tolist() == [62, 249]  # of 4095
    assert "4095 is white" in first.told
    how = tables.read(tmp_path / "0.png").reading
    assert tables.read(tmp_path / "0.png", how=how.like(first)).X[0, 0, 0] == 62
    save(tmp_path / "2.png", np.full((3, 3), 60000, np.uint16))
    assert tables.read(tmp_path).X[:, 0, 0].tolist() == [4, 16, 233]  # of 65535
    with pytest.raises(InputError, match=r"2\.png \(60000\); say another .*--white 65535"):
        tables.read(tmp_path, how=how.like(first))


def test_deep_pictures_after_shallow_ones_need_a_word(tmp_path: Path) -> None:
    first = tables.read(save(tmp_path / "0.png", GREY))
    deep = save(tmp_path / "1.png", TWELVE)
    with pytest.raises(InputError, match=r"1\.png\) .* more than 8 bits.*--white 65535"):
        tables.read(deep, how=first.reading.like(first))
    how = tables.read(deep, pictures=tables.Pictures(white=4095)).reading
    np.testing.assert_array_equal(tables.read(deep, how=how.like(first)).X, first.X)


def test_pictures_that_come_later_are_read_like_the_first(tmp_path: Path) -> None:
    first = tables.read(save(tmp_path / "0.png", COLOUR))
    later = first.reading.like(first)
    np.testing.assert_array_equal(
        tables.read(save(tmp_path / "1.png", GREY), how=later).X[0], [GREY] * 3
    )
    grey = tables.read(tmp_path / "1.png")
    seen = tables.read(tmp_path / "0.png", how=grey.reading.like(grey))
    np.testing.assert_array_equal(seen.X[0], np.asarray(Image.fromarray(COLOUR).convert("L")))
    assert "colours read as grey" in seen.told
    save(tmp_path / "2.png", GREY[:3])
    with pytest.raises(InputError, match=r"2\.png is 6 x 3 .* 6 x 5.*--resize crop"):
        tables.read(tmp_path / "2.png", how=later)


def test_archives_follow_the_axes_of_known_pictures(tmp_path: Path) -> None:
    first = tables.read(save(tmp_path / "0.png", COLOUR))
    later = first.reading.like(first)
    for name, rows in (("last", COLOUR[None]), ("first", COLOUR.transpose(2, 0, 1)[None])):
        np.savez(tmp_path / f"{name}.npz", X=rows)
        np.testing.assert_array_equal(tables.read(tmp_path / f"{name}.npz", how=later).X, first.X)
    np.savez(tmp_path / "grey.npz", X=GREY[None, ..., None])
    np.testing.assert_array_equal(tables.read(tmp_path / "grey.npz", how=later).X[0], [GREY] * 3)


@pytest.mark.parametrize("background", ["black", "#102030"])
def test_the_background_is_what_lies_behind(background: str, tmp_path: Path) -> None:
    save(tmp_path / "0.png", clear("RGBA"))
    row = tables.read(tmp_path, pictures=tables.Pictures(background=background)).X[0]
    wanted = {"black": (0, 0, 0), "#102030": (16, 32, 48)}[background]
    np.testing.assert_array_equal(row[:, 0, 0], wanted)
    assert not row[:, 1, 2].any()


def test_a_large_jpeg_is_decoded_as_if_it_were_whole(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(640), np.arange(800)) % 1440 // 6
    path = save(tmp_path / "0.jpg", ramp.astype(np.uint8), quality=95)
    with Image.open(path) as picture:
        wanted = np.asarray(ImageOps.fit(picture, (16, 16), Image.Resampling.BILINEAR))
    seen = tables.read(path, pictures=tables.Pictures(size=16)).X[0]
    np.testing.assert_allclose(seen.astype(int), wanted, atol=4)


def listing(root: Path, **columns: Any) -> Path:
    put(root, *PLAIN)
    path = root / "rows.csv"
    frame = pd.DataFrame({"age": [1, 2, 3], "file": PLAIN, "y": ["u", "v", None], **columns})
    frame.to_csv(path, index=False)
    return path


def test_a_column_of_paths_is_found(tmp_path: Path) -> None:
    path = listing(tmp_path)
    table = tables.read(path, label="y")
    assert table.X.shape == (3, 4, 4)
    assert table.ids.tolist() == list(PLAIN)
    assert table.labelled.tolist() == [True, True, False]  # type: ignore[union-attr]
    assert "1 without a label" in table.told
    assert "1 column left out (age), which --drop file reads instead" in table.told
    assert list(tables.read(path, label="y", drop=["file"]).X.columns) == ["age"]
    pd.read_csv(path).to_parquet(tmp_path / "rows.parquet")
    other = tables.read(tmp_path / "rows.parquet", label="age", id="y")
    np.testing.assert_array_equal(other.X, table.X)
    assert other.y.tolist() == [1, 2, 3]  # type: ignore[union-attr]


def test_names_of_files_that_are_not_there_are_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("file,a\nx.png,1\ny.png,2\n")
    assert list(tables.read(path).X.columns) == ["file", "a"]


def test_two_columns_of_paths_and_a_missing_file_are_named(tmp_path: Path) -> None:
    path = listing(tmp_path, mask=list(PLAIN))
    with pytest.raises(
        InputError, match=r"2 columns of paths to pictures, file, mask.*--drop mask"
    ):
        tables.read(path)
    assert len(tables.read(path, drop=["mask"]).X) == 3
    path = listing(tmp_path, file=["a/0.png", None, "gone.png"])
    with pytest.raises(InputError, match=r"row 2 without a path \(.*gone\.png \(there is no such"):
        tables.read(path)
    with pytest.warns(AcclimateWarning, match=r"gone\.png"):
        table = tables.read(path, label="age", pictures=tables.Pictures(skip_bad=True))
    assert (table.kept.tolist(), table.y.tolist()) == ([0], [1])  # type: ignore[union-attr]


def test_a_model_of_pictures_wants_a_column_of_paths(tmp_path: Path) -> None:
    first = tables.read(save(tmp_path / "0.png", GREY))
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"rows\.csv has no column of paths to pictures.* a, b"):
        tables.read(path, how=first.reading.like(first))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": "wide"}, "96x64.*'wide'"),
        ({"size": 0}, "got 0"),
        ({"size": (3, 4, 5)}, "96x64"),
        ({"size": True}, "got True"),
        ({"size": 9999}, "8192"),
        ({"size": 9, "resize": "zoom"}, "crop, pad, stretch"),
        ({"background": "mud"}, "'mud'"),
        ({"background": (1, 2)}, "colour"),
        ({"white": 70000}, "65535"),
        ({"colour": "yes"}, "'yes'"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        tables.Pictures(**settings)


def test_grey_and_colour_exclude_each_other() -> None:
    with pytest.raises(InputError, match="--grey or with --colour"):
        of_words(grey=True, colour=True)
    with pytest.raises(InputError, match="white must be a whole number"):
        of_words(white="bright")
    assert of_words(size="8x9", white="4095").size == (8, 9)


def test_what_is_noted_comes_back() -> None:
    from acclimate.tables.pictures import noted_or_of_shape

    how = tables.Pictures(size=8, colour=True, background="black", white=4095, of_another=True)
    assert noted_or_of_shape(how.noted(), None) == how
    assert noted_or_of_shape(None, (3, 8, 9)) == tables.Pictures(
        size=(9, 8), colour=True, of_another=True
    )
    assert noted_or_of_shape({}, (12,)) is None
    with pytest.raises(InputError):
        noted_or_of_shape(how.noted() | {"size": [10**9, 10**9]}, None)


def test_nothing_of_pillow_is_warned_of(tmp_path: Path) -> None:
    save(tmp_path / "0.png", indexed(), transparency=bytes([0, 128, 255]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tables.read(tmp_path).X.shape == (1, 3, 5, 6)


def _written(number: int) -> bytes:
    """Return one of several pictures as a file has them."""
    form, values, settings = [
        ("png", COLOUR, {"exif": oriented(6)}),
        ("png", DEEP, {}),
        ("jpeg", COLOUR, {"exif": oriented(6)}),
        ("tiff", DEEP, {}),
        ("webp", COLOUR, {"exif": oriented(6)}),
        ("bmp", COLOUR, {}),
        ("gif", GREY, {}),
    ][number % 7]
    out = io.BytesIO()
    Image.fromarray(values).save(out, form, **settings)
    return out.getvalue()


def test_whatever_bytes_are_changed_nothing_but_a_documented_error_comes(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    read, refused = 0, []
    for number in range(140):
        content = bytearray(_written(number))
        for place in rng.integers(0, len(content), rng.integers(1, 6)):
            content[place] = rng.choice([0, 255, 127, rng.integers(256)])
        path = tmp_path / "a.png"
        path.write_bytes(content[: rng.integers(len(content))] if number % 10 == 0 else content)
        try:
            read += len(tables.read(path, pictures=tables.Pictures(size=4)).X)
        except InputError as error:
            refused.append(str(error))
    assert 0 < read == 140 - len(refused)
    assert refused
    assert all("a.png (" in words for words in refused)
