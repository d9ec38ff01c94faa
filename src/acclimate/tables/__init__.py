"""The user's own data: files of every usual kind in, tables out, and predictions back into a file.

`read` loads a file into memory, `as_table` takes what is there already, `stream` hands out batches
of files larger than memory, `batches` those that `fit_batches` takes, `TabularPreprocessor` turns
columns into numbers, `predict_file` predicts a file of any size and `predict_folder` a folder of
them. Rows keep their order everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acclimate.importing import on_use

if TYPE_CHECKING:
    from acclimate.tables.batching import batches
    from acclimate.tables.defaults import default_preprocess
    from acclimate.tables.described import describe
    from acclimate.tables.folders import predict_folder
    from acclimate.tables.labels import check_known_labels
    from acclimate.tables.mixed import MixedPreprocessor
    from acclimate.tables.pictures import Pictures
    from acclimate.tables.predictions import predict_file
    from acclimate.tables.preprocess import TabularPreprocessor
    from acclimate.tables.reading import read
    from acclimate.tables.streaming import stream
    from acclimate.tables.table import Table, as_table

__all__ = [
    "MixedPreprocessor",
    "Pictures",
    "Table",
    "TabularPreprocessor",
    "as_table",
    "batches",
    "check_known_labels",
    "default_preprocess",
    "describe",
    "predict_file",
    "predict_folder",
    "read",
    "stream",
]

_HOMES = {
    "MixedPreprocessor": "mixed",
    "Pictures": "pictures",
    "Table": "table",
    "TabularPreprocessor": "preprocess",
    "as_table": "table",
    "batches": "batching",
    "check_known_labels": "labels",
    "default_preprocess": "defaults",
    "describe": "described",
    "predict_file": "predictions",
    "predict_folder": "folders",
    "read": "reading",
    "stream": "streaming",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:  # pandas, pyarrow and scikit-learn are loaded on first use
        return on_use(f"acclimate.tables.{_HOMES[name]}", name)
    raise AttributeError(f"module 'acclimate.tables' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
