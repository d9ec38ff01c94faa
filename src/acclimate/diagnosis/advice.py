"""Which families of methods suit what was found, each with its reason in figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acclimate.diagnosis.findings import Advice

NEAR = 0.3  # A-distance that is small enough to leave alone
FALLS = 0.5  # share of the A-distance that must be left where a method explains the shift
SUPPORT = 0.8  # share of target rows inside the source's support that reweighting needs
EFFECTIVE = 0.05  # effective share of source rows that reweighting needs
NETWORK_ROWS = 1000  # rows of each domain below which a network is seldom worth it
LABELS = 10  # target labels of each class, or in all for a regression, that fine-tuning needs


def advise(shifted: bool, figures: Mapping[str, Any]) -> tuple[Advice, ...]:
    """Return families of methods with a reason, those that suit first.

    Parameters
    ----------
    shifted : bool
        Whether a shift was found.
    figures : mapping
        What `diagnose` measured.
    """
    every = [
        _nothing(shifted, figures),
        _fine_tuning(figures),
        *_adapting(shifted, figures),
        _stop(figures),
    ]
    known = [item for item in every if item is not None]
    return tuple(sorted(known, key=lambda item: not item.suits))


def _nothing(shifted: bool, figures: Mapping[str, Any]) -> Advice | None:
    if shifted:
        return None
    return Advice(
        "nothing", True,
        "No shift was found, so a model of the source should do as well on the target. Check it "
        "with a few target labels.",
    )  # fmt: skip


def _fine_tuning(figures: Mapping[str, Any]) -> Advice:
    labels, classes = int(figures["target_labels"]), int(figures.get("classes", 1) or 1)
    extra = figures.get("classes_only_in_target") or ()
    if labels >= LABELS * classes:
        return Advice(
            "fine-tuning", True,
            f"The target has {labels} labels. Compare it with training on them alone.",
        )  # fmt: skip
    if extra:
        return Advice(
            "fine-tuning", True,
            f"The target has classes that the source lacks, and {labels} labels. Nothing else can "
            f"learn new classes; more labels would help.",
        )  # fmt: skip
    if _probe_gains(figures) and not figures.get("coarse"):
        return Advice(
            "fine-tuning", True,
            f"A linear model of the target's {labels} labels is right on "
            f"{figures['probe_of_target']:.0%} of held-out target rows, and on "
            f"{figures['probe_with_source']:.0%} with the source's rows beside them.",
        )  # fmt: skip
    return Advice(
        "fine-tuning", False,
        f"The target has {labels or 'no'} labels; {LABELS * classes} or more make it worth a try.",
    )  # fmt: skip


def _probe_gains(figures: Mapping[str, Any]) -> bool:
    """Tell whether a linear model of the target's labels gains by the source's rows."""
    return float(figures.get("probe_with_source", 0)) > float(figures.get("probe_of_target", 0))


def _adapting(shifted: bool, figures: Mapping[str, Any]) -> tuple[Advice, ...]:
    if not shifted:
        return ()
    if not figures["inputs_shifted"]:
        reason = (
            "The inputs are alike in both domains; what they mean differs, and only target labels "
            "can tell."
        )
        return tuple(
            Advice(family, False, reason) for family in ("reweighting", "mapping", "invariant")
        )
    return (_reweighting(figures), _mapping(figures), _invariant(figures))


def _reweighting(figures: Mapping[str, Any]) -> Advice:
    inside, effective = figures.get("inside"), figures.get("effective_share")
    distance, left = figures.get("a_distance"), figures.get("a_distance_by_class_weights")
    if figures.get("explained_by_classes"):
        size = f" (A-distance {distance:.2f} before, {left:.2f} after)" if left is not None else ""
        return Advice(
            "reweighting", True,
            f"Other class shares explain the shift{size}: use LabelShift.",
        )  # fmt: skip
    if inside is None or effective is None:
        return Advice(
            "reweighting", False, "There are too few rows to see whether domains overlap."
        )
    if inside >= SUPPORT and effective >= EFFECTIVE:
        return Advice(
            "reweighting", True,
            f"{inside:.0%} of the target rows lie where the source has rows, and the weights would "
            f"keep {effective:.0%} of the source rows' worth.",
        )  # fmt: skip
    return Advice(
        "reweighting", False,
        f"{inside:.0%} of the target rows lie where the source has rows, and the weights would "
        f"keep {effective:.0%} of the source rows' worth: no weight makes up for rows that are "
        f"not there.",
    )  # fmt: skip


def _mapping(figures: Mapping[str, Any]) -> Advice:
    distance, left = figures.get("a_distance"), figures.get("a_distance_after_scaling")
    if distance is None or left is None or distance < NEAR:
        return Advice("mapping", False, "The domains are hardly apart, so there is little to map.")
    if figures.get("explained_by_classes"):
        return Advice(
            "mapping", False,
            "The class shares differ: a map that makes the domains alike would mix the classes.",
        )  # fmt: skip
    size = f"(A-distance {distance:.2f} before, {left:.2f} after)"
    if left <= FALLS * distance:
        return Advice(
            "mapping", True,
            f"Centring and scaling each domain by itself takes most of the shift away {size}, as "
            f"CORAL or LinearMonge would: right where the classes are as frequent in both. See by "
            f"labels whether they are: on most real tables and texts both lost.",
        )  # fmt: skip
    return Advice(
        "mapping", False,
        f"Centring and scaling each domain by itself leaves much of the shift {size}: it is not "
        f"one of place and scale. OTMapping may still do.",
    )  # fmt: skip


def _invariant(figures: Mapping[str, Any]) -> Advice:
    rows = min(int(figures["source_rows"]), int(figures["target_rows"]))
    distance = figures.get("a_distance")
    if rows < NETWORK_ROWS:
        return Advice(
            "invariant", False,
            f"The smaller domain has {rows} rows; networks that learn invariant features want "
            f"{NETWORK_ROWS} or more.",
        )  # fmt: skip
    if figures.get("explained_by_classes"):
        return Advice(
            "invariant", False,
            "The class shares differ: features that cannot tell the domains apart would have to "
            "mix the classes.",
        )  # fmt: skip
    if distance is None or distance < NEAR:
        return Advice("invariant", False, "The domains are hardly apart.")
    return Advice(
        "invariant", True,
        f"There are {rows} rows or more of each domain, and the domains are apart (A-distance "
        f"{distance:.2f}). A network can learn features that are alike in both.",
    )  # fmt: skip


def _stop(figures: Mapping[str, Any]) -> Advice | None:
    chance, score = figures.get("chance"), figures.get("target_score")
    inside, distance = figures.get("inside"), figures.get("a_distance")
    left = figures.get("a_distance_after_scaling")
    if figures.get("no_common_class"):
        return Advice(
            "do not transfer", True,
            "No class of the target is one of the source. Only features can be reused: see "
            "FineTune, and probe them with rank first.",
        )  # fmt: skip
    if figures.get("coarse") or _probe_gains(figures):
        return None
    if chance is not None and score is not None and score <= chance:
        return Advice(
            "do not transfer", True,
            f"A model of the source is right on {score:.0%} of the labelled target rows; always "
            f"saying the most frequent class is right on {chance:.0%}.",
        )  # fmt: skip
    gone = inside is not None and inside < 0.05 and distance is not None and distance > 1.9
    if gone and (left is None or left > 1.0):
        return Advice(
            "do not transfer", True,
            f"The domains do not touch ({inside:.0%} of the target rows lie where the source has "
            f"rows), and scaling does not bring them together. Get labels for the target.",
        )  # fmt: skip
    return None
