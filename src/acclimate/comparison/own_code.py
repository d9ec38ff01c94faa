"""A mark of the code of a user's class, so that a store does not answer for what was rewritten."""

from __future__ import annotations

import hashlib
import inspect
from types import CodeType
from typing import Any

_LIBRARIES = ("abc", "acclimate", "builtins", "numpy", "sklearn", "typing")
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def code_mark(cls: type[Any]) -> str | None:
    """Return a hash of what a class of the user's runs, None for one of acclimate.

    It is of the methods of the class and of its parents, and of the functions, classes and plain
    values of their modules that these name. Comments and docstrings do not count.

    Examples
    --------
    >>> from acclimate import CORAL
    >>> code_mark(CORAL) is None
    True
    """
    homes = {one.__module__ for one in cls.__mro__}
    homes = {home for home in homes if home.partition(".")[0] not in _LIBRARIES}
    if not homes:
        return None
    digest = hashlib.sha256()
    left: list[Any] = [cls]
    seen: set[int] = set()
    while left:
        value = left.pop()
        if id(value) in seen or getattr(value, "__module__", None) not in homes:
            continue
        seen.add(id(value))
        if isinstance(value, type):
            left += value.__bases__
            for name, part in sorted(vars(value).items()):
                function = getattr(part, "fget", getattr(part, "__func__", part))
                if inspect.isfunction(function):
                    digest.update(name.encode())
                    left += _write(function, digest)
                elif not name.startswith("__"):
                    digest.update(f"{name}={_plain(part)}".encode())
        elif inspect.isfunction(value):
            left += _write(value, digest)
    return digest.hexdigest()[:32]


def _write(function: Any, digest: Any) -> list[Any]:
    """Add a function to a hash and return what of its module it names."""
    names: list[str] = []
    _write_code(function.__code__, digest, function.__doc__, names)
    digest.update(f"{_plain(function.__defaults__)}{_plain(function.__kwdefaults__)}".encode())
    found = [function.__globals__[name] for name in names if name in function.__globals__]
    digest.update("".join(_plain(one) for one in found).encode())
    return found


def _write_code(code: CodeType, digest: Any, doc: str | None, names: list[str]) -> None:
    digest.update(code.co_code)
    digest.update(repr((code.co_names, code.co_varnames)).encode())
    names += code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _write_code(constant, digest, None, names)
        elif constant != doc:
            digest.update(_plain(constant).encode())


def _plain(value: Any) -> str:
    """Return plain values as text, in one order; nothing of others."""
    if isinstance(value, dict):
        return ",".join(sorted(f"{key}:{_plain(one)}" for key, one in value.items()))
    if isinstance(value, frozenset | set):
        return ",".join(sorted(_plain(one) for one in value))
    if isinstance(value, tuple | list):
        return f"({','.join(_plain(one) for one in value)})"
    return f"{type(value).__name__}:{value!r}" if isinstance(value, _PLAIN) else ""
