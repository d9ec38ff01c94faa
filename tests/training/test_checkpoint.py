"""A killed run goes on where it was, and ends with the weights it would have had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acclimate import NeuralClassifier
from acclimate.training import checkpoint, loop
from acclimate.training.batch import Data
from acclimate.training.dropout import Dropout
from acclimate.training.network import Network
from acclimate.training.terms import Phase, Settings, Term


class Stop(Exception):
    """Ends a run in the middle, as a kill would."""


def network() -> Network:
    torch.manual_seed(1)
    body = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), Dropout(0.3))
    return Network(body, nn.Linear(8, 2))


def sides() -> tuple[Data, Data]:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=g)
    return Data(x, (x[:, 0] > 0).long()), Data(torch.randn(28, 3, generator=g), domain=1)


def phases(net: Network) -> list[Phase]:
    task = Term("task", lambda s, t: nn.functional.cross_entropy(s.logits, s.y))
    near = Term("near", lambda s, t: (s.z.mean(0) - t.z.mean(0)).square().sum())
    return [Phase([task, near], [net])]


def run(path: Path | None, *, stop_at: int = -1, **changes: Any) -> tuple[dict[str, Any], Any]:
    net = network()
    source, target = sides()
    calls = [0]

    def before(net: nn.Module, progress: float) -> None:
        calls[0] += 1
        if calls[0] == stop_at:
            raise Stop

    settings = Settings(steps=24, batch_size=16, optimizer=changes.pop("optimizer", "adam"))
    history = loop.train(
        net, phases(net), source, target, settings=settings, seed=changes.pop("seed", 3),
        before_epoch=before, checkpoint=path, **changes,
    )  # fmt: skip
    return {k: v.clone() for k, v in net.state_dict().items()}, history


@pytest.fixture(autouse=True)
def _every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("stop_at", [2, 5, 8])
def test_resumed_equals_uninterrupted(tmp_path: Path, optimizer: str, stop_at: int) -> None:
    whole, history = run(None, optimizer=optimizer)
    with pytest.raises(Stop):
        run(tmp_path / "run", optimizer=optimizer, stop_at=stop_at)
    assert len(list(tmp_path.iterdir())) == 1
    resumed, again = run(tmp_path / "run", optimizer=optimizer)
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    assert again.epochs == history.epochs
    assert list(tmp_path.iterdir()) == []


def test_the_resumed_run_does_not_start_over(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(tmp_path / "run", stop_at=8)
    # with the state of seven epochs in the file, only the last epoch calls the hook
    with pytest.raises(Stop):
        run(tmp_path / "run", stop_at=1)
    resumed, _ = run(tmp_path / "run", stop_at=2)
    whole, _ = run(None)
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_another_run_is_not_taken_for_this_one(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(tmp_path / "run", stop_at=5)
    other, _ = run(tmp_path / "run", seed=4)
    fresh, _ = run(None, seed=4)
    assert all(torch.equal(other[key], fresh[key]) for key in fresh)
    assert len(list(tmp_path.iterdir())) == 1, "the first run's state is still there"


def test_what_moves_is_part_of_the_run() -> None:
    net, (source, target) = network(), sides()
    settings = Settings(24, 16)
    task = Term("task", lambda s, t: s.z.sum())
    marks = {
        checkpoint.fingerprint(net, (source, target), settings, 0, [Phase([term], moved)], still, r)
        for term, moved, still, r in (
            (task, [net], [], {}),
            (task, [net.head], [], {}),
            (task, [net], [net.body], {}),
            (task, [net], [], {net.body: 0.5}),
            (Term("other", task.loss), [net], [], {}),
            (Term("task", task.loss, 0.5), [net], [], {}),
        )
    }
    assert len(marks) == 6


def test_a_broken_file_starts_from_the_beginning(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(tmp_path / "run", stop_at=5)
    file = next(tmp_path.iterdir())
    file.write_bytes(file.read_bytes()[:100])
    resumed, _ = run(tmp_path / "run")
    whole, _ = run(None)
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_frozen_modules_stay_frozen_after_resuming(tmp_path: Path) -> None:
    def run_frozen(path: Path | None, stop_at: int) -> dict[str, Any]:
        net = network()
        first = {k: v.clone() for k, v in net.body.state_dict().items()}
        source, _ = sides()
        calls = [0]

        def before(net: nn.Module, progress: float) -> None:
            calls[0] += 1
            if calls[0] == stop_at:
                raise Stop

        task = Term("task", lambda s, t: nn.functional.cross_entropy(s.logits, s.y))
        loop.train(
            net, [Phase([task], [net.head])], source, settings=Settings(24, 16), seed=0,
            frozen=[net.body], before_epoch=before, checkpoint=path,
        )  # fmt: skip
        assert all(torch.equal(first[k], v) for k, v in net.body.state_dict().items())
        return net.state_dict()

    with pytest.raises(Stop):
        run_frozen(tmp_path / "run", 4)
    resumed, whole = run_frozen(tmp_path / "run", -1), run_frozen(None, -1)
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


SCRIPT = """
import sys
import numpy as np, torch
torch.set_num_threads(1)
from acclimate import NeuralClassifier
from acclimate.training import checkpoint
checkpoint.SECONDS = 0.0
rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 20)).astype(np.float32); y = (X[:, 0] > 0).astype(int)
model = NeuralClassifier(hidden=(64,), epochs=int(sys.argv[2]), min_steps=0, batch_size=16,
                         random_state=0, checkpoint=sys.argv[1] or None).fit(X, y)
np.save(sys.argv[3], model.predict_proba(X))
"""


@pytest.mark.parametrize(
    "kill", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_killed_process_resumes(tmp_path: Path, kill: signal.Signals) -> None:
    def command(checkpoint: str, out: str) -> list[str]:
        return [sys.executable, "-c", SCRIPT, checkpoint, "12", str(tmp_path / out)]

    env = os.environ | {"OMP_NUM_THREADS": "1"}
    (tmp_path / "state").mkdir()
    state = str(tmp_path / "state" / "run")
    process = subprocess.Popen(command(state, "a.npy"), env=env, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list((tmp_path / "state").glob("run.*")):
        time.sleep(0.01)
    process.send_signal(kill)
    process.wait()
    assert not (tmp_path / "a.npy").exists(), "the run was over before it was killed"
    subprocess.run(command(state, "b.npy"), env=env, check=True)
    subprocess.run(command("", "c.npy"), env=env, check=True)  # never interrupted
    assert np.array_equal(np.load(tmp_path / "b.npy"), np.load(tmp_path / "c.npy"))


def test_estimator_keeps_no_file_after_success(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    kept = NeuralClassifier(min_steps=20, random_state=0, checkpoint=str(tmp_path / "run"))
    plain = NeuralClassifier(min_steps=20, random_state=0)
    y = (X[:, 0] > 0).astype(int)
    assert np.array_equal(kept.fit(X, y).predict_proba(X), plain.fit(X, y).predict_proba(X))
    assert list(tmp_path.iterdir()) == []


def test_states_that_are_one_in_memory_are_written_twice(tmp_path: Path) -> None:
    """The best epoch may be the last proven one: the same tensors under two names."""
    kept = checkpoint.Checkpoint(tmp_path / "run", "a" * 16)
    weight = torch.arange(6.0).view(2, 3)
    kept.save({"best/w": weight, "proven/w": weight, "turned": weight.T}, {"step": 1})
    loaded = kept.load()
    assert loaded is not None
    tensors, facts = loaded
    assert facts == {"step": 1}
    assert torch.equal(tensors["best/w"], weight)
    assert torch.equal(tensors["proven/w"], weight)
    assert torch.equal(tensors["turned"], weight.T)
