"""A fitted method as a model of MLflow: acclimate's own file behind the flavour ``pyfunc``."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from acclimate._version import __version__
from acclimate.comparison.trials.shared import combined
from acclimate.extras import need
from acclimate.report.compared import Compared

if TYPE_CHECKING:
    from acclimate.adapter import Adapter


def log_model(run: str, model: Adapter, example: Any) -> None:
    """Write a model into a run, with its signature.

    Parameters
    ----------
    run : str
        Identifier of the run.
    model : Adapter
        Fitted.
    example : array-like or data frame
        Rows as it takes them. They are read for their types and are not kept.

    Raises
    ------
    AcclimateError
        The model cannot be saved, or holds types of the user's own, which no loader may trust.
    """
    from acclimate.persistence import load, save

    mlflow: Any = need("mlflow", "mlflow")
    signature: Any = need("mlflow.models", "mlflow")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that whole numbers have no gaps, and of formats
        path = Path(folder, "model.acclimate")
        save(model, path)
        load(path)  # as the loader will
        with mlflow.start_run(run_id=run, nested=True):
            need("mlflow.pyfunc", "mlflow").log_model(
                name="model", loader_module=__name__, data_path=str(path),
                signature=signature.infer_signature(
                    _plain(example), model.predict(example)
                ),
                pip_requirements=[f"acclimate=={__version__}"],
            )  # fmt: skip


def mark_of(model: Adapter, trials: Sequence[Any], found: Compared | None) -> str:
    """Return a text that is equal for the model of the same comparison."""
    candidate = "" if found is None else str(found.recommendation.candidate)
    return combined(type(model).__name__, candidate, *(trial["key"] for trial in trials))


def _plain(example: Any) -> Any:
    """Return a frame whose categories are texts, which a signature can say."""
    if not hasattr(example, "select_dtypes"):
        return example
    kinds = dict.fromkeys(example.select_dtypes("category").columns, object)
    return example.astype(kinds)


def _load_pyfunc(path: str) -> SimpleNamespace:
    """Return what predicts, as MLflow wants it, which looks for this name."""
    from acclimate.persistence import load

    model = load(path)

    def predict(X: Any, params: Any = None) -> Any:
        return model.predict(X)

    return SimpleNamespace(predict=predict)
