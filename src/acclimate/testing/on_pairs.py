"""What methods on pairs of two modalities keep: what is found, in which order, what is refused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from acclimate.exceptions import InputError
from acclimate.testing.cases import Case, check, refused, require
from acclimate.testing.toy_pairs import toy_pairs

FINDS = 0.8  # of new items whose partner comes first, on toy pairs
CHANCE = 0.3  # and at most where partners were shuffled; 1 in 30 is chance


def _answers(model: Any, d: SimpleNamespace) -> NDArray[Any]:
    """Return what a fitted model says of new items: their similarities, or labels of B."""
    if hasattr(model, "retrieve"):  # axes of the common space may turn
        return np.asarray(model.transform(d.An) @ model.transform(d.Bn, given="B").T)
    word = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    found: NDArray[Any] = getattr(model, word)(d.Bn)
    return found


def _recall(model: Any, d: SimpleNamespace, given: str = "A") -> float:
    X, gallery = (d.An, d.Bn) if given == "A" else (d.Bn, d.An)
    return float(np.mean(model.retrieve(X, gallery, k=1, given=given)[:, 0] == np.arange(len(X))))


@check(kind="paired", retrieves=True)
def partners_are_found_and_shuffled_pairs_find_none(case: Case) -> None:
    """The pairs are what is learnt from."""
    d = toy_pairs()
    model = case.make().fit(d.A, d.B)
    for given in ("A", "B"):
        found = _recall(model, d, given)
        require(found >= FINDS, f"given {given}, partners come first in {found:.2f} of cases")
    order = np.random.default_rng(1).permutation(len(d.A))
    found = _recall(case.make().fit(d.A, d.B[order]), d)
    require(found <= CHANCE, f"of shuffled pairs, partners come first in {found:.2f} of cases")


@check(kind="paired", network=False)
def the_order_of_pairs_does_not_matter(case: Case) -> None:
    """Pairs are a set."""
    d = toy_pairs()
    order = np.random.default_rng(0).permutation(len(d.A))
    one, two = case.make().fit(d.A, d.B), case.make().fit(d.A[order], d.B[order])
    np.testing.assert_allclose(_answers(two, d), _answers(one, d), rtol=1e-4, atol=1e-5)


@check(kind="paired")
def the_same_pairs_and_seed_give_the_same_model(case: Case) -> None:
    """Nothing is drawn that the seed does not decide, and inputs stay as they are."""
    d = toy_pairs()
    before = d.A.copy(), d.B.copy()
    one, two = (_answers(case.make().fit(d.A, d.B), d) for _ in range(2))
    require(np.array_equal(one, two), "two fits of the same pairs answer differently")
    unchanged = np.array_equal(before[0], d.A) and np.array_equal(before[1], d.B)
    require(unchanged, "fit changes its inputs")


@check(kind="paired", retrieves=True)
def permuted_queries_and_galleries_permute_what_is_found(case: Case) -> None:
    """Items are compared one by one."""
    d = toy_pairs()
    model = case.make().fit(d.A, d.B)
    found = model.retrieve(d.An, d.Bn, k=5)
    order = np.random.default_rng(0).permutation(len(d.An))
    require(np.array_equal(model.retrieve(d.An[order], d.Bn, k=5), found[order]), "of the queries")
    moved = order[model.retrieve(d.An, d.Bn[order], k=5)]
    require(np.array_equal(moved, found), "of the gallery")
    alone = np.vstack([model.retrieve(d.An[i : i + 1], d.Bn, k=5) for i in range(len(d.An))])
    require(np.array_equal(alone, found), "an item alone finds others than among others")


@check(kind="paired", retrieves=True)
def fewer_items_are_the_first_of_more(case: Case) -> None:
    """``k`` cuts a ranking, and all of a gallery is a permutation of it."""
    d = toy_pairs()
    model = case.make().fit(d.A, d.B)
    whole = model.retrieve(d.An, d.Bn, k=len(d.Bn))
    require(np.array_equal(np.sort(whole), np.tile(np.arange(len(d.Bn)), (len(d.An), 1))), "all")
    for k in (1, 4):
        require(np.array_equal(model.retrieve(d.An, d.Bn, k=k), whole[:, :k]), f"the first {k}")
    outside: tuple[Any, ...] = (0, -1, len(d.Bn) + 1, 2.0, True, None)
    for wrong in outside:
        with refused(InputError, r"^k must be a whole number from 1 to the \d+ items"):
            model.retrieve(d.An, d.Bn, k=wrong)


@check(kind="paired", retrieves=True)
def equal_items_come_in_the_order_of_the_gallery(case: Case) -> None:
    """Ties do not depend on chance or rounding."""
    d = toy_pairs()
    model = case.make().fit(d.A, d.B)
    m = len(d.Bn)
    once = model.retrieve(d.An, d.Bn, k=3)
    twice = model.retrieve(d.An, np.vstack([d.Bn, d.Bn]), k=6)
    expected = np.stack([once, once + m], axis=2).reshape(len(once), 6)
    require(np.array_equal(twice, expected), "a copy of an item does not come right behind it")


@check(kind="paired", retrieves=True)
def classes_without_pairs_are_named_by_their_items(case: Case) -> None:
    """One item a class is retrieval with k of 1; names are names, and several items are a mean."""
    d = toy_pairs()
    model = case.make().fit(d.A, d.B)
    sides = (("A", d.An, d.Bn), ("B", d.Bn, d.An))
    for given, X, items in sides:
        classes = {f"class {i}": item for i, item in enumerate(items)}
        first = model.retrieve(X, items, k=1, given=given)[:, 0]
        named = model.predict(X, classes, given=given)
        require(named.tolist() == [f"class {i}" for i in first], f"given {given}")
        several = {name: items[d.yn == label] for label, name in enumerate("abc")}
        shares = np.mean(model.predict(X, several, given=given) == np.array(list("abc"))[d.yn])
        require(shares > 0.6, f"given {given}, {shares:.2f} of items get their class, of 3")
    backwards = dict(reversed(list(several.items())))
    again = model.predict(d.Bn, backwards, given="B")
    require(np.array_equal(again, model.predict(d.Bn, several, given="B")), "the order of classes")
    none: tuple[Any, ...] = ({}, [], None, {"none": d.Bn[:0]}, "word")
    for wrong in none:
        with refused(InputError, "class"):
            model.predict(d.An, wrong)
    with refused(InputError, "names alone"):
        model.predict(d.An, ["a", "b"])


@check(kind="paired")
def what_cannot_be_used_is_an_error_in_words(case: Case) -> None:
    """Lengths, gaps, shapes and words."""
    d = toy_pairs()
    with refused(InputError, r"A has 60 items and B has 59"):
        case.make().fit(d.A, d.B[:-1])
    with refused(InputError, "too few"):
        case.make().fit(d.A[:0], d.B[:0])
    gaps = d.B.copy()
    gaps[3, 1] = np.nan
    with refused(InputError, "(?i)nan"):
        case.make().fit(d.A, gaps)
    with refused(InputError, "."):
        case.make().fit(d.A, d.B.astype(str).astype(object) + "x")
    with refused(InputError, "."):
        case.make().fit(d.A, 5)
    with refused(NotFittedError, "not fitted"):
        getattr(case.make(), "transform" if hasattr(case.method, "retrieve") else "predict")(d.A)


@check(kind="paired", retrieves=True)
def new_items_are_those_of_the_fit(case: Case) -> None:
    """Sides are named, and have the columns that they had."""
    d = toy_pairs()
    model = case.make().fit(d.A, d.B)
    for given in ("C", "a", None, 0):
        with refused(InputError, 'given must be "A" or "B"'):
            model.retrieve(d.An, d.Bn, given=given)
    with refused(InputError, "had 5 at fit"):
        model.retrieve(d.Bn, d.Bn, k=1)
    with refused(InputError, "had 7 at fit"):
        model.retrieve(d.An, d.An, k=1)
    with refused(InputError, "no items"):
        model.retrieve(d.An[:0], d.Bn, k=1)
    with refused(InputError, "rows of numbers"):
        model.transform(d.An[0])
    with refused(InputError, "alike"):
        case.make().fit(np.ones_like(d.A), d.B)


@check(kind="paired")
def a_saved_model_answers_the_same(case: Case) -> None:
    """A file holds all of it, and no pair."""
    from acclimate.persistence import load, save

    d = toy_pairs()
    model = case.make().fit(d.A, d.B)
    with tempfile.TemporaryDirectory() as folder:
        path = save(model, Path(folder) / "m.acclimate", rows="refuse")
        again = load(path)
    require(type(again) is type(model), f"it comes back as {type(again).__name__}")
    require(np.array_equal(_answers(again, d), _answers(model, d)), "it answers otherwise")
    require(again.summary() == model.summary(), "it says otherwise what it is")
