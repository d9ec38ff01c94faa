"""What MNIST and Fashion-MNIST share: four idx files, and one kind of result."""

from __future__ import annotations

from pathlib import Path

from acclimate.datasets._types import Dataset, DatasetInfo
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_idx, whole
from acclimate.exceptions import DataNotFoundError

FILES = {
    "X_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "X_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
ZIPPED = tuple(f"{stem}.gz" for stem in FILES.values())


def read_folder(folder: Path) -> Arrays:
    """Read the four idx files of a folder, raw or compressed, under any of their usual names."""
    arrays: Arrays = {}
    for name, stem in FILES.items():
        names = [stem + end for end in ("", ".gz")]
        names += [n.replace("-idx", ".idx") for n in names]
        path = next((folder / n for n in names if (folder / n).is_file()), None)
        if path is None:
            raise DataNotFoundError(f"no {stem}[.gz]")
        arrays[name] = read_idx(whole(path))
    return arrays


def assemble(
    arrays: Arrays, info: DatasetInfo, split: str, class_names: tuple[str, ...]
) -> Dataset:
    """Put four arrays together; labels become int64, because torch and arithmetic need it."""
    return Dataset(
        X_train=arrays["X_train"],
        y_train=arrays["y_train"].astype("int64"),
        X_test=arrays["X_test"],
        y_test=arrays["y_test"].astype("int64"),
        class_names=class_names,
        info=info,
        split=split,
    )
