"""The registry: what each validator needs, and that all do without labels of the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from acclimate.exceptions import InputError
from acclimate.validators.candidate import Evidence, Mixed
from acclimate.validators.registry import VALIDATORS, agreement, validate


def full(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "source_proba": rng.dirichlet([1, 1, 1], size=20),
        "source_labels": rng.integers(0, 3, 20),
        "target_proba": rng.dirichlet([1, 1, 1], size=15),
        "weights": rng.gamma(1.0, size=20),
        "consensus": rng.dirichlet([1, 1, 1], size=15),
        "reverse_labels": rng.integers(0, 3, 20),
        "mixed": Mixed(rng.integers(0, 3, 15), rng.integers(0, 3, 15), rng.random(15) < 0.5),
    }


def test_everything_is_computed_from_full_evidence() -> None:
    found = validate(Evidence(**full()))
    assert list(found) == list(VALIDATORS)
    assert all(np.isfinite(value) for value in found.values())
    assert all(type(value) is float for value in found.values())


def test_predictions_alone_are_enough_for_some() -> None:
    bare = Evidence(None, None, full()["target_proba"])
    alone = [name for name, row in VALIDATORS.items() if not row.needs]
    assert list(validate(bare)) == alone
    assert {"entropy", "information_maximisation", "nuclear_norm", "snd", "diversity"} <= set(alone)


@pytest.mark.parametrize("name", list(VALIDATORS))
def test_what_a_validator_needs_is_what_it_needs(name: str) -> None:
    row = VALIDATORS[name]
    assert row.name == name
    assert row.avoid
    assert row.paper
    needed = {field: value for field, value in full().items() if field in row.needs}
    pair = {"source_proba", "source_labels"}
    if pair & set(needed) or "weights" in needed:  # these come together
        needed |= {field: full()[field] for field in pair}
    given = {"source_proba": None, "source_labels": None, **needed}
    given["target_proba"] = full()["target_proba"]
    assert validate(Evidence(**given), [name])[name] == validate(Evidence(**full()))[name]
    for field in set(row.needs) - pair:
        with pytest.raises(InputError, match=f"{name}.* needs .*{field}|needs .*{field}"):
            validate(Evidence(**{**given, field: None}), [name])


def test_agreement_literal() -> None:
    own = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]]
    mean = [[0.6, 0.4], [0.3, 0.7], [0.4, 0.6], [0.9, 0.1]]
    assert agreement(Evidence(None, None, own, consensus=mean)) == 0.75
    values = Evidence(None, None, [1.0, 2.0], consensus=[0.0, 4.0])
    assert agreement(values) == -2.5


def test_regression_has_its_own_validators() -> None:
    rng = np.random.default_rng(1)
    known = Evidence(
        rng.normal(size=9), rng.normal(size=9), rng.normal(size=7), weights=np.ones(9),
        consensus=rng.normal(size=7), reverse_labels=rng.normal(size=9),
    )  # fmt: skip
    assert list(validate(known)) == [n for n, row in VALIDATORS.items() if row.regression]
    with pytest.raises(InputError, match="entropy needs classes"):
        validate(known, ["entropy"])


@pytest.mark.parametrize("name", list(VALIDATORS))
def test_rows_and_classes_in_any_order(name: str) -> None:
    given = full(2)
    rng = np.random.default_rng(3)
    rows, targets, classes = rng.permutation(20), rng.permutation(15), rng.permutation(3)
    names = np.array(["c", "a", "b"])
    mixed = given["mixed"]
    moved = Evidence(
        given["source_proba"][rows][:, classes], names[given["source_labels"][rows]],
        given["target_proba"][targets][:, classes], weights=given["weights"][rows],
        consensus=given["consensus"][targets][:, classes],
        reverse_labels=names[given["reverse_labels"][rows]], classes=names[classes],
        mixed=Mixed(*(np.asarray(part)[targets] for part in (
            names[mixed.answers], names[mixed.expected], mixed.same))),
    )  # fmt: skip
    first = validate(Evidence(**given), [name])[name]
    assert validate(moved, [name])[name] == pytest.approx(first, abs=1e-12)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match="no validator 'magic'"):
        validate(Evidence(**full()), ["magic"])
