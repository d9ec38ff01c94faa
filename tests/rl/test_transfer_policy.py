from __future__ import annotations

import copy
import json
import re

import gymnasium
import numpy as np
import pytest
from scipy.stats import ttest_rel

from acclimate.exceptions import InputError
from acclimate.rl import PPO, evaluate_policy, train_policy, transfer_policy
from acclimate.rl.efficiency import curve, over_seeds, steps_to, times_fewer

QUICK = PPO(hidden=(16,), environments=4, horizon=32, batch_size=64, epochs=5, learning_rate=0.01)


@pytest.fixture(scope="module")
def found():
    from tests.rl.conftest import Corridor

    return transfer_policy(
        Corridor, Corridor, 480, source_steps=1600, seeds=3, goal=9.0, settings=QUICK,
        random_state=0,
    )  # fmt: skip


def test_a_policy_that_is_right_there_helps_at_once(found):
    assert found.zero_shot.word == "helps"
    assert found.zero_shot.candidate == 10.0
    assert found.heads_kept == 3
    assert found.verdict.word == "helps"
    assert found.times_fewer.low > 1.0
    assert (found.source_steps, found.target_steps) == (1600, 480)
    assert found.zero_shot_steps == 3 * 2 * 10 * 10
    assert [one.source_steps_ for one in found.policies] == [1600] * 3
    assert [one.source_steps_ for one in found.scratch] == [0] * 3


def test_the_verdict_is_that_of_the_curves(found):
    means = found.curves.mean(axis=2)
    test = ttest_rel(means[0], means[1]).confidence_interval(0.95)
    np.testing.assert_allclose([found.verdict.low, found.verdict.high], [test.low, test.high])
    for side, policies in zip(found.curves, (found.policies, found.scratch), strict=True):
        for line, policy in zip(side, policies, strict=True):
            ends, returns = policy.episodes_.T
            for steps, value in zip(found.steps, line, strict=True):
                ended = returns[ends <= steps][-20:]
                np.testing.assert_allclose(value, ended.mean() if len(ended) else returns[0])


def test_what_is_shown(found, tmp_path):
    text = str(found)
    assert "Helps" in text.split("\n")[0]
    assert "To a return of 9.00: " in found.goal_sentence()
    assert "3 of 3 seeds reach it" in found.goal_sentence()
    assert "source steps" in text
    assert "1,600" in text
    assert max(map(len, text.split("\n"))) <= 80
    assert len(repr(found)) < 80
    page = found.report(tmp_path / "p.html").read_text(encoding="utf-8")
    assert "Sample efficiency" in page
    assert page.count('role="img"') >= 2
    assert re.findall(r"(?:src|href)=.https?:", page) == []
    frame = found.to_frame()
    assert frame.shape[0] == 6
    assert frame["source_steps"].tolist() == [1600] * 3 + [0] * 3
    assert json.loads(json.dumps(found.to_dict()))["verdict"]["word"] == "helps"


def test_a_source_that_is_wrong_there_hurts(corridor):
    source = train_policy(lambda: corridor(swapped=True), 1600, settings=QUICK, random_state=0)
    slow = PPO(hidden=(16,), environments=4, horizon=32, epochs=5, learning_rate=0.001)
    found = transfer_policy(
        source, corridor, 400, seeds=3, keep_head=True, settings=slow, random_state=0
    )
    assert found.zero_shot.word == "hurts"
    assert found.verdict.word == "hurts"
    assert found.one_source
    assert "all seeds go on from one source policy" in str(found).replace("\n", " ")
    assert found.goal is None
    assert "goal" not in str(found)
    assert "new last layer" not in str(found)
    better = transfer_policy(source, corridor, 400, seeds=3, settings=slow, random_state=0)
    assert (found.heads_kept, better.heads_kept) == (3, 0)
    assert better.verdict.candidate > found.verdict.candidate + 2.0
    assert "3 of 3 seeds went on with a new last layer" in str(better).replace("\n", " ")


def test_observations_in_another_order_change_nothing(corridor):
    """A metamorphic relation: with the first weights in that order too, returns are the same."""

    class Turned(corridor):
        def _show(self):
            return super()._show()[::-1].copy()

    source = train_policy(corridor, 400, settings=QUICK, random_state=0)
    turned = copy.deepcopy(source)
    for network in (turned.actor_, turned.critic_):
        network[0].weight.data = network[0].weight.data.flip(1).contiguous()
    np.testing.assert_array_equal(
        evaluate_policy(source, corridor, random_state=1),
        evaluate_policy(turned, Turned, random_state=1),
    )
    here, there = (
        train_policy(env, 400, policy=one, settings=QUICK, random_state=2)
        for env, one in ((corridor, source), (Turned, turned))
    )
    np.testing.assert_array_equal(here.episodes_, there.episodes_)
    for a, b in zip(here.actor_[0].weight, there.actor_[0].weight, strict=True):
        np.testing.assert_allclose(a.detach(), b.detach().flip(0), atol=1e-4)


def test_swapped_sides_swap_the_words():
    rng = np.random.default_rng(0)
    a, b = rng.normal([[1.0], [0.0]], size=(2, 6))
    one, other = over_seeds(a, b, 0.1), over_seeds(b, a, 0.1)
    np.testing.assert_allclose(
        [one.gain, one.low, one.high], [-other.gain, -other.high, -other.low]
    )
    ratio, back = times_fewer(np.exp(a), np.exp(b)), times_fewer(np.exp(b), np.exp(a))
    np.testing.assert_allclose([ratio.estimate, ratio.low], [1 / back.estimate, 1 / back.high])


def test_words_over_seeds():
    low, same = np.array([1.0, 1.1, 0.9, 1.0]), np.array([1.0, 1.1, 0.9, 1.001])
    assert over_seeds(low + 1, low, 0.1).word == "helps"
    assert over_seeds(low - 1, low, 0.1).word == "hurts"
    assert over_seeds(same, low, 0.1).word == "makes no difference"
    open_one = over_seeds(low + np.array([2, -1, 2, 0]), low, 0.1)
    assert open_one.word == "not settled"
    assert open_one.seeds_to_settle > 4


def test_curves_and_steps_to_a_goal_of_few_episodes():
    episodes = np.array([[10.0, 1.0], [20.0, 3.0]])
    assert curve(episodes, np.array([1.0, 15.0, 99.0])).tolist() == [1.0, 1.0, 2.0]
    assert steps_to(episodes, 0.0) == np.inf
    many = np.column_stack([np.arange(1.0, 101.0), np.arange(100.0)])
    assert steps_to(many, 50.0) == 61.0  # episodes 40.5 to 59.5 have the mean 50
    assert steps_to(many, 500.0) == np.inf


def test_a_seed_that_does_not_get_there_counts_as_with_the_last_step(corridor):
    found = transfer_policy(
        corridor, corridor, 240, source_steps=1600, seeds=2, goal=9.0, settings=QUICK,
        random_state=0,
    )  # fmt: skip
    assert np.isfinite(found.to_goal[0]).all()
    assert np.isinf(found.to_goal[1]).all()
    np.testing.assert_allclose(
        found.times_fewer.estimate, np.exp(np.mean(np.log(240 / found.to_goal[0])))
    )
    assert "2 of 2 seeds reach it, 0 from scratch" in found.goal_sentence()
    none = transfer_policy(
        list(found.policies), corridor, 200, seeds=2, goal=11.0, settings=QUICK, random_state=0
    )
    assert none.times_fewer is None
    assert none.goal_sentence() == ("To a return of 11.0: 0 of 2 seeds reach it, 0 from scratch.")
    assert not none.one_source
    assert none.source_steps == 1840


def test_the_goal_is_where_gymnasium_calls_it_solved():
    tiny = PPO(hidden=(4,), environments=4, horizon=32)
    found = transfer_policy(
        "CartPole-v1", "CartPole-v0", 400, seeds=2, settings=tiny, random_state=0
    )
    assert found.goal == gymnasium.spec("CartPole-v0").reward_threshold == 195.0
    assert (found.source, found.target) == ("CartPole-v1", "CartPole-v0")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seeds": 1}, "seeds must be at least 2, for an interval, got 1"),
        ({"margin": -0.1}, "margin must be at least 0"),
        ({"confidence": 1.0}, "strictly between 0 and 1"),
        ({"source": []}, "source must be one policy, 5 policies"),
        ({"source": ["CartPole-v1"]}, r"got 1 of \['str'\]"),
        ({"steps": 4}, "no episode ended within 4 target steps"),
    ],
)
def test_what_cannot_be_used_is_told(corridor, given, words):
    policy = train_policy(corridor, 4, settings=QUICK, random_state=0)
    arguments = {"source": policy, "target": corridor, "steps": 8, "settings": QUICK} | given
    with pytest.raises(InputError, match=words):
        transfer_policy(**arguments)
