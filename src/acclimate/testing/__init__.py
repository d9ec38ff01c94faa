"""Checks that every method passes, for methods of your own: `check_method` is where to start.

It needs no test runner. In a test of a package of yours:

    def test_mine():
        check_method(Mine())
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from acclimate.adapter import Adapter
from acclimate.exceptions import InputError
from acclimate.testing import (
    conformance,
    declaration,
    metamorphic,
    on_pairs,
    survival,
    two_stages,
)
from acclimate.testing.cases import CHECKS, Case, Check, CheckFailed, toy
from acclimate.testing.quick import quick_base, quick_method, quick_settings

__all__ = [
    "Case", "Check", "CheckFailed", "check_method", "checks", "quick_base", "quick_method",
    "quick_settings", "toy",
]  # fmt: skip

# each adds its checks
_ROOMS = (declaration, two_stages, metamorphic, survival, conformance, on_pairs)


def checks(method: Any) -> list[tuple[Check, Case]]:
    """Return the checks of a method's kind, each with the case that it is run on.

    Parameters
    ----------
    method : Adapter, or a method on pairs
        Not fitted. Each task that its row names is a case; where the base model does the other
        task, the case has a plain one.

    Returns
    -------
    list of (Check, Case)
        ``check.run(case)`` raises where the rule is broken.

    Raises
    ------
    InputError
        It is not an instance of a method, or there are no checks for its kind.

    Examples
    --------
    >>> from acclimate import CORAL
    >>> from acclimate.testing import checks
    >>> names = {check.name for check, _ in checks(CORAL())}
    >>> "an_earlier_target_leaves_no_trace" in names
    True
    """
    if isinstance(method, type) or not hasattr(method, "_row"):
        shown = method.__name__ if isinstance(method, type) else type(method).__name__
        raise InputError(
            f"check_method takes a method that is made and not fitted, such as CORAL(), got {shown}"
        )
    cases = [_case(method, task) for task in method._row().tasks]
    found = [(check, case) for case in cases for check in CHECKS if check.applies(case)]
    if not found:
        raise InputError(f"there are no checks for methods of the kind {method._row().kind!r}")
    return found


def check_method(method: Any, *, skip: Collection[str] = ()) -> list[str]:
    """Run the common checks on a method of your own, as scikit-learn's ``check_estimator`` does.

    Use it in a test of the method's package. They check the contract of `fit` and `adapt`, the
    firewall on target labels, how answers change with the data, files, scikit-learn's own rules,
    and what the class says in its ``row``. They do not check that the method helps.

    Parameters
    ----------
    method : Adapter
        Not fitted. It is fitted some hundred times on 60 rows, so its settings should be fast.
    skip : collection of str, default=()
        Names of checks that are left out.

    Returns
    -------
    list of str
        Names of the checks that were run and passed.

    Raises
    ------
    CheckFailed
        Names each check that failed, with the reason.
    InputError
        It is not an instance of a method, there are no checks for its kind, or ``skip`` names none.

    Examples
    --------
    >>> from acclimate import SourceOnly
    >>> from acclimate.testing import check_method
    >>> slow = ["sklearn_checks_without_target", "sklearn_checks_with_target"]
    >>> len(check_method(SourceOnly(), skip=slow)) > 20
    True
    """
    known = {check.name for check in CHECKS}
    unknown = sorted(set(skip) - known)
    if unknown:
        raise InputError(f"skip names {unknown}, which are no checks; there are {sorted(known)}")
    passed, failed = [], {}
    for check, case in checks(method):
        if check.name in skip:
            continue
        title = f"{check.name} ({case.task})"
        try:
            check.run(case)
        except Exception as error:
            kind = "" if isinstance(error, CheckFailed) else f"{type(error).__name__}: "
            failed[title] = error, f"{kind}{error}".strip()
        else:
            passed.append(title)
    if failed:
        words = "\n".join(f"- {title}: {text}" for title, (_, text) in failed.items())
        first = next(iter(failed.values()))[0]
        raise CheckFailed(
            f"{type(method).__name__} fails {len(failed)} of {len(failed) + len(passed)} checks:\n"
            f"{words}"
        ) from first
    return passed


def _case(method: Any, task: str) -> Case:
    """Return a method with a base model for the task."""
    from sklearn.base import clone

    if not isinstance(method, Adapter):
        return Case(method, task)
    if method._regression() == (task == "regression"):
        return Case(method, task)
    return Case(clone(method).set_params(estimator=quick_base(method._row(), task)), task)
