"""Fashion-MNIST, pictures of clothes in the format of MNIST."""

from __future__ import annotations

from pathlib import Path

from acclimate.datasets import _idx_images
from acclimate.datasets._types import Dataset, DatasetInfo
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_idx, read_members
from acclimate.datasets.places import DebianPackage, Site
from acclimate.datasets.recipe import Carrier, Entry, Recipe

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
# Of the four files as published; the official site has no https.
_SHA256 = (
    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
)
_PACKAGE = DebianPackage("dataset-fashion-mnist")

INFO = DatasetInfo(
    name="fashion_mnist",
    title="Fashion-MNIST, clothing images",
    kind="image",
    task="classification",
    rows=70000,
    licence="MIT",
    citation=(
        "Xiao, Rasul, Vollgraf (2017). Fashion-MNIST: a novel image dataset for benchmarking "
        "machine learning algorithms. arXiv:1708.07747"
    ),
    found="four idx files; Debian package dataset-fashion-mnist; the official site",
)


def _read_package(archive: Path) -> Arrays:
    data = read_members(archive, [f"fashion-mnist/{file}" for file in _idx_images.ZIPPED])
    return {
        name: read_idx(data[f"fashion-mnist/{stem}.gz"]) for name, stem in _idx_images.FILES.items()
    }


def _assemble(arrays: Arrays, recipe: Recipe) -> Dataset:
    return _idx_images.assemble(arrays, INFO, recipe.split, CLASS_NAMES)


ENTRY = Entry(
    info=INFO,
    recipes=(
        Recipe(
            key="fashion_mnist",
            digests={
                "X_train": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "y_train": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "X_test": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "y_test": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            },
            split="the usual 60000 training and 10000 test images",
            loose=_idx_images.read_folder,
            carriers=(Carrier(_PACKAGE, _PACKAGE.pattern, _read_package),),
            site=Site(
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                dict(zip(_idx_images.ZIPPED, _SHA256, strict=True)),
            ),
        ),
    ),
    assemble=_assemble,
    advice=(
        "The folder may hold the four idx files, raw or .gz, or the Debian package; with root, "
        "`apt-get install dataset-fashion-mnist` is enough."
    ),
)
