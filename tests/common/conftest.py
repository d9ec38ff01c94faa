"""One case for each catalogue row and each task that the row ticks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acclimate.catalogue import CATALOGUE
from acclimate.testing import Case, cases, quick_method


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("rows")
    wanted = {"kind": "tabular"} | (mark.kwargs if mark else {})
    task = wanted.pop("task", None)
    found = [
        Case(quick_method(row, each), each)
        for row in CATALOGUE
        for each in row.tasks
        if all(
            getattr(row, name) in (value if isinstance(value, tuple) else (value,))
            for name, value in wanted.items()
        )
        and task in (None, each)
    ]
    if "check" in metafunc.fixturenames:
        pairs = [(case, check) for case in found for check in cases.CHECKS if check.applies(case)]
        names = [f"{check.name}-{case.id}" for case, check in pairs]
        metafunc.parametrize(("case", "check"), pairs, ids=names)
        return
    metafunc.parametrize("case", found, ids=[case.id for case in found])


@pytest.fixture
def same() -> Callable[..., bool]:
    return cases.same
