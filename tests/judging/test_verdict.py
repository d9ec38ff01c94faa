"""The verdict: its words, its classes, its sentences and what it refuses."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import accuracy_score, r2_score

from acclimate.exceptions import InputError
from acclimate.judging.intervals import gain_interval
from acclimate.judging.verdict import Verdict, same_model, verdict

Labels = NDArray[np.int64]


def _predictions(y: Labels, accuracies: list[float], seed: int) -> Labels:
    """Predictions of shape (D, N) that are right at the given rates; wrong ones say class + 1."""
    rng = np.random.default_rng(seed)
    right = rng.random((len(accuracies), y.size)) < np.array(accuracies)[:, None]
    return np.where(right, y, (y + 1) % 3)


@pytest.fixture
def y() -> Labels:
    return np.random.default_rng(0).integers(0, 3, 2000)


def _judge(y: Labels, better: float, **settings: Any) -> Verdict:
    candidate = _predictions(y, [0.70 + better, 0.705 + better, 0.71 + better], seed=1)
    reference = _predictions(y, [0.71, 0.705, 0.70], seed=2)
    return verdict(y, candidate, reference, **settings)


def test_the_four_words(y: Labels) -> None:
    assert _judge(y, 0.15).word == "helps"
    assert _judge(y, -0.15).word == "hurts"
    assert _judge(y, 0.0).word == "not settled"
    assert _judge(y, 0.0, margin=0.2).word == "makes no difference"


def test_a_clear_gain_inside_the_margin_still_helps(y: Labels) -> None:
    assert _judge(y, 0.15, margin=0.9).word == "helps"


def test_scores_agree_with_scikit_learn(y: Labels) -> None:
    candidate = _predictions(y, [0.8, 0.9], seed=1)
    reference = _predictions(y, [0.7], seed=2)[0]
    result = verdict(y, candidate, reference, labels=50)
    expected = np.mean([accuracy_score(y, line) for line in candidate])
    assert result.candidate_score == pytest.approx(expected, abs=1e-12)
    assert result.reference_score == pytest.approx(accuracy_score(y, reference), abs=1e-12)
    assert result.gain == pytest.approx(result.candidate_score - result.reference_score, abs=1e-12)
    assert (result.draws, result.rows, result.labels) == (2, 2000, 50)


def test_permuting_draws_and_rows_changes_nothing(y: Labels) -> None:
    candidate, reference = _predictions(y, [0.7, 0.8, 0.75], 1), _predictions(y, [0.7] * 3, 2)
    rng = np.random.default_rng(3)
    rows, draws = rng.permutation(y.size), rng.permutation(3)
    one = verdict(y, candidate, reference)
    other = verdict(y[rows], candidate[draws][:, rows], reference[draws][:, rows])
    assert other.word == one.word
    assert other.settles_at == one.settles_at
    np.testing.assert_allclose(
        (other.gain, other.low, other.high), (one.gain, one.low, one.high), atol=1e-12
    )


@pytest.mark.parametrize("rate", [0.9, 0.7, 0.72])
def test_swapping_the_sides_mirrors_the_verdict(y: Labels, rate: float) -> None:
    a, b = _predictions(y, [rate, rate + 0.01, rate], 1), _predictions(y, [0.7, 0.71, 0.7], 2)
    one, other = verdict(y, a, b), verdict(y, b, a)
    mirror = {"helps": "hurts", "hurts": "helps"}
    assert other.word == mirror.get(one.word, one.word)
    assert (other.gain, other.low, other.high) == pytest.approx((-one.gain, -one.high, -one.low))
    assert other.settles_at == one.settles_at


def test_renaming_the_labels_changes_nothing(y: Labels) -> None:
    names = np.array(["cat", "dog", "eel"])
    candidate, reference = _predictions(y, [0.7] * 4, 1), _predictions(y, [0.9] * 4, 2)
    one = verdict(y, candidate, reference, class_names=list(names))
    other = verdict(names[y], names[candidate].astype(object), names[reference].tolist())
    assert one == other
    assert one.harmed_classes


def test_equal_predictions_make_no_difference(y: Labels) -> None:
    candidate = _predictions(y, [0.7, 0.8], 1)
    result = verdict(y, candidate, candidate)
    assert (result.word, result.gain, result.low, result.high) == ("makes no difference", 0, 0, 0)
    assert "level with the reference" in result.sentence()


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("folds", [None, 5])
def test_a_few_equal_predictions_settle_nothing(task: Any, folds: int | None) -> None:
    """The exact bound for no disagreement in n rows, from the binomial distribution itself."""
    for rows in (5, 60, 298, 299, 400):
        truth = np.arange(rows) % 7
        result = verdict(truth, truth, truth, task=task, folds=folds)
        wide = stats.binomtest(0, rows).proportion_ci(0.90, "exact").high  # 5 % at one end
        enough = wide < 0.01
        assert result.word == ("makes no difference" if enough else "not settled")
        assert result.high == -result.low == pytest.approx(0.0 if enough else wide)
        assert enough or result.settles_at.rows == 299
    assert "not settled" in verdict([0, 1, 0], [0, 1, 0], [0, 1, 0]).sentence().lower()


def test_equal_correctness_with_other_predictions_keeps_a_width() -> None:
    truth = np.zeros(20, dtype=int)
    result = verdict(truth, np.full(20, 1), np.full(20, 2))
    assert result.word == "not settled"
    assert result.gain == 0
    assert result.low < -0.05 < 0.05 < result.high


def test_three_rows_that_all_agree_do_not_settle_it() -> None:
    assert verdict([0, 1, 2], [0, 1, 2], [1, 2, 0]).word == "not settled"
    assert verdict([0, 1, 2], [[0, 1, 2]] * 5, [[1, 2, 0]] * 5).word == "not settled"


def test_draws_that_disagree_do_not_settle_it(y: Labels) -> None:
    candidate = _predictions(y, [0.5, 0.8, 0.95], 1)
    result = verdict(y, candidate, _predictions(y, [0.7] * 3, 2))
    assert result.word == "not settled"
    assert result.settles_at is not None
    assert result.settles_at.rows is None
    # The same predictions as one draw of a larger test set would have been called a help.
    flat = verdict(np.tile(y, 3), candidate.ravel(), _predictions(y, [0.7] * 3, 2).ravel())
    assert flat.word == "helps"


def test_one_draw_says_that_it_covers_rows_only(y: Labels) -> None:
    a, b = _predictions(y, [0.9], 1), _predictions(y, [0.7], 2)
    result = verdict(y, a[0], b[0])
    assert result == verdict(y, a, b)
    assert result.draws == 1
    assert "test rows only" in result.covers
    assert "test rows only" in result.sentence()
    assert "label draw" in result.sentence()
    assert "1 run," in verdict(y, a, b, draws_vary=False).sentence()


def test_a_fixed_reference_stands_for_every_draw(y: Labels) -> None:
    candidate, reference = _predictions(y, [0.8, 0.7, 0.75], 1), _predictions(y, [0.7], 2)
    repeated = verdict(y, candidate, np.repeat(reference, 3, axis=0))
    assert verdict(y, candidate, reference[0]) == repeated


def test_only_the_harmed_class_is_named(y: Labels) -> None:
    rng = np.random.default_rng(5)
    reference = np.tile(y, (3, 1))
    reference[:, rng.random(y.size) < 0.2] = 9
    candidate = np.tile(y, (3, 1))
    lost = (y == 1) & (rng.random(y.size) < 0.5)
    candidate[:, lost] = 0
    result = verdict(y, candidate, reference, class_names={0: "bag", 1: "shirt", 2: "boot"})
    (harmed,) = result.harmed_classes
    recalls = [np.mean(side[:, y == 1] == 1) for side in (reference, candidate)]
    assert harmed.name == "shirt"
    assert harmed.fall == pytest.approx(recalls[0] - recalls[1])
    assert 0 < harmed.low < harmed.fall < harmed.high
    assert "shirt by" in result.sentence()
    gains = (candidate == y).astype(float) - (reference == y)
    one_of_three = gain_interval(gains[:, y == 1], 1 - 0.05 / 3, bounded=True)
    assert (harmed.high, harmed.low) == pytest.approx((-one_of_three.low, -one_of_three.high))
    assert verdict(y, candidate, reference, margin=0.9).harmed_classes == ()


def test_a_class_without_evidence_is_not_named() -> None:
    truth = np.array([0] * 50 + [1] * 3)
    candidate = truth.copy()
    candidate[-1] = 0
    assert verdict(truth, candidate, truth).harmed_classes == ()


def test_regression_gains_are_in_r2() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(5, 3, 400)
    candidate, reference = y + rng.normal(0, 1, (4, 400)), y + rng.normal(0, 2, (4, 400))
    result = verdict(y, candidate, reference, task="regression")
    expected = [np.mean([r2_score(y, line) for line in side]) for side in (candidate, reference)]
    assert result.candidate_score == pytest.approx(expected[0])
    assert result.reference_score == pytest.approx(expected[1])
    assert result.gain == pytest.approx(expected[0] - expected[1])
    assert (result.word, result.score, result.harmed_classes) == ("helps", "R2", ())
    rescaled = verdict(7 * y, 7 * candidate, 7 * reference, task="regression")
    assert (rescaled.low, rescaled.high) == pytest.approx((result.low, result.high))
    assert "points of R2 above" in result.sentence()


def test_sentences_are_short_and_plain(y: Labels) -> None:
    hurts = _judge(y, -0.15)
    text = hurts.sentence("training from scratch")
    assert text.startswith(f"Hurts: {-100 * hurts.gain:.1f} points below training from scratch (95")
    assert "3 label draws, 2000 test rows)." in text
    open_ = _judge(y, 0.0).sentence()
    assert "labelled test rows" in open_
    assert open_.endswith("would settle it.")
    for line in (text, open_):
        assert line.count(". ") <= 1


@pytest.mark.parametrize("better", [0.15, 0.0, -0.15])
def test_json_round_trip(y: Labels, better: float) -> None:
    plain = _judge(y, better, labels=np.int32(100), margin=np.float64(0.01)).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_a_verdict_is_frozen(y: Labels) -> None:
    with pytest.raises(FrozenInstanceError):
        _judge(y, 0.0).word = "helps"  # type: ignore[misc]


OK = [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "settings", "shown"),
    [
        ((OK, OK[:3], OK), {}, r"candidate.*\(3,\)"),
        ((OK, OK, [OK[:2]]), {}, r"reference.*\(1, 2\)"),
        ((OK, [OK] * 2, [OK] * 3), {}, "2 draws and reference 3"),
        (([OK], OK, OK), {}, r"y_true.*\(1, 4\)"),
        (([0], [0], [0]), {}, r"y_true.*\(1,\)"),
        ((OK, np.zeros((0, 4)), OK), {}, r"candidate.*\(0, 4\)"),
        ((OK, [0.0, np.nan, 0, 0], OK), {}, r"candidate.*nan at index \(1,\)"),
        ((["a", None, "b", "a"], ["a"] * 4, ["b"] * 4), {}, "y_true.*NoneType"),
        ((OK, ["0", "1", "0", "1"], OK), {}, "candidate has dtype <U1"),
        (([b"a", b"b", b"a", b"b"], ["a"] * 4, ["b"] * 4), {}, "dtype <U1 and y_true"),
        (([0.0, 0.5, 1.0, 1.0], OK, OK), {}, r"0\.5.*task='regression'"),
        (([2.0] * 4, OK, OK), {"task": "regression"}, r"y_true is 2\.0 on every row"),
        ((["a", "b", "a", "b"],) * 3, {"task": "regression"}, "numbers for a regression"),
        ((OK, OK, OK), {"task": "ranking"}, "'ranking'"),
        ((OK, OK, OK), {"margin": 1}, "margin.*1"),
        ((OK, OK, OK), {"margin": float("nan")}, "margin.*nan"),
        ((OK, OK, OK), {"confidence": 95}, "confidence.*95"),
        ((OK, OK, OK), {"labels": 0}, "labels.*0"),
        ((OK, OK, OK), {"class_names": ["only one"]}, "no name for the label 1"),
        ((OK, OK, OK), {"class_names": {0: "a"}}, "no name for the label 1"),
    ],
)
def test_bad_input_is_refused_with_its_value(
    arguments: tuple[Any, Any, Any], settings: dict[str, Any], shown: str
) -> None:
    with pytest.raises(InputError, match=shown):
        verdict(*arguments, **settings)


@pytest.mark.parametrize(("right", "how"), [(75, "still worse"), (80, "no better"), (81, None)])
def test_helps_does_not_stand_alone_where_a_constant_is_as_good(
    right: int, how: str | None
) -> None:
    """80 of 100 rows are 'no': always saying so is right on 80."""
    y = np.array(["no"] * 80 + ["yes"] * 20)
    other = {"no": "yes", "yes": "no"}
    wrong = np.array([other[one] for one in y])
    reference = np.where(np.arange(100) < 40, y, wrong)
    candidate = np.where(np.arange(100) < right, y, wrong)
    said = verdict(y, candidate, reference)
    assert said.word == "helps"
    assert said.constant == ("no", 0.8)
    but = f"and is {how} than always saying 'no' (80.0 %)" if how else ""
    assert said.but == but
    lead = f"helps, {but}" if but else "helps"
    assert said.sentence("the source").startswith(f"Helps{lead[5:]}: ")
    assert said.sentence("the source", "this").startswith(f"This {lead}: ")
    assert said.to_dict()["but"] == but
    assert lead[5:] in str(said).replace("\n", " ")
    hurts = verdict(y, reference, candidate)
    assert (hurts.word, hurts.but) == ("hurts", "")


def test_always_saying_the_mean_has_an_r2_of_0() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=300)
    said = verdict(y, y + rng.normal(0, 1.2, 300), y + rng.normal(0, 4, 300), task="regression")
    assert (said.word, said.constant) == ("helps", ("the mean", 0.0))
    assert said.candidate_score < 0
    assert said.but == "and is still worse than always saying the mean (0.000)"


def test_weights_decide_which_class_is_the_most_frequent() -> None:
    y = np.array([0] * 6 + [1] * 4)
    said = verdict(y, y, y, folds=3, weights=np.where(y == 1, 3.0, 1.0))
    assert said.constant == ("1", pytest.approx(12 / 18))


def test_a_sentence_names_both_sides_where_it_knows_them(y: Labels) -> None:
    good, bad = _predictions(y, [0.95], seed=1), _predictions(y, [0.6], seed=2)
    assert verdict(y, good, bad).sentence("B", "A").startswith("A helps: ")
    assert verdict(y, bad, good).sentence("B", "A").startswith("A hurts: ")
    open_ = verdict(y[:5], y[:5], y[:5])
    assert open_.sentence("B", "A").startswith("Not settled: A is level with B (")


def test_a_model_against_itself_is_said_to_be_the_same_model(y: Labels) -> None:
    said = same_model(verdict(y, y, y))
    assert (said.word, said.gain, said.low, said.high) == ("the same model", 0.0, 0.0, 0.0)
    expected = "A and B are the same model: there is nothing to compare."
    assert said.sentence("B", "A") == expected
