"""How much memory and how many parts a file may ask for, measured by its own size.

A whole load takes at most 20 times the size of the file and 50 MB. What is counted here stays below
that, since the file itself and the arrays that libraries make of it are held at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acclimate.exceptions import IntegrityError

COPIES = 8  # mentions of one stored array, after which `save` stores it again
_TIMES, _SPARE = 12, 24 * 2**20
_TEXT_TIMES, _TEXT_SPARE = 16, 32 * 2**20
# bytes that Python takes for what a character of JSON opens: a dict, a list, an item, half a text
_COSTS = ((b"{", 240), (b"[", 90), (b",", 16), (b'"', 26))


class Budget:
    """Counts what is made of a file, and raises where that is too much.

    Parameters
    ----------
    size : int
        Bytes of the whole file.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.arrays = 0
        self.text = 0

    def spend(self, amount: int) -> None:
        """Count bytes of arrays before they are made."""
        self.arrays += amount
        if amount < 0 or self.arrays > _TIMES * self.size + _SPARE:
            raise IntegrityError(
                f"it is not valid: its arrays and layers take more than {_TIMES} times the "
                f"{self.size} bytes of the file"
            )

    def read(self, data: bytes, where: str) -> None:
        """Count what JSON takes when it is parsed, before it is."""
        self.text += text_cost(data)
        if self.text > _TEXT_TIMES * self.size + _TEXT_SPARE:
            raise IntegrityError(
                f"{where} is not valid: it takes more than {_TEXT_TIMES} times the {self.size} "
                f"bytes of the file"
            )


def text_cost(data: bytes) -> int:
    """Return about how many bytes Python takes for parsed JSON."""
    return len(data) + sum(cost * data.count(mark) for mark, cost in _COSTS)


@contextmanager
def few_parts(most: int) -> Iterator[None]:
    """Let torch register at most so many modules and weights: a layer may be made of many more."""
    from torch.nn.modules import module

    count = 0

    def register(*_: Any) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise IntegrityError(
                f"a layer has more than {most} parts, which its weights cannot fill"
            )

    hooks = [
        module.register_module_module_registration_hook(register),
        module.register_module_parameter_registration_hook(register),
        module.register_module_buffer_registration_hook(register),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
