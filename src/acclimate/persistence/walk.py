"""All that an object holds, with the name of where it was found."""

from __future__ import annotations

from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType)
# what an object makes again of its other attributes, and does not give away
_MADE_AGAIN = {"sklearn.isotonic.IsotonicRegression": ("f_",)}


def walk(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield a value and all that it holds, with the attribute where each was found."""
    seen: set[int] = set()
    left = [(where, value)]
    while left:
        path, part = left.pop()
        # a module is no part of a model, and leads to all that was ever imported
        if id(part) in seen or type(part) in (bool, int, float, str, type(None), ModuleType):
            continue
        seen.add(id(part))
        yield path, part
        if isinstance(part, dict):
            left += [(f"{path}[{k!r}]", v) for k, v in part.items()]
        elif isinstance(part, list | tuple | set | frozenset):
            left += [(f"{path}[{i}]", v) for i, v in enumerate(part)]
        elif isinstance(part, np.ndarray):
            if part.dtype.kind == "O":
                left += [(f"{path}[{i}]", v) for i, v in enumerate(part.ravel())]
        elif not isinstance(part, type) and not is_function(part):
            made = _MADE_AGAIN.get(f"{type(part).__module__}.{type(part).__qualname__}", ())
            held = getattr(part, "__dict__", {}).items()
            left += [(join(path, k), v) for k, v in held if k not in made]


def is_function(value: Any) -> bool:
    """Tell whether a value is a function or method."""
    return isinstance(value, _FUNCTIONS)


def join(where: str, name: str) -> str:
    """Return the name of an attribute of something that has a name."""
    return f"{where}.{name}" if where else name
