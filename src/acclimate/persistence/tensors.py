"""Arrays and tensors by name, each stored once, with its order in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError, IntegrityError
from acclimate.persistence.limits import COPIES

_FLOATS = {"float16", "float32", "float64"}
_INTEGERS = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
_PLAIN = _FLOATS | _INTEGERS | {"bool"}
_WIDE = 2**20  # bytes of a text array, beyond which it is no wider than its longest text
_END = 64  # bytes at each end that tell most arrays apart


class Arrays:
    """Arrays to be written. Equal ones are stored once, or a few times where they are many."""

    def __init__(self) -> None:
        self.stored: dict[str, NDArray[Any]] = {}
        self._like: dict[tuple[Any, ...], list[str]] = {}
        self._mentions: dict[str, int] = {}

    def add(self, array: NDArray[Any]) -> str:
        """Store a C-contiguous array and return its name."""
        raw = array.reshape(-1).view(np.uint8)
        key = (array.dtype.str, array.shape, raw[:_END].tobytes(), raw[-_END:].tobytes())
        names = self._like.setdefault(key, [])
        for name in names:  # by bytes: NaN equals itself, and 0 is not -0
            few = self._mentions[name] < COPIES
            if few and np.array_equal(self.stored[name].reshape(-1).view(np.uint8), raw):
                self._mentions[name] += 1
                return name
        name = f"a{len(self.stored)}"
        names.append(name)
        self._mentions[name] = 1
        self.stored[name] = array
        return name

    def to_bytes(self) -> bytes:
        """Return all arrays in the safetensors format."""
        from safetensors.numpy import save

        return save(self.stored)


def from_bytes(data: bytes, where: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a safetensors member, by name."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        loaded: dict[str, NDArray[Any]] = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{where} is not valid ({error})") from error
    return loaded


def pack_array(array: NDArray[Any], store: Arrays, where: str) -> dict[str, Any]:
    """Return what `unpack_array` needs; numbers go to the store, text into the result."""
    if array.dtype.kind == "U":
        if array.nbytes > _WIDE:  # to its longest text
            array = np.array(array.tolist(), dtype=str).reshape(array.shape)
        return {
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "text": array.ravel().tolist(),
        }
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.name not in _PLAIN:
        raise InputError(
            f"{where} is an array of {array.dtype}, which a model file cannot hold; it holds "
            f"numbers and text. Turn it into one of them before the fit, for example in preprocess"
        )
    order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    plain = array.T if order == "F" else np.ascontiguousarray(array)
    shape = list(array.shape)  # ascontiguousarray gives a scalar one dimension
    return {"shape": shape, "order": order, "stored": store.add(plain.reshape(plain.shape or (1,)))}


def size_of(node: Mapping[str, Any], stored: Mapping[str, NDArray[Any]]) -> int:
    """Return the bytes that an array or a tensor takes, before it is made."""
    if "text" in node:
        return int(np.dtype(node["dtype"]).itemsize) * len(node["text"])
    return int(stored[node["stored"]].nbytes)


def unpack_array(node: Mapping[str, Any], stored: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return a new array that shares its memory with nothing."""
    shape = tuple(node["shape"])
    if "text" in node:
        kind = np.dtype(node["dtype"])
        if kind.kind != "U":
            raise ValueError(f"text of type {kind}")
        return np.array(node["text"], dtype=kind).reshape(shape)
    raw = stored[node["stored"]]
    if node["order"] == "F":
        return raw.reshape(shape[::-1]).copy().T
    return raw.reshape(shape).copy()


def pack_tensor(tensor: Any, store: Arrays, where: str) -> dict[str, Any]:
    """Return what `unpack_tensor` needs. Strides are kept: they decide how kernels add up."""
    import torch

    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise InputError(f"{where} is a {tensor.layout} tensor, which a model file cannot hold")
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    node = {"shape": list(plain.shape), "dtype": str(plain.dtype).removeprefix("torch.")}
    # is_contiguous() overlooks strides of axes of length 1, but convolutions do not
    usual = torch.empty(plain.shape, device="meta").stride()
    if plain.stride() != usual and _is_dense(plain.shape, plain.stride()):
        node["strides"] = list(plain.stride())
    raw = plain.contiguous()
    if node["dtype"] not in _PLAIN:  # bfloat16 and the like: their bytes
        raw = raw.reshape(-1).view(torch.uint8)
    values = raw.numpy()
    return {**node, "stored": store.add(values.reshape(values.shape or (1,)))}


def unpack_tensor(node: Mapping[str, Any], stored: Mapping[str, NDArray[Any]]) -> Any:
    """Return a new tensor in memory that torch made, which is aligned as kernels expect it."""
    import torch

    shape, dtype = tuple(node["shape"]), getattr(torch, node["dtype"])
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"no torch type {node['dtype']!r}")
    raw = torch.from_numpy(stored[node["stored"]])
    values = raw if raw.dtype == dtype else raw.view(torch.uint8).view(dtype)
    values = values.reshape(shape)
    strides = node.get("strides")
    if strides is None or not _is_dense(shape, strides):
        return torch.empty(shape, dtype=dtype).copy_(values)
    return torch.empty_strided(shape, strides, dtype=dtype).copy_(values)


def _is_dense(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Tell whether strides fill the memory of as many values as there are, without gaps."""
    span = 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    return min(strides, default=1) > 0 and span == math.prod(shape)
