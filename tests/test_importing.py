"""The collector stands still while modules are imported, and is as it was afterwards."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from acclimate.importing import on_use, uncollected


def test_nothing_is_collected_meanwhile() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_garbage_of_others_is_still_found() -> None:
    ring: list[object] = []
    ring.append(ring)
    with uncollected():
        pass
    del ring
    assert gc.collect() > 0


def test_a_module_that_is_there_moves_no_object_to_an_older_generation() -> None:
    on_use("acclimate.domain", "Domain")
    young = [[] for _ in range(50)]  # fewer than start a collection
    on_use("acclimate.domain", "Domain")
    assert any(one is young[-1] for one in gc.get_objects(generation=0))


def test_a_module_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ModuleNotFoundError):
        on_use("acclimate.nowhere", "nothing")
    assert gc.isenabled()


def test_who_holds_the_collector_back_keeps_it_so() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_someone_froze_stays_frozen() -> None:
    done = subprocess.run(
        [sys.executable, "-c",
         "import gc; gc.freeze(); kept = gc.get_freeze_count(); import acclimate; acclimate.Domain;"
         "assert gc.get_freeze_count() > kept // 2 > 0 and gc.isenabled()"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
