"""From raw runs to medians, ratios and passed or missed goals. Pure functions, no clock."""

from __future__ import annotations

from statistics import median
from typing import Any

# Goal: the whole job, times faster than the TensorFlow script.
SPEED_GOALS = {"textbook": 4.0, "default": 6.5}
# Ours may be below theirs by at most this share of the test rows, in the same run.
ACCURACY_MARGIN = 0.003
# Goal: seconds per epoch below those of the peers named here.
EPOCH_GOALS = {
    ("mlp", 32): ("tensorflow", "jax"),
    ("mlp", 128): ("tensorflow", "jax"),
    ("mlp", 512): ("tensorflow", "jax"),
    ("cnn", 128): ("tensorflow", "jax"),
}
PARAMETERS = {"mlp": 101_770, "cnn": 225_034}


def judge_whole(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Judge the whole job.

    Parameters
    ----------
    runs : dict
        For "tensorflow" and each recipe of ours, one row a repeat, in the order of the repeats,
        with `seconds`, `source` and `target`.

    Returns
    -------
    dict
        Medians of each side under "median"; the parameter counts that were printed and whether all
        are the MLP's; for each recipe under "recipes" the `ratio` of the
        median times, the smallest and largest ratio within one repeat, the differences of the
        median accuracies (ours minus theirs), and whether each goal was passed.
    """
    medians = {
        name: {key: median(row[key] for row in rows) for key in ("seconds", "source", "target")}
        for name, rows in runs.items()
    }
    theirs = medians["tensorflow"]
    recipes = {}
    for name in runs.keys() - {"tensorflow"}:
        goal = SPEED_GOALS[name.split()[0]]  # "default before" has that of "default"
        ours = medians[name]
        pairs = zip(runs["tensorflow"], runs[name], strict=True)
        ratios = [their["seconds"] / our["seconds"] for their, our in pairs]
        differences = {key: ours[key] - theirs[key] for key in ("source", "target")}
        ratio = theirs["seconds"] / ours["seconds"]
        recipes[name] = {
            "ratio": ratio,
            "ratio_range": [min(ratios), max(ratios)],
            "goal": goal,
            "passed_speed": ratio >= goal,
            "accuracy_difference": differences,
            "passed_accuracy": all(
                round(value, 6) >= -ACCURACY_MARGIN for value in differences.values()
            ),
        }
    counts = {name: rows[0].get("parameters") for name, rows in runs.items()}
    return {
        "median": medians,
        "parameters": counts,
        "same_network": set(counts.values()) == {PARAMETERS["mlp"]},
        "recipes": recipes,
    }


def judge_epochs(runs: dict[tuple[str, int], dict[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Judge seconds per epoch.

    Parameters
    ----------
    runs : dict
        For each (network, batch), for "acclimate" and each peer, what the script printed:
        `seconds` (one an epoch) and `parameters`.

    Returns
    -------
    list of dict
        One row a network and batch: the smallest time after the first epoch of each side, the
        peers to beat, those that were not beaten, and whether all parameter counts agree.
    """
    rows = []
    for (model, batch), sides in runs.items():
        best = {side: min(result["seconds"][1:]) for side, result in sides.items()}
        rivals = EPOCH_GOALS[(model, batch)]
        lost = [peer for peer in rivals if best["acclimate"] >= best[peer]]
        counts = {side: result["parameters"] for side, result in sides.items()}
        rows.append(
            {
                "model": model,
                "batch": batch,
                "seconds": best,
                "ahead_of": list(rivals),
                "lost_to": lost,
                "passed": not lost,
                "parameters": counts,
                "same_network": set(counts.values()) == {PARAMETERS[model]},
            }
        )
    return rows


def whole_table(judged: dict[str, Any]) -> str:
    """Format `judge_whole` as a Markdown table."""
    lines = [
        "| side | seconds | source | target | times faster (range) | goal | speed | accuracy |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in judged["median"].items():
        cells = [name, f"{row['seconds']:.2f}", f"{row['source']:.4f}", f"{row['target']:.4f}"]
        recipe = judged["recipes"].get(name)
        if recipe is None:
            cells += ["1", "-", "-", "-"]
        else:
            low, high = recipe["ratio_range"]
            cells += [
                f"{recipe['ratio']:.2f} ({low:.2f} to {high:.2f})",
                f"{recipe['goal']:g}",
                _word(recipe["passed_speed"]),
                _word(recipe["passed_accuracy"]),
            ]
        lines.append("| " + " | ".join(cells) + " |")
    if not judged["same_network"]:
        lines.append(f"\nNot the same network: parameters {judged['parameters']}.")
    return "\n".join(lines)


def epochs_table(rows: list[dict[str, Any]]) -> str:
    """Format `judge_epochs` as a Markdown table."""
    sides = list(rows[0]["seconds"])
    lines = [
        "| network, batch | " + " | ".join(sides) + " | ahead of | goal | same network |",
        "|---" * (len(sides) + 4) + "|",
    ]
    for row in rows:
        cells = [f"{row['model']} {row['batch']}"]
        cells += [f"{row['seconds'][side]:.3f}" for side in sides]
        cells += [", ".join(row["ahead_of"]), _word(row["passed"])]
        cells.append("yes" if row["same_network"] else f"no: {row['parameters']}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _word(passed: bool) -> str:
    return "pass" if passed else "miss"
