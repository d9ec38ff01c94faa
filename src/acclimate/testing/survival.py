"""A method survives a file: same answers, and the same adaptation without source rows."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.exceptions import AcclimateError
from acclimate.persistence import load
from acclimate.persistence.encode import own_classes
from acclimate.testing.cases import Case, check, refused, require


def _again(model: Any) -> Any:
    """Return what comes back from a file, with the classes given that are not acclimate's."""
    with tempfile.TemporaryDirectory() as folder:
        return load(model.save(Path(folder, "m.acclimate")), modules=own_classes(model))


@check()
def a_saved_method_answers_and_adapts_the_same(case: Case) -> None:
    """To the bit, and with every attribute; what needs source rows says so."""
    data = case.data()
    model = case.fitted(data)
    loaded = _again(model)
    for side in ("source", "target"):
        equal = np.array_equal(
            loaded.predict(data.Xt, domain=side), model.predict(data.Xt, domain=side)
        )
        require(equal, f"what was loaded answers {side} rows otherwise")
    lost = (set(vars(model)) | {"card_", "extras_"}) ^ set(vars(loaded))
    require(not lost, f"the file lost or added {sorted(lost)}")
    target = case.domain(data.Xt[::-1], data.yt[::-1])
    if case.row.needs_source:
        with refused(AcclimateError, "needs the source rows"):
            loaded.adapt(target)
        return
    model.adapt(target)
    loaded.adapt(target)
    equal = np.array_equal(loaded.predict(data.Xt), model.predict(data.Xt))
    require(equal, "what was loaded adapts otherwise")


@check(needs_source=False)
def adapting_elsewhere_equals_adapting_here(case: Case) -> None:
    """A source model that travelled adapts as one that stayed."""
    data = case.data()
    loaded = _again(case.make().fit(data.X, data.y))
    loaded.adapt(case.domain(data.Xt, data.yt))
    equal = np.array_equal(loaded.predict(data.Xt), case.fitted(data).predict(data.Xt))
    require(equal, "what was loaded adapts otherwise")
