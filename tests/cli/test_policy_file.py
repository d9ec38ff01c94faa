"""A policy has no rows: commands say what it is, and that none of them is for it."""

from __future__ import annotations

from acclimate import save
from acclimate.rl import PPO, train_policy


def test_commands_say_what_a_policy_is_and_that_it_is_for_python(acclimate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = PPO(hidden=(4,), environments=2, horizon=8)
    save(train_policy("CartPole-v1", 16, settings=tiny, random_state=0), "p.acclimate")
    (tmp_path / "rows.csv").write_text("a,b\n0,1\n", encoding="utf-8")
    code, shown, _ = acclimate("show", "p.acclimate")
    assert code == 0
    assert "Policy" in shown
    assert "None" not in shown
    code, _, told = acclimate("predict", "p.acclimate", "rows.csv", "--out", "said.csv")
    assert code == 2
    assert "holds a Policy, for which there is no such command; use it in Python" in " ".join(
        told.split()
    )
