"""Checkpoints: a killed run goes on where it was, and ends with the weights it would have had."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.exceptions import OutputError
from acclimate.training.batch import Data
from acclimate.training.terms import Phase, Settings

SECONDS = 2.0  # least time between two writes: short epochs should not spend theirs on the disk
SAMPLE = 1 << 16  # values of the inputs that the fingerprint reads


def fingerprint(
    network: nn.Module,
    sides: Sequence[Data | None],
    settings: Settings,
    seed: int,
    phases: Sequence[Phase] = (),
    frozen: Sequence[nn.Module] = (),
    rates: Mapping[nn.Module, float] | None = None,
) -> str:
    """Return a hash of what decides a run: data, first weights, settings, seed, and what moves.

    The formulas of the terms cannot be read; their names and weights are.
    """
    number = {p: i for i, p in enumerate(network.parameters())}

    def members(module: nn.Module) -> list[int]:
        return [number.get(p, -1) for p in module.parameters()]

    facts = {
        "settings": [str(getattr(v, "__qualname__", v)) for v in vars(settings).values()],
        "seed": seed,
        "phases": [
            [[(t.name, t.weight if isinstance(t.weight, float) else "ramp") for t in p.terms],
             [members(m) for m in p.modules], p.repeat]
            for p in phases
        ],
        "frozen": [members(m) for m in frozen],
        "rates": [(members(m), rate) for m, rate in (rates or {}).items()],
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(facts).encode())
    tensors: list[Tensor] = list(network.state_dict().values())
    for side in sides:
        if side is not None:
            flat = side.x.reshape(-1)
            tensors += [flat[:: max(1, len(flat) // SAMPLE)], torch.tensor(side.x.shape)]
            tensors += [t for t in (side.y, side.weight) if t is not None]
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


class Checkpoint:
    """Where one run keeps its state between epochs.

    The file is safetensors: arrays and a JSON header, nothing that can run. Its name carries the
    fingerprint of the run, so that two stages of one fit, or two fits, never mix.

    Parameters
    ----------
    base : str or Path
        The file's name without the fingerprint.
    mark : str
        Fingerprint of the run.
    """

    def __init__(self, base: str | Path, mark: str) -> None:
        self.path = Path(f"{base}.{mark[:16]}")
        self._written = time.monotonic()

    def due(self) -> bool:
        """Tell whether enough time has passed since the last write."""
        return time.monotonic() - self._written >= SECONDS

    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Write the state; an interrupted write leaves the one before."""
        from safetensors.torch import save_file

        part = self.path.with_name(self.path.name + ".part")
        # clones: the file refuses tensors that share memory, and the best state may be another's
        contiguous = {
            key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()
        }
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            save_file(contiguous, part, metadata={"facts": json.dumps(facts)})
            part.replace(self.path)
        except OSError as error:
            raise OutputError(f"cannot write the checkpoint {str(self.path)!r}: {error}") from error
        self._written = time.monotonic()

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the state of an interrupted run, or None where there is none."""
        from safetensors import SafetensorError, safe_open

        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                facts = json.loads(file.metadata()["facts"])
                return {key: file.get_tensor(key) for key in file.keys()}, facts  # noqa: SIM118
        except (SafetensorError, KeyError, ValueError):
            return None  # not ours or broken: the run starts from the beginning

    def remove(self) -> None:
        """Delete the file once the run is over."""
        self.path.unlink(missing_ok=True)


def pack(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under ``prefix/name``."""
    return {f"{prefix}/{key}": value for key, value in tensors.items()}


def unpack(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors that were packed under ``prefix``."""
    start = f"{prefix}/"
    return {key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)}


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the state of torch's generators that a run on ``device`` draws from."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def restore_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Put torch's generators back into a state that `random_state` returned."""
    torch.set_rng_state(state["cpu"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
