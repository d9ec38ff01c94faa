from __future__ import annotations

import subprocess
import sys

import gymnasium
import numpy as np
import pytest

import acclimate
from acclimate.exceptions import InputError, MissingExtraError
from acclimate.rl import PPO, Policy, evaluate_policy, train_policy

QUICK = PPO(hidden=(16,), environments=4, horizon=32, epochs=5, batch_size=64, learning_rate=0.01)


def weights(policy):
    both = (*policy.actor_.parameters(), *policy.critic_.parameters())
    return [one.detach().numpy() for one in both]


def test_it_learns_which_side_the_light_is_on(corridor):
    policy = train_policy(corridor, 2000, settings=QUICK, random_state=0)
    assert evaluate_policy(policy, corridor, 5).tolist() == [10.0] * 5
    assert policy.predict([[1.0, 0.5], [-1.0, 0.5]]).tolist() == [0, 1]
    early, late = policy.episodes_[:20, 1].mean(), policy.episodes_[-20:, 1].mean()
    assert 3 < early < 9 < late


def test_the_value_network_learns_what_is_to_be_expected():
    class Paid(gymnasium.Env):
        """Reward 1 for anything, two steps, which the observation numbers."""

        observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.taken = 0
            return np.zeros(1, np.float32), {}

        def step(self, action):
            self.taken += 1
            return np.ones(1, np.float32), 1.0, self.taken == 2, False, {}

    import torch

    settings = PPO(hidden=(16,), learning_rate=0.01, discount=0.5, environments=4, horizon=32)
    policy = train_policy(Paid, 3000, settings=settings, random_state=0)
    with torch.no_grad():
        found = policy.critic_(torch.tensor([[0.0], [1.0]]))[:, 0].numpy()
    np.testing.assert_allclose(found, [1.5, 1.0], atol=0.02)


def test_a_time_limit_is_no_end():
    """Cut after every step, the value is that of going on for ever: 1 / (1 - discount)."""

    class Cut(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.ones(1, np.float32), {}

        def step(self, action):
            return np.ones(1, np.float32), 1.0, False, True, {}

    import torch

    settings = PPO(hidden=(16,), learning_rate=0.01, discount=0.5, environments=4, horizon=32)
    policy = train_policy(Cut, 3000, settings=settings, random_state=0)
    with torch.no_grad():
        np.testing.assert_allclose(policy.critic_(torch.ones(1, 1)).item(), 2.0, atol=0.05)


@pytest.mark.slow
def test_it_learns_an_amount_in_the_units_of_the_environment(amount):
    settings = PPO(hidden=(16,), horizon=64, batch_size=128, learning_rate=0.003)
    policy = train_policy(amount, 10_000, settings=settings, random_state=0)
    shown = np.array([[-0.8], [0.0], [0.8]], dtype=np.float32)
    found = policy.predict(shown)
    assert found.shape == (3, 1)
    np.testing.assert_allclose(found, shown, atol=0.2)
    assert policy.predict([[-1e6]]).min() >= -4.0


def test_amounts_have_the_density_of_their_draws():
    """Against scipy's normal distribution, and an entropy of its formula."""
    import torch
    from scipy.stats import norm

    from acclimate.rl.actions import Amounts

    acts = Amounts(np.array([-4.0, 0.0]), np.array([2.0, np.inf]))
    output = np.random.default_rng(0).normal(size=(5, 4)) / 2
    mean, spread = output[:, :2], np.exp(output[:, 2:])
    drawn = acts.draw(output, acts.noise(np.random.default_rng(1), 5))
    found = acts.log_p(torch.from_numpy(output), torch.from_numpy(drawn))
    np.testing.assert_allclose(found, norm(mean, spread).logpdf(drawn).sum(1), rtol=1e-6)
    np.testing.assert_allclose(
        acts.entropy(torch.from_numpy(output)), norm(mean, spread).entropy().sum(1), rtol=1e-6
    )
    given = acts.given(np.array([[0.0, 0.5], [2.0, -1.0]]))
    np.testing.assert_allclose(given, [[-1.0, 0.5], [2.0, 0.0]])


def test_actions_are_drawn_with_the_probabilities_of_the_scores():
    from scipy.special import softmax

    from acclimate.rl.actions import Choice

    acts, scores = Choice(3), np.array([0.3, -1.0, 1.2])
    drawn = acts.draw(scores, acts.noise(np.random.default_rng(0), 40_000))
    np.testing.assert_allclose(np.bincount(drawn) / 40_000, softmax(scores), atol=0.01)


def test_numbered_observations_and_actions_that_do_not_start_at_0(numbered):
    policy = train_policy(numbered, 2000, settings=QUICK, random_state=0)
    assert policy.n_features_in_ == 3
    assert policy.predict(np.eye(3)).tolist() == [6, 6, 6]


def test_equal_seeds_give_equal_policies_and_others_do_not(corridor):
    one, same, other = (
        train_policy(corridor, 300, settings=QUICK, random_state=seed) for seed in (3, 3, 4)
    )
    for a, b in zip(weights(one), weights(same), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.episodes_, same.episodes_)
    assert any((a != b).any() for a, b in zip(weights(one), weights(other), strict=True))


def test_random_states_outside_are_left_alone(corridor):
    import torch

    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state(), torch.get_num_threads()  # noqa: NPY002
    train_policy(corridor, 100, settings=QUICK, random_state=0)
    np.testing.assert_array_equal(before[0], np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(before[1], torch.get_rng_state())
    assert before[2] == torch.get_num_threads()


def test_steps_are_counted_in_all_environments_and_episodes_rise(corridor):
    policy = train_policy(corridor, 401, settings=QUICK, random_state=0)
    assert (policy.steps_, policy.source_steps_) == (404, 0)
    assert policy.episodes_[:, 0].tolist() == sorted([40.0 * k for k in range(1, 11)] * 4)


def test_going_on_leaves_the_source_policy_alone(corridor):
    source = train_policy(corridor, 400, settings=QUICK, random_state=0)
    before = [one.copy() for one in weights(source)]
    on = train_policy(corridor, 200, policy=source, settings=QUICK, random_state=1)
    for was, now in zip(before, weights(source), strict=True):
        np.testing.assert_array_equal(was, now)
    assert (on.steps_, on.source_steps_) == (200, 400)
    assert any((a != b).any() for a, b in zip(before, weights(on), strict=True))


def test_what_is_kept_stays_at_a_rate_of_nearly_nothing_and_the_rest_is_new(corridor):
    still = PPO(hidden=(16,), environments=4, horizon=32, learning_rate=1e-30)
    source = train_policy(corridor, 400, settings=QUICK, random_state=0)
    kept, new = (
        train_policy(corridor, 40, policy=source, keep_value=keep, settings=still, random_state=1)
        for keep in (True, False)
    )
    for a, b in zip(weights(source), weights(kept), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(source.actor_.parameters(), new.actor_.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach(), b.detach())
    head = train_policy(
        corridor, 40, policy=source, keep_head=False, settings=still, random_state=1
    )
    for a, b in zip(weights(source)[:2], weights(head)[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    assert (weights(source)[2] != weights(head)[2]).all()
    np.testing.assert_allclose(weights(head)[3], 0.0, atol=1e-20)
    for a, b in zip(source.critic_.parameters(), head.critic_.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach(), b.detach())
    first = [one.critic_[0].weight.detach().numpy() for one in (source, new)]
    assert (first[0] != first[1]).all()


def test_a_policy_is_saved_and_goes_on_as_it_would_have(corridor, amount, tmp_path):
    for env, shown in ((corridor, [[1.0, 0.5]]), (amount, [[0.3]])):
        source = train_policy(env, 400, settings=QUICK, random_state=0)
        path = acclimate.save(source, tmp_path / "p.acclimate", card={"environment": "a test"})
        again = acclimate.load(path)
        assert isinstance(again, Policy)
        assert again.card_["environment"] == "a test"
        np.testing.assert_array_equal(source.predict(shown), again.predict(shown))
        on, on_again = (
            train_policy(env, 200, policy=one, settings=QUICK, random_state=1)
            for one in (source, again)
        )
        for a, b in zip(weights(on), weights(on_again), strict=True):
            np.testing.assert_array_equal(a, b)
        assert b"pickle" not in path.read_bytes()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ("NoSuchThing-v7", "no environment 'NoSuchThing-v7'"),
        (3, "a name such as 'CartPole-v1'"),
        (gymnasium.spaces.Discrete(2), "must be a name"),
    ],
)
def test_what_is_no_environment_is_told(env, words):
    with pytest.raises(InputError, match=words):
        train_policy(env, 100)


def test_one_environment_is_not_enough(corridor):
    with pytest.raises(InputError, match="give lambda"):
        train_policy(corridor(), 100)


def test_spaces_that_cannot_be_used_are_told(corridor):
    class Two(corridor):
        action_space = gymnasium.spaces.MultiDiscrete([2, 2])

    class Graph(corridor):
        observation_space = gymnasium.spaces.Sequence(gymnasium.spaces.Discrete(2))

    with pytest.raises(InputError, match="actions must be Discrete or a Box"):
        train_policy(Two, 100)
    with pytest.raises(InputError, match="fixed number of numbers"):
        train_policy(Graph, 100)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (PPO(discount=1.5), r"discount must be a number in \[0, 1\]|discount must be in \[0, 1\]"),
        (PPO(hidden=(0,)), "hidden must be"),
        (PPO(environments=True), "environments must be"),
        (PPO(learning_rate=0.0), "learning_rate must be above 0"),
        ({"discount": 0.9}, r"settings must be PPO\(...\)"),
    ],
)
def test_settings_are_checked(corridor, settings, words):
    with pytest.raises(InputError, match=words):
        train_policy(corridor, 100, settings=settings)


def test_steps_and_episodes_and_observations_are_checked(corridor):
    with pytest.raises(InputError, match="steps must be a whole number of at least 1, got 0"):
        train_policy(corridor, 0)
    policy = train_policy(corridor, 8, settings=QUICK, random_state=0)
    with pytest.raises(InputError, match="episodes must be a whole number of at least 1, got 0"):
        evaluate_policy(policy, corridor, 0)
    with pytest.raises(InputError, match=r"shape \(n, 2\), got \(2,\)"):
        policy.predict([1.0, 0.5])
    with pytest.raises(InputError, match="not trained"):
        Policy().predict([[1.0]])
    with pytest.raises(InputError, match="that train_policy returned"):
        train_policy(corridor, 8, policy=Policy())


def test_a_policy_that_does_not_fit_is_told(corridor, numbered, amount):
    policy = train_policy(corridor, 8, settings=QUICK, random_state=0)
    with pytest.raises(InputError, match="sees 2 numbers, an observation here has 3"):
        evaluate_policy(policy, numbered)

    class Amounts(corridor):
        action_space = amount.action_space

    with pytest.raises(InputError, match="was trained for Choice"):
        train_policy(Amounts, 8, policy=policy)


def test_without_the_extra_names_are_there_and_use_says_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingExtraError, match=r'pip install "acclimate\[rl\]"') as caught:
        train_policy("CartPole-v1", 100)
    assert "\n" not in str(caught.value)
    # no file imports gymnasium, which tests/test_dependencies.py holds
    assert all(getattr(acclimate.rl, name).__doc__ for name in acclimate.rl.__all__)


def test_importing_the_room_loads_neither_torch_nor_gymnasium():
    code = (
        "import sys, acclimate.rl; print([m for m in ('torch', 'gymnasium') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_it_learns_to_hold_the_pole():
    policy = train_policy("CartPole-v1", 30_000, random_state=0)
    assert evaluate_policy(policy, "CartPole-v1", 10).mean() > 300


def test_what_cannot_be_judged_or_made_is_named(corridor):
    policy = train_policy(corridor, 200, settings=QUICK, random_state=0)
    for episodes in (2.5, "3", 0, True):
        with pytest.raises(InputError, match="episodes must be a whole number of at least 1"):
            evaluate_policy(policy, corridor, episodes)
    with pytest.raises(InputError, match="random_state must be a whole number of at least 0"):
        evaluate_policy(policy, corridor, 2, random_state=-1)
    with pytest.raises(InputError, match="policy must be one that train_policy returned, got 3"):
        evaluate_policy(3, corridor, 2)
    with pytest.raises(InputError, match="what it made is None"):
        train_policy(lambda: None, 100)
    seen = np.zeros((2, policy.n_features_in_))
    seen[1, 0] = np.nan
    with pytest.raises(InputError, match="observations must be finite; row 1 is"):
        policy.predict(seen)
