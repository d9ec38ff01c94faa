"""Source models, moved to class shares or not, beside what few labels train."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acclimate import Committee, Domain, SourceOnly, compare
from acclimate.catalogue import find
from acclimate.comparison.joined import MASSES, SHARES, joining, prior_masses
from acclimate.comparison.problem import check_problem
from acclimate.exceptions import InputError


def _problem(classes: int = 2, **more: Any) -> Any:
    rng = np.random.default_rng(0)
    y, yt = np.arange(60) % classes, np.arange(20) % classes
    X, Xt = rng.normal(size=(60, 2)) + y[:, None], rng.normal(size=(20, 2)) + yt[:, None]
    return check_problem(
        (X, y), Domain(Xt, yt, **more), estimators=None, domains=None, groups=None, margin=0.01,
        confidence=0.95,
    )  # fmt: skip


def test_a_copy_bets_on_each_of_some_shares() -> None:
    found = joining(_problem(), None)
    plain, *moved = found.values()
    assert plain.class_shares is None
    assert [one.class_shares for one in moved] == [{0: share} for share in SHARES]
    three = list(joining(_problem(3), None).values())[1:]
    assert len(three) == 6
    shares = np.array([list(one.class_shares.values()) for one in three])
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    # a third and three times as likely as before, against the others
    odds = np.diagonal(shares[::2]) / (1 - np.diagonal(shares[::2]))
    np.testing.assert_allclose(odds, 0.5 / 3)
    odds = np.diagonal(shares[1::2]) / (1 - np.diagonal(shares[1::2]))
    np.testing.assert_allclose(odds, 0.5 * 3)
    assert joining(_problem(11), None) == {}


def test_given_shares_take_the_place_of_the_bets() -> None:
    found = joining(_problem(class_shares={1: (0.6, 0.8)}), None)
    assert [one.class_shares for one in found.values()] == [None, {1: (0.6, 0.8)}]


def test_each_family_has_its_mass() -> None:
    names = list(joining(_problem(), None))
    tried = [SimpleNamespace(name=name, row=find("SourceOnly")) for name in names]
    tried += [SimpleNamespace(name=f"SourceOnly/{i}", row=find("SourceOnly")) for i in range(3)]
    tried += [SimpleNamespace(name=f"Pooled/{i}", row=find("Pooled")) for i in range(8)]
    masses = prior_masses(tried)  # type: ignore[arg-type]
    assert masses is not None
    assert sum(masses.values()) == pytest.approx(1)
    assert sum(v for k, v in masses.items() if "Pooled" in k) == pytest.approx(MASSES["trained"])
    assert sum(masses[name] for name in names[1:]) == pytest.approx(MASSES["moved"])
    assert prior_masses(tried[-5:]) is None  # type: ignore[arg-type]


def test_a_committee_of_its_own_shares_is_one_of_the_targets_shares() -> None:
    problem = _problem()
    X, y, Xt = problem.source.X, problem.source.y, problem.target.X
    members = [("source", SourceOnly())]
    own = Committee(members, class_shares={1: 0.9}).fit(X, y, target=Domain(Xt))
    said = Committee(members).fit(X, y, target=Domain(Xt, class_shares={1: 0.9}))
    np.testing.assert_array_equal(own.predict_proba(Xt), said.predict_proba(Xt))
    other = own.adapt(Domain(Xt, class_shares={1: 0.2}))  # the target's come first
    assert other.predict_proba(Xt)[:, 1].mean() < said.predict_proba(Xt)[:, 1].mean()
    inside = Committee([("moved", Committee(members, class_shares={1: 0.9}))])
    again = inside.fit(X, y, target=Domain(Xt))
    np.testing.assert_allclose(again.predict_proba(Xt), said.predict_proba(Xt))


def test_shares_that_move_nothing_are_told() -> None:
    problem = _problem()
    X, y, target = problem.source.X, problem.source.y, problem.target
    with pytest.raises(InputError, match="what labels train has the shares from them"):
        compare((X, y), replace(target, class_shares={1: 0.9}), methods=["Pooled"], n_jobs=1)
    with pytest.raises(InputError, match="which the source lacks"):
        compare((X, y), replace(target, class_shares={7: 0.9}), n_jobs=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::acclimate.exceptions.TransferWarning")  # of FineTune
def test_with_other_shares_moved_models_weigh_most() -> None:
    """Classes that look the same and are shared otherwise: twenty labels are enough to tell."""
    rng = np.random.default_rng(0)
    y, yt = rng.random(150) < 0.2, rng.random(120) < 0.85
    X, Xt = (rng.normal(size=(len(c), 3)) + 0.8 * c[:, None] for c in (y, yt))
    few = np.arange(120) < 20
    plain = SourceOnly().fit(X, y).score(Xt[20:], yt[20:])
    for shares in (None, {True: (0.7, 0.9)}):
        target = Domain(Xt, yt, labelled=few, class_shares=shares)
        found = compare((X, y), target, n_jobs=1)
        moved = [m for m in found.details.members if m.candidate.startswith("Committee of source ")]
        assert sum(m.weight for m in moved) > MASSES["moved"]  # the labels speak for them
        right = np.mean(found.best_model().predict(Xt[20:]) == yt[20:])
        assert right > plain + 0.1
    assert any("as given" in m.candidate for m in moved)
