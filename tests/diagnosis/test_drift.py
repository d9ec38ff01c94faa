"""Drift: no false alarms, shifts found, the same answer for the same rows."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from acclimate.diagnosis import drift
from acclimate.diagnosis.drift import check, holm, ks_distance, summarise
from acclimate.diagnosis.feature_drift import check_pictures, summarise_features
from acclimate.diagnosis.summaries import colour_figures
from acclimate.exceptions import InputError


def frame(rng: np.random.Generator, n: int) -> pd.DataFrame:
    data = pd.DataFrame(
        {
            "age": rng.normal(50, 10, n),
            "visits": rng.poisson(2, n),
            "skewed": rng.lognormal(size=n),
            "ward": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
            "smokes": rng.random(n) < 0.3,
        }
    )
    data.loc[rng.random(n) < 0.1, "age"] = np.nan
    return data


def reference_of(rng: np.random.Generator, n: int) -> dict:
    return json.loads(json.dumps(summarise(frame(rng, n))))


def words(report: drift.DriftReport) -> dict[str, str]:
    return {column.name: column.word for column in report.columns}


@pytest.mark.parametrize(("n", "m"), [(150, 100), (1000, 300)])
def test_false_alarms_are_rare(n: int, m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the least effects, alpha alone must hold the false alarms down.
    for name in ("LEAST_SHIFT", "LEAST_GAP", "LEAST_NEW"):
        monkeypatch.setattr(drift, name, 0.0)
    rng = np.random.default_rng(0)
    alarms = [
        check(reference_of(rng, n), frame(rng, m), alpha=0.1).word == "drifted" for _ in range(200)
    ]
    # 0.1 plus 3 standard errors of 200 draws
    assert np.mean(alarms) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 200)


def test_half_a_standard_deviation_is_found_at_500_rows() -> None:
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(20):
        report = check(reference_of(rng, 1000), frame(rng, 500).assign(age=rng.normal(55, 10, 500)))
        found += words(report)["age"] == "shifted"
        assert {w for name, w in words(report).items() if name != "age"} == {"same"}
    assert found == 20


def test_a_trivial_shift_of_many_rows_is_no_drift() -> None:
    rng = np.random.default_rng(2)
    reference = summarise(rng.normal(size=(100_000, 1)))
    report = check(reference, rng.normal(size=(100_000, 1)) + 0.05)
    assert report.columns[0].p is not None
    assert report.columns[0].p < 1e-6
    assert report.word == "holds"


def test_new_levels_gaps_and_missing_columns() -> None:
    rng = np.random.default_rng(3)
    reference = reference_of(rng, 800)
    new = frame(rng, 400)
    new.loc[:39, "ward"] = "z"
    new.loc[:119, "visits"] = np.nan
    report = check(reference, new.drop(columns="skewed"))
    assert words(report) == {
        "age": "same", "visits": "more missing", "skewed": "missing column", "ward": "new levels",
        "smokes": "same",
    }  # fmt: skip
    assert report.exit_code == 3
    for part in ("'ward' has new levels ('z'; 10% of the rows)", "'skewed' is missing",
                 "'visits' has more missing values (0% before, 30% now)"):  # fmt: skip
        assert part in report.sentence()
    assert json.loads(json.dumps(report.to_dict()))["exit_code"] == 3
    one = frame(rng, 400)
    one.loc[0, "ward"] = "z"
    assert words(check(reference, one))["ward"] == "same"


def test_other_shares_of_levels_are_a_shift() -> None:
    rng = np.random.default_rng(4)
    new = frame(rng, 400).assign(ward=rng.choice(["a", "b", "c"], 400))
    report = check(reference_of(rng, 800), new)
    assert words(report)["ward"] == "shifted"
    assert report.exit_code == 3


def test_order_of_rows_and_columns_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    old, new = frame(rng, 300), frame(rng, 200).assign(extra=1)
    reference = summarise(old)
    shuffled = summarise(old.sample(frac=1, random_state=0))
    assert shuffled["columns"].keys() == reference["columns"].keys()
    report = check(reference, new)
    again = check(shuffled, new.sample(frac=1, random_state=1)[list(new.columns)[::-1]])
    assert words(report) == words(again)
    for a, b in zip(report.columns, again.columns, strict=True):
        assert a.shift == pytest.approx(b.shift)
        assert a.p == pytest.approx(b.p)


def test_few_rows_cannot_tell_and_say_how_many_would() -> None:
    rng = np.random.default_rng(6)
    reference = reference_of(rng, 1000)
    report = check(reference, frame(rng, 20))
    assert (report.word, report.exit_code) == ("cannot tell", 4)
    assert report.rows_needed is not None
    assert f"about {report.rows_needed} rows would tell" in report.sentence()
    assert check(reference, frame(rng, report.rows_needed)).word == "holds"
    few = check(reference_of(rng, 10), frame(rng, 1000))
    assert few.word == "cannot tell"
    assert "adapted to too few rows" in few.sentence()
    assert check(reference, frame(rng, 0)).word == "cannot tell"


def test_distance_is_that_of_scipy_where_every_value_is_kept() -> None:
    rng = np.random.default_rng(7)
    for draw in (rng.normal, lambda size: rng.poisson(3, size).astype(float)):
        x, y = draw(size=60), draw(size=90)
        before = summarise(x[:, None])["columns"]["x0"]
        assert ks_distance(before, y) == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-12)


def test_distance_is_never_more_than_the_full_one() -> None:
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=5000), rng.normal(0.3, 1, size=700)
    full = stats.ks_2samp(x, y).statistic
    ours = ks_distance(summarise(x[:, None])["columns"]["x0"], y)
    assert full - 1 / 60 < ours <= full


def test_holm_by_hand() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(holm(p), [0.03, 0.06, 0.06, 0.02])


def test_shares_p_agrees_with_scipy() -> None:
    exact = stats.fisher_exact([[1, 49], [8, 42]]).pvalue
    assert drift.shares_p(1, 50, 8, 50) == pytest.approx(exact)
    table = [[40, 160], [70, 130]]
    z = stats.chi2_contingency(table, correction=False).pvalue
    assert drift.shares_p(40, 200, 70, 200) == pytest.approx(z)


def test_images_are_compared_by_brightness_contrast_and_regions() -> None:
    rng = np.random.default_rng(9)
    X = rng.integers(0, 200, (400, 9, 9), dtype=np.uint8)
    reference = summarise(X)
    assert len(reference["columns"]) == 11
    new = rng.integers(0, 200, (300, 9, 9), dtype=np.uint8)
    assert check(reference, new).word == "holds"
    new[:, :3, :3] += 20
    report = check(reference, new)
    assert words(report)["region_1_1"] == "shifted"
    assert words(report)["region_3_3"] == "same"
    with pytest.raises(InputError, match="adapted to images"):
        check(reference, np.zeros((5, 4)))


def test_colours_are_compared_apart_from_brightness() -> None:
    rng = np.random.default_rng(9)

    def pictures(n: int) -> np.ndarray:
        X = rng.integers(0, 60, (n, 3, 9, 9)) + rng.integers(0, 120, (n, 1, 1, 1))
        X[:, 0] += rng.integers(20, 40, (n, 1, 1))
        return X.astype(np.uint8)

    X, new = pictures(400), pictures(300)
    reference = summarise(X)
    assert check(reference, new).word == "holds"
    report = check(reference, new[:, ::-1])  # red and blue exchanged
    assert {name for name, word in words(report).items() if word != "same"} == {"red", "blue"}
    means = X.mean(axis=(2, 3))
    np.testing.assert_allclose(colour_figures(X)["blue"], means[:, 2] - means.mean(axis=1))
    old = reference | {"columns": {n: c for n, c in reference["columns"].items() if n != "red"}}
    assert "red" not in words(check(old, new)), "a summary of an earlier version has no colours"
    assert colour_figures(X[:, :2]) == colour_figures(X[:, 0]) == {}


def test_features_of_an_encoder_are_compared_beside_the_pictures() -> None:
    rng = np.random.default_rng(3)
    X = rng.integers(0, 200, (400, 9, 9), dtype=np.uint8)
    F = rng.normal(size=(400, 40)) * np.r_[np.full(20, 2.0), np.ones(20)]
    reference, seen = summarise(X), summarise_features(F)
    order = np.sort(np.argsort(-F.std(axis=0))[:16])
    assert list(seen["columns"]) == [f"encoder feature {j}" for j in order]
    new, G = rng.integers(0, 200, (300, 9, 9), dtype=np.uint8), rng.normal(size=(300, 40)) * 2
    assert check_pictures(reference, new, seen, G, alpha=0.01).word == "holds"
    G[:, order[3]] += 2
    report = check_pictures(reference, new, seen, G, alpha=0.01)
    assert [one.name for one in report.drifted] == [f"encoder feature {order[3]}"]
    assert report.alpha == 0.01
    few = check_pictures(reference, new[:20], seen, G[:20] * 0, alpha=0.01)
    assert few.word == "drifted"
    few = check_pictures(reference, new[:20], seen, F[40:60], alpha=0.01)
    assert few.word == "cannot tell"
    assert few.rows_needed > 20
    with pytest.raises(InputError, match="alpha must lie between"):
        check_pictures(reference, new, seen, G, alpha=2.0)


def test_pictures_that_are_the_same_seldom_drift() -> None:
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, 200, (300, 3, 9, 9)) + rng.integers(0, 50, (300, 1, 1, 1))
        F = X.reshape(300, -1) @ rng.normal(size=(243, 20))
        reference, seen = summarise(X[:150]), summarise_features(F[:150])
        alarms += check_pictures(reference, X[150:], seen, F[150:], alpha=0.05).word == "drifted"
    assert alarms <= 6  # 2 are expected at most


def test_texts_are_compared_by_length_and_dates_are_not_tested() -> None:
    rng = np.random.default_rng(10)

    def notes(n: int, most: int) -> pd.DataFrame:
        lengths = rng.integers(5, most, n)
        text = ["".join(rng.choice(list("abcdef"), k)) for k in lengths]
        when = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(n), "D")
        return pd.DataFrame({"note": text, "when": when})

    reference = json.loads(json.dumps(summarise(notes(300, 40))))
    assert reference["columns"]["note"]["kind"] == "text"
    assert words(check(reference, notes(300, 40))) == {"note": "same", "when": "not tested"}
    assert words(check(reference, notes(300, 80)))["note"] == "shifted"


def test_the_summary_is_small() -> None:
    rng = np.random.default_rng(11)
    summary = summarise(rng.normal(size=(500, 1000)))
    assert len(summary["columns"]) == 256
    assert summary["left_out"] == 744
    assert len(json.dumps(summary)) < 2_000_000


@pytest.mark.parametrize(
    ("reference", "alpha", "message"),
    [({"rows": 3}, 0.01, "no summary"), (None, 1.5, "alpha must lie"), (None, 0.01, "held numbers")]
)  # fmt: skip
def test_wrong_input(reference: dict | None, alpha: float, message: str) -> None:
    good = summarise(pd.DataFrame({"a": [1.0, 2.0]}))
    with pytest.raises(InputError, match=message):
        check(reference or good, pd.DataFrame({"a": ["x", "y"]}), alpha=alpha)


@pytest.mark.parametrize("seed", range(3))
def test_the_index_of_few_values_is_that_of_levels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for values in ([0, 1], [0, 1, 2, 3], [-1.5, 0.0, 2.5]):
        p, q = rng.dirichlet(np.ones(len(values)) * 3, 2)
        before, now = rng.choice(values, 2000, p=p), rng.choice(values, 1000, p=q)
        numbers = check(summarise(pd.DataFrame({"z": before})), pd.DataFrame({"z": now}))
        levels = check(
            summarise(pd.DataFrame({"z": before.astype(str)})),
            pd.DataFrame({"z": now.astype(str)}),
        )
        shares = [[np.mean(side == value) for value in values] for side in (before, now)]
        by_hand = sum((b - a) * np.log(b / a) for a, b in zip(*shares, strict=True))
        assert numbers.columns[0].psi == pytest.approx(by_hand)
        assert levels.columns[0].psi == pytest.approx(by_hand)


def test_a_value_that_many_rows_have_is_a_bin_of_its_own() -> None:
    rng = np.random.default_rng(0)
    amounts = rng.lognormal(size=2000)
    before = pd.DataFrame({"x": np.where(rng.random(2000) < 0.5, 0.0, amounts)})
    after = pd.DataFrame({"x": np.where(rng.random(2000) < 0.5, 1e-3, amounts)})
    found = check(summarise(before), after).columns[0].psi
    assert found is not None
    assert found > 2  # half the rows moved, from 0 to just above
    same = check(summarise(before), before).columns[0].psi
    assert same == pytest.approx(0.0, abs=0.02)
