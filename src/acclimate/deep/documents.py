"""What the docstrings of the template's methods share."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable
from typing import Any

from acclimate.deep.watching import EPOCH_SCORES
from acclimate.training.augment import WORDS

SHARED = {
    "estimator": """
    estimator : NeuralClassifier or NeuralRegressor, default=None
        The base model. None means ``NeuralClassifier()``.
""",
    "classifier": """
    estimator : NeuralClassifier, default=None
        The base model. None means ``NeuralClassifier()``.
""",
    "parameters": """
    length : float, default={length}
        Steps of stage two over those of training the base model, above 0.
    rate : float, default={rate}
        Factor on the learning rate of the source network's weights in stage two, above 0. New
        modules learn at the full rate.
    validator : {EPOCH_SCORES}, callable or None, default="auto"
        Chooses the epoch whose weights are kept, without target labels; see
        `acclimate.validators.registry`. The start, the source network with the target's batch
        norm, is epoch 0. "auto" is "information_maximisation" for classifiers, and None in a
        regression or where target labels are used. None keeps the last epoch. A callable gets two
        `acclimate.deep.watching.Outputs`, of a tenth of the source rows, which are then held out of
        stage two (stage one has seen them), and of target rows; it returns a score, higher is
        better.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.
""",
    "labels": """
    use_target_labels : bool, default=False
        Whether labelled target rows are learnt from too: their mean loss joins that of the source
        rows, from a batch of labelled rows in each step.
""",
    "weak": """
    weak : {WORDS}, callable or None, default="auto"
        How rows of both domains are changed a little, each by its own draw, after the base model's
        ``augment`` and in its words; for rows of numbers or of a table, "swap" takes a tenth of the
        cells from other rows of the batch; for spectrograms, "time" moves along the last axis.
        "auto" is "crop" for images and "swap" for rows. None leaves rows as they are.
""",
    "strong": """
    strong : {WORDS}, callable or None, default="auto"
        How target rows are changed much. "auto" is "strong" for images: turned, scaled, moved,
        coloured and a box of them covered; it mirrors none, since a mirrored digit is none, so say
        "strong,flip" of photographs. For rows it is "swap-strong", three tenths of the cells. For
        spectrograms, which it takes for images, say ``weak="time", strong="time,bands"``.
""",
    "ratio": """
    ratio : int, default={ratio}
        Target rows over source rows in each step, at least 1.
""",
    "label_sets": """
    partial : bool, default=False
        Whether the target may lack classes of the source. Source rows then count, in every term, by
        the target's share of their class over the source's share (PADA, arXiv:1808.04205). The
        target's shares are the mean prediction of the network, taken anew before each epoch. Where
        the source model is mostly wrong on the target, so are they.
    unknown : str or int, default=None
        What `predict` calls target rows that belong to no class of the source; of the type of the
        classes, and none of them. Rejected are rows whose features are far from every class of the
        source: by the Mahalanobis distance of features scaled to length 1 (arXiv:2505.18032),
        above the threshold that parts the target's log distances into two groups (Otsu).
        ``classes_``, `predict_proba` and rows of the source know nothing of it. None rejects
        nothing; leave it so where the target has no such rows, since the farther group goes. A
        large shift looks like unknown classes, and known rows are then rejected.
""",
    "attributes": """
    source_model_ : estimator
        The model of the source alone.
    target_model_ : estimator or None
        The adapted model.
    history_ : History or None
        Every loss, and what else was measured, in each epoch of stage two.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels. Only in a classification.
""",
    "raises": """
    InputError
        A value cannot be used, or the estimator is not a network.
""",
    "warns": """
    ConvergenceWarning
        Training stopped early: a loss was not finite, or all target rows came to be predicted as
        one class. Or a discriminator was at chance from the start; then training goes on.
""",
}


def documented(cls: type[Any]) -> type[Any]:
    """Fill ``{estimator}``, ``{parameters}`` and the like in a method's docstring."""
    text = f"{inspect.cleandoc(cls.__doc__ or '')}\n"  # Python 3.13 has taken the margin away
    for name, words in SHARED.items():
        if f"\n{{{name}}}\n" not in text:
            continue
        if name == "parameters":
            chosen = _default(cls, "validator")
            default = "None" if chosen is None else f'"{chosen}"'
            words = _listed(words, "validator", "EPOCH_SCORES", EPOCH_SCORES, default)
            for key in ("length", "rate"):
                words = words.replace(f"{{{key}}}", str(_default(cls, key)))
        elif name in ("weak", "strong"):
            words = _listed(words, name, "WORDS", WORDS, '"auto"')
        elif name == "ratio":
            words = words.replace("{ratio}", str(_default(cls, name)))
        text = text.replace(f"{{{name}}}\n", textwrap.dedent(words).lstrip("\n"))
    cls.__doc__ = text
    return cls


def _listed(text: str, name: str, place: str, words: Iterable[str], default: str) -> str:
    """Return a parameter's text with "auto" and the words in its first line, wrapped."""
    kind = f"{name} : {{%s}}, callable or None, default="
    choices = ", ".join(f'"{word}"' for word in ("auto", *words))
    line = textwrap.fill(f"{kind % choices}{default}", 96, subsequent_indent=" " * 8)
    return re.sub(rf"{re.escape(kind % place)}\S+", lambda found: line, text)


def _default(cls: type[Any], name: str) -> Any:
    return inspect.signature(cls).parameters[name].default
