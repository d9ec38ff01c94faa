"""A stage two that was cut off goes on from its checkpoint and ends with the same weights."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acclimate import Domain, NeuralClassifier, methods
from acclimate.training.checkpoint import Checkpoint
from acclimate.training.progress import Progress

FAMILIES = ("adversarial", "invariant", "semisupervised", "source-free")
ROWS = {row.name: row for row in methods(task="classification") if row.family in FAMILIES}
NAMES = [name for name, row in ROWS.items() if row.network and name != "AdaBN"]  # trains nothing
STEPS, CUT = 24, 13  # an epoch has two steps: the cut is in the middle of one


def make(name: str, checkpoint: Path | None) -> Any:
    """Return the method on a network with batch norm and dropout."""
    base = NeuralClassifier(
        "mlp-norm", hidden=(8,), dropout=0.2, min_steps=STEPS, epochs=1, batch_size=32,
        checkpoint=None if checkpoint is None else str(checkpoint),
    )  # fmt: skip
    return ROWS[name].load()(base, length=1.0, random_state=0)


def _weights(model: Any) -> list[torch.Tensor]:
    sides = [model.target_model_, model._source_after]
    return [v for side in sides if side for v in side.network_.state_dict().values()]


def _check(
    name: str, d: Any, folder: Path, patch: pytest.MonkeyPatch, cut_off: Callable[[Any], None]
) -> None:
    whole = make(name, None).fit(d.X, d.y, target=Domain(d.Xt))
    assert whole.history_.epochs[-1]["step"] == STEPS
    model = make(name, folder / "run").fit(d.X, d.y)
    cut_off(model)
    assert len(list(folder.iterdir())) == 1
    steps: list[int] = []
    patch.setattr(Progress, "update", lambda self, step, *rest: steps.append(step))
    model.adapt(Domain(d.Xt))
    assert steps == list(range(CUT, STEPS + 1))  # from the last epoch's end on
    assert model.history_ == whole.history_
    for one, other in zip(_weights(model), _weights(whole), strict=True):
        assert torch.equal(one, other)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_an_interrupted_run_goes_on(
    name: str, toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = toy()
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)

    def interrupt(model: Any) -> None:
        def update(self: Progress, step: int, *rest: Any) -> None:
            if step == CUT:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Progress, "update", update)
            with pytest.raises(KeyboardInterrupt):
                model.adapt(Domain(d.Xt))

    _check(name, d, tmp_path, monkeypatch, interrupt)


CHILD = """
import os, signal, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[1])
from test_resume import CUT, Checkpoint, Domain, Progress, make

def update(self, step, *rest):
    if step == CUT:
        os.kill(os.getpid(), signal.SIGKILL)

rows = np.load(sys.argv[2])
model = make("MCD", Path(sys.argv[3])).fit(rows["X"], rows["y"])
Checkpoint.due = lambda self: True
Progress.update = update
model.adapt(Domain(rows["Xt"]))
"""


def test_a_killed_process_goes_on(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    d, folder, rows = toy(), tmp_path / "run", tmp_path / "rows.npz"
    folder.mkdir()
    np.savez(rows, X=d.X, y=d.y, Xt=d.Xt)
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)

    def kill(model: Any) -> None:
        here = Path(__file__).parent
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(here), str(rows), str(folder / "run")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr

    _check("MCD", d, folder, monkeypatch, kill)
