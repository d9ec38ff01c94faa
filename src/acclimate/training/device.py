"""Where networks run: the device, the number format, and the random state."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import torch

from acclimate.exceptions import InputError

ONEDNN_ROWS = 64  # with fewer rows, oneDNN's set-up costs more than its products save
FLOAT32_ERROR = 1e-3  # of a product of 256 normal terms; float32 is off by 1e-4, bf16 by 1e-1


def find_device(device: str | torch.device) -> torch.device:
    """Return the device for a word: "auto" is a GPU where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise InputError(f'device must be "auto" or a torch device, got {device!r}') from error
    if found.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f'device={device!r}, but torch sees no GPU here; use "auto" or "cpu"')
    return found


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed everything inside and leave the random state outside as it was."""
    devices = [device] if device.type == "cuda" else []
    cudnn = torch.backends.cudnn
    was = cudnn.deterministic  # cudnn.flags() would also turn cuDNN off
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed other GPUs too
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        cudnn.deterministic = True
        try:
            yield
        finally:
            cudnn.deterministic = was


def has_bf16(device: torch.device) -> bool:
    """Tell whether the device multiplies bf16 numbers in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device.type == "cpu" and supported is not None and bool(supported())


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """Return the context of a forward pass: "bf16" casts convolutions and matrix products."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def fast_products(device: torch.device, rows: int) -> contextlib.AbstractContextManager[None]:
    """Return a context in which a CPU's float32 matrix products are as fast as they can be.

    oneDNN's are up to twice as fast as the default's where there are enough rows. They are used
    where they are measured to be as exact as float32.
    """
    fast = device.type == "cpu" and rows >= ONEDNN_ROWS and onednn_is_exact()
    return _onednn() if fast else contextlib.nullcontext()


@contextlib.contextmanager
def _onednn() -> Iterator[None]:
    """Send float32 products to oneDNN. On some CPUs they would be rounded to bf16 there."""
    switch: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = switch.fp32_precision
    switch.fp32_precision = "bf16"
    try:
        yield
    finally:
        switch.fp32_precision = before


@functools.cache
def onednn_is_exact() -> bool:
    """Measure whether oneDNN's float32 products are as exact as float32, once a process."""
    matmul = getattr(torch.backends.mkldnn, "matmul", None)
    if not hasattr(matmul, "fp32_precision"):
        return False
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, 256, generator=generator) for _ in range(2))
    with _onednn():
        product = a @ b
    return float((product.double() - a.double() @ b.double()).abs().max()) < FLOAT32_ERROR
