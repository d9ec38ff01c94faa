"""Every setting of every row and base model: what its class declares, its docstring says as well.

What is wrong is told here from the docstrings, and not from the declarations that refuse it.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from acclimate import (
    EachDomain,
    FrozenBody,
    LogMel,
    NeuralClassifier,
    NeuralRegressor,
    SoundEncoder,
    TextEncoder,
)
from acclimate.base.penalised import LinearClassifier, LinearRegressor
from acclimate.base.sized import BoostingClassifier, ExtraClassifier
from acclimate.catalogue import CATALOGUE, methods
from acclimate.cli import models
from acclimate.exceptions import InputError
from acclimate.settings import OneOf, check_settings
from acclimate.tables import MixedPreprocessor, TabularPreprocessor

BASES = (
    NeuralClassifier, NeuralRegressor, FrozenBody, TabularPreprocessor, MixedPreprocessor,
    LinearClassifier, LinearRegressor, BoostingClassifier, ExtraClassifier, EachDomain,
    TextEncoder, SoundEncoder, LogMel,
)  # fmt: skip
CLASSES = [*(row.load() for row in CATALOGUE), *BASES]
SETTINGS = [
    pytest.param(cls, name, id=f"{cls.__name__}-{name}")
    for cls in CLASSES
    for name in inspect.signature(cls).parameters
]
PARAMETER = re.compile(r"^(\w[\w, ]*) : ((?:.*\\\n)*.*)\n((?: {4}.*\n|\n)*)", re.MULTILINE)
NUMBER = r"(-?\d+(?:\.\d+)?)"
BETWEEN = re.compile(rf"\bin ([\[(]){NUMBER}, {NUMBER}([\])])")
ABOVE = re.compile(rf"\b(above|at least) {NUMBER}(?![\d.]*\d| rows)", re.IGNORECASE)


class Described(NamedTuple):
    """What a docstring says of a parameter: its type with the default, and the words below."""

    kind: str
    text: str

    def numbers(self) -> tuple[list[float], list[float]]:
        """Return numbers outside of the range that is named, and numbers within."""
        words = f"{self.kind} {self.text}"
        if (found := BETWEEN.search(words)) is not None:
            low, high = float(found[2]), float(found[3])
            ends = [low] * (found[1] == "(") + [high] * (found[4] == ")")
            kept = [low] * (found[1] == "[") + [high] * (found[4] == "]")
            return [low - 0.1, high + 0.1, *ends], [(low + high) / 2, *kept]
        found = ABOVE.search(words)
        assert found is not None, f"no range: {words}"
        low = float(found[2])
        above = found[1].lower() == "above"
        return [low - 1.0, *([low] if above else [])], [low + 1.0, *([] if above else [low])]


@cache
def described(cls: type) -> dict[str, Described]:
    text = inspect.getdoc(cls) or ""
    part = re.search(
        r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert part is not None
    found = {}
    for names, kind, body in PARAMETER.findall(f"{part[1]}\n"):
        kind, body = (" ".join(text.replace("\\\n", " ").split()) for text in (kind, body))
        if "default=" not in kind:  # the type goes on in the next line
            rest = re.match(r'.*?default=("[^"]*"|\S+)', body)
            assert rest is not None, f"{cls.__name__} names no default of {names}"
            kind, body = f"{kind} {rest[0]}", body[rest.end() :]
        found |= dict.fromkeys(names.split(", "), Described(kind, body))
    return found


def of(cls: type, name: str) -> Described:
    """Return what the class says of a parameter, or else the nearest parent that says it."""
    for one in cls.__mro__:
        if "Parameters\n" in (one.__doc__ or "") and name in described(one):
            return described(one)[name]
    pytest.skip(f"{cls.__name__} says that {name} is as elsewhere")


def wrong(cls: type, name: str) -> list[Any]:
    """Return values that cannot be used, by the docstring alone."""
    said = of(cls, name)
    kind = re.sub(r",? ?default=.*", "", said.kind)
    values: list[Any] = [object(), float("nan"), b"bytes", 1j]
    if "dict" not in kind:
        values.append({"a": 1})
    if "bool" not in kind:
        values += [True, False]
    if not re.search(r"\bstr\b(?! or int,)", kind) or "sequence of" in kind:
        values.append("no such word")
    if re.search(r"\b(int|float)\b", kind) and "sequence" not in kind and name != "unknown":
        values += [-3, float("-inf"), [2]]
        if name != "limit":  # the paper's own value
            values.append(float("inf"))
        if name != "random_state":
            outside, _ = said.numbers()
            whole = re.search(r"\bint\b", kind) is not None
            values += [int(v) if whole and v.is_integer() else v for v in outside]
            values += [1.5, "2", np.float64(2.0)] if whole else []
    if found := re.search(r"sequence of (int|float)", kind):
        values += [-1, 3, ["x"], [True], [float("nan")], [[1]], [-1]]
        values += [[0]] if found[1] == "int" else []
        values += [[1.5], [float("inf")]] if found[1] == "int" else []
    return values


def right(cls: type, name: str) -> list[Any]:
    """Return values that can be used, by the docstring alone."""
    said = of(cls, name)
    kind = re.sub(r",? ?default=.*", "", said.kind)
    values: list[Any] = [None] if "None" in said.kind else []
    if re.match(r"\{", kind):
        values += re.findall(r'"([^"]+)"', kind.split("}")[0])
    if kind.startswith("bool"):
        values += [True, False, np.True_]
    if name == "random_state":
        return [*values, 0, np.int64(7), 2**32 - 1, np.random.RandomState(0)]
    if re.match(r"(int|float)\b", kind):
        _, within = said.numbers()
        whole = kind.startswith("int")
        values += [np.int64(v) if whole else np.float32(v) for v in within]
        values += [int(v) for v in within if v.is_integer()]
    if kind.startswith("sequence of int"):
        values += [[8], (8, 4), np.array([8])]
    if kind.startswith("sequence of float"):
        values += [[0.5], (1, 2.0), np.array([0.1, 0.2])]
    return values


@pytest.mark.parametrize("cls", CLASSES)
def test_every_parameter_is_declared(cls: type[Any]) -> None:
    assert set(cls._parameter_constraints) == set(inspect.signature(cls).parameters)
    check_settings(cls())


@pytest.mark.parametrize(("cls", "name"), SETTINGS)
def test_a_wrong_value_is_one_line_with_name_and_value(cls: type[Any], name: str) -> None:
    for value in wrong(cls, name):
        with pytest.raises(InputError, match=rf"^{name} must be .+, got ") as caught:
            check_settings(cls(**{name: value}))
        message = str(caught.value)
        assert "\n" not in message
        assert message.split(", got ")[1].startswith(repr(value)[:60]) or isinstance(value, list)
        assert type(caught.value) is InputError


@pytest.mark.parametrize(("cls", "name"), SETTINGS)
def test_what_the_docstring_allows_is_allowed(cls: type[Any], name: str) -> None:
    for value in right(cls, name):
        check_settings(cls(**{name: value}))


@pytest.mark.parametrize(("cls", "name"), SETTINGS)
def test_the_docstring_names_the_default_and_all_words(cls: type[Any], name: str) -> None:
    said = of(cls, name)
    words = [
        one for c in cls._parameter_constraints[name] if isinstance(c, OneOf) for one in c.names
    ]
    assert sorted({w for w in words if f'"{w}"' not in said.kind}) == []
    default = inspect.signature(cls).parameters[name].default
    text = said.kind.split("default=")[1]
    if "..." not in text:
        assert eval(text, {}) == default


@pytest.mark.parametrize(("cls", "name"), SETTINGS)
def test_the_public_door_refuses_it(cls: type[Any], name: str, toy: Any) -> None:
    d = toy(0)
    model = cls(**{name: object()})  # a constructor checks nothing
    with pytest.raises(InputError, match=rf"^{name} must be "):
        model.fit(d.X, d.y)
    assert not any(key.endswith("_") for key in vars(model))


SET = [
    pytest.param(row, name, id=f"{row.name}-{name}")
    for row in methods(kind="tabular")
    for name in inspect.signature(row.load()).parameters
    if name not in ("estimator", "preprocess")
]


@pytest.mark.parametrize(("row", "name"), SET)
def test_the_command_line_refuses_it(row: Any, name: str) -> None:
    """`--set` reads values as TOML; tests/cli/test_set.py sees the exit code and the one line."""
    spelled = ["1979-05-27", "{a = 1}", "nan"]
    if "bool" not in of(row.load(), name).kind:
        spelled += ["true"]
    if name != "unknown":
        spelled += ["-3", "no such word", "[[2]]"]
    for text in spelled:
        with pytest.raises(InputError, match=rf"^{name} must be .+, got "):
            models.build(row, None, None, 0, models.parse_settings([f"{name}={text}"]))
