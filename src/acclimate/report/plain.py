"""Values to plain ones that JSON can hold, and back to records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from acclimate.exceptions import InputError

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")
# Metadata of a field that is no part of what it serialises to where it is None.
OPTIONAL = {"optional": True}


def json_safe(value: Any) -> Any:
    """Copy a value as JSON can hold it.

    Records become mappings, numbers that are not finite null, arrays and numpy's numbers lists and
    Python's, and anything that is no JSON its text.

    Examples
    --------
    >>> json_safe({"a": (1, float("nan")), 2: math})["a"]
    [1, None]
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            one.name: json_safe(mine)
            for one in fields(value)
            if (mine := getattr(value, one.name)) is not None or not one.metadata.get("optional")
        }
    if isinstance(value, Mapping):
        return {str(k): json_safe(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(v) for v in value]
    if hasattr(value, "tolist"):
        return json_safe(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def structured(kind: type[T], values: Mapping[str, Any]) -> T:
    """Make a record of plain values; what is missing or None has its default.

    Parameters
    ----------
    kind : type
        A dataclass in which every field has a default.
    values : mapping
        Keys that it does not know are left out.

    Raises
    ------
    InputError
        A value has another type.
    """
    from cattrs import ClassValidationError, transform_error

    try:
        return _converter().structure(json_safe(values), kind)
    except ClassValidationError as error:
        raise InputError(
            f"these values are no {kind.__name__}: {'; '.join(transform_error(error)[:3])}"
        ) from error


@lru_cache(maxsize=1)
def _converter() -> Converter:
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn

    converter = Converter()

    def hook(kind: type[Any]) -> Any:
        whole = make_dict_structure_fn(kind, converter)
        return lambda values, as_kind: whole(
            {k: v for k, v in values.items() if v is not None}, as_kind
        )

    converter.register_structure_hook_factory(is_dataclass, hook)
    return converter
