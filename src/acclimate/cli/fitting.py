"""`acclimate fit`: from the user's files to a model in one file."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.base import words
from acclimate.cli import models
from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, check_out, facts, say
from acclimate.cli.held_out import cross_validated, estimate_words
from acclimate.cli.options import Drop, Encoder, Id, NoRows, Share, TaskOption, reads_files
from acclimate.exceptions import InputError, RowsWarning
from acclimate.report.wording import listing, percent

if TYPE_CHECKING:
    pass


@reads_files
def fit(
    source: Annotated[Path, typer.Argument(help="Labelled rows: CSV, Parquet, pictures, ...")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Model file to write.")],
    label: Annotated[
        str | None, typer.Option("--label", metavar="COLUMN", help="Column with the labels.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--target", metavar="FILE", help="Rows to adapt to.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            autocompletion=models.complete_method,
            help="See acclimate methods.",
        ),
    ] = "FineTune",
    estimator: Annotated[
        str | None,
        typer.Option(
            "--estimator",
            autocompletion=models.complete_estimator,
            metavar="NAME",
            help=f"{', '.join(models.ESTIMATORS)}. Default: logistic for classes, ridge for "
            "values; for pictures linear behind an encoder, else cnn.",
        ),
    ] = None,
    encoder: Encoder = None,
    augment: Annotated[
        str | None,
        typer.Option(
            "--augment",
            metavar="WORDS",
            help="Of pictures, how a network sees them changed while it trains, as "
            "flip,crop,colour.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Setting of the method, or of the estimator as estimator__NAME. Repeatable.",
        ),
    ] = None,
    task: TaskOption = None,
    id: Id = None,
    drop: Drop = None,
    class_names: Annotated[
        list[str] | None,
        typer.Option(
            "--class-names",
            metavar="NAME",
            help="What the labels mean, in sorted order of the labels. Repeatable.",
        ),
    ] = None,
    new_classes: Annotated[
        bool,
        typer.Option("--new-classes", help="The target has classes of its own."),
    ] = False,
    estimate: Annotated[
        bool | None,
        typer.Option(
            "--estimate/--no-estimate",
            help="Cross-validate on the target's labels. Default: unless it is a network.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Makes the fit reproducible.")] = 0,
    share: Share = None,
    no_rows: NoRows = False,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Learn from labelled rows and, with --target, adapt to other rows.

    Columns may hold numbers, categories, dates or text, with gaps; they are matched by name. The
    model goes into one file, with a model card. Few models keep rows that they were fitted on; then
    the answer and the card say how many.
    """
    check_out(out, source, target)
    if share and target is None:
        raise InputError("--share is about the rows of --target, and there are none")
    from acclimate.cli import rows as door

    with Status("reading"):
        table = door.read_rows(
            source, label=label, need_label=True, id=id, drop=drop or (),
            how=door.reading_of(how),
        )  # fmt: skip
        if table.y is None:
            raise InputError(f"{source.name} has no label in any row; fit needs labelled rows")
        X, y = table.labelled_rows()
        task, why, y = door.task_of(y, task)
        names = door.class_mapping(y, class_names or ()) if task == "classification" else None
        row = models.method_row(method, task)
        if estimator is None and encoder is None:
            images = door.is_image(X)
            estimator = models.network_for(row, images=images)
            if augment is not None and images:
                estimator = estimator or "cnn"
        front = models.encoder(
            encoder, X, [estimator] if estimator else [], sounds=table.reading.pictures.sound
        )
        if front is not None and estimator is None:
            estimator = "linear"
        base_name, base = models.estimator(estimator, task, images=door.is_image(X))
        preprocess = preprocessing(X, base, front, door.declared(table))
        changes = models.augmented(base, augment) | models.parse_settings(settings or ())
        model = models.build(row, base, preprocess, seed, changes)
        features = list(X.columns) if hasattr(X, "columns") else None
        meta = {
            "label": label, "id": id, "task": task, "estimator": base_name,
            "new_classes": new_classes, "reading": table.reading.noted(),
        }  # fmt: skip
        goal = there = None
        if target is not None:
            there = read_target(target, meta, features, row, door.reading_of(how).like(table))
            goal = door.target_domain(
                there, task=task, classes=None if names is None else list(names), names=names,
                new_classes=new_classes,
            )  # fmt: skip
            goal = door.with_shares(goal, share)
    with Status(f"fitting {row.name}", quiet=base_name in words.NETWORKS):
        model.fit(X, y, target=goal, class_names=names)
    door.note_identifiers(table)
    scores = None
    if estimate is None:
        estimate = base_name not in words.NETWORKS
    if goal is not None and estimate:
        with Status("cross-validating", quiet=base_name in words.NETWORKS):
            scores = cross_validated(model, X, y, goal)
    files = [door.file_entry(source, "source", table)]
    if target is not None:
        files.append(door.file_entry(target, "target", there))
    seen = there if there is not None else table
    path = save(model, out, meta, files, scores, seen, no_rows=no_rows)
    door.say_read(*(one for one in (table, there) if one is not None))
    say(f"Saved {path}")
    facts({
        "model file": rows_words(model),
        "rows": f"{len(y):,} labelled rows of {source.name}" + _unlabelled(table),
        "inputs": _inputs(X, model),
        "encoder": encoder_words(model),
        "task": f"{task}, since {why}" if not why.startswith("as") else f"{task}, {why}",
        "classes": "" if names is None else _counts(y, names),
        **told(model, row, goal, scores),
    })  # fmt: skip


def read_target(
    path: Path, meta: dict[str, Any], features: list[str] | None, row: Any, how: Any,
    fill: Callable[[Any], Any] | None = None,
) -> Any:  # fmt: skip
    """Read the rows to adapt to. The label column may be absent where the method needs none.

    ``fill`` adds the labels of a sheet to those that are there.
    """
    from acclimate.cli.rows import read_rows

    need = row.target_labels == "required" and fill is None
    try:
        table = read_rows(
            path, label=meta["label"], need_label=need and meta["label"] is not None,
            id=meta["id"], features=features, how=how,
        )  # fmt: skip
    except InputError as error:
        if "label column" not in str(error):
            raise
        raise InputError(f"{error}. {_without_labels(path, row, meta)}") from error
    if need and table.y is None:
        raise InputError(f"{path.name} has no label in any row. {_without_labels(path, row, meta)}")
    return table if fill is None else fill(table)


def _without_labels(path: Path, row: Any, meta: dict[str, Any]) -> str:
    """Return what can be done with a target that has no labels."""
    from acclimate.catalogue import methods

    free = [one for one in methods() if one.target_labels != "required" and one.alters]
    alone = [one.name for one in free if not one.needs_source]
    others = [one.name for one in free if one.needs_source]
    called = "".join(f" --{one} {shlex.quote(meta[one])}" for one in ("label", "id") if meta[one])
    return (
        f"{row.name} needs some: acclimate label {path.name}{called} --out SHEET.csv draws "
        f"rows to label, and --labels SHEET.csv takes them. Without labels: acclimate fit SOURCE "
        f"--target {path.name} --method NAME, with one of {', '.join(others)}. Without the "
        f"source's rows at hand, too: acclimate fit SOURCE --method NAME --out MODEL where they "
        f"are, then acclimate adapt MODEL {path.name}, with one of {', '.join(alone)}"
    )


def save(
    model: Any,
    out: Path,
    meta: dict[str, Any],
    files: list[dict[str, Any]],
    scores: dict[str, Any] | None,
    adapted_to: Any,
    verdict: str | None = None,
    no_rows: bool = False,
    choice: str | None = None,
) -> Path:
    """Write a model with its card and with what later commands need to know.

    ``choice`` says how its method was chosen, where it was.
    """
    from acclimate.diagnosis.drift import summarise
    from acclimate.diagnosis.feature_drift import summarise_features
    from acclimate.transfer.encoders import encoded_by

    none = "none claimed: no rows were held out. Run acclimate evaluate on labelled rows"
    card: dict[str, Any] = {
        "title": out.stem, "task": meta["task"], "label": meta["label"], "files": files,
        "scores": scores, "verdict": none if verdict is None else verdict,
    }  # fmt: skip
    if choice is not None:
        card["choice"] = choice
    if encoder_words(model):
        card["encoder"] = encoder_words(model)
    extras = {"table": meta, "drift": summarise(adapted_to.X)}
    features = encoded_by(model, adapted_to.X)
    if features is not None:
        extras["features"] = summarise_features(features)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RowsWarning)  # said in the answer: see rows_words
        path: Path = model.save(out, card=card, extras=extras, rows="refuse" if no_rows else "warn")
    return path


def preprocessing(X: Any, base: Any, front: Any, declared: Mapping[str, Any]) -> Any:
    """Return the preprocessing of inputs; behind an encoder its features, scaled.

    Parameters
    ----------
    X : data frame or ndarray of shape (n, ...)
        Inputs.
    base : estimator
        The base model.
    front : transformer or None
        The encoder, of pictures or of a table's texts.
    declared : mapping
        Settings of a table's preprocessing that the user gave.
    """
    from acclimate import tables
    from acclimate.preprocessing.one_scale import OneScale
    from acclimate.transfer.encoders import before, text_settings

    if front is None:
        return tables.default_preprocess(X, base, **declared)
    if not hasattr(X, "columns"):
        return before(front, OneScale())
    settings = {**declared, **text_settings(front, X, declared.get("text", ()))}
    return tables.default_preprocess(X, base, **settings)


def encoder_words(model: Any) -> str:
    """Return what encodes the pictures or texts that a model reads; nothing where nothing does."""
    from acclimate.transfer.encoders import front_of, word_of

    return word_of(front_of(model))


def rows_words(model: Any) -> str:
    """Say how many rows a model file holds; nothing where it holds none."""
    from acclimate.persistence import held_by
    from acclimate.persistence.held import words

    held = held_by(model)
    return words(held) if held else ""


def told(model: Any, row: Any, goal: Any, scores: dict[str, Any] | None) -> dict[str, str]:
    """Return what a person is told of a fitted model: method, use of the target, evidence."""
    from acclimate.persistence import card_of

    if goal is None:
        used = "none given: this is the source model. Adapt it with acclimate adapt"
    else:
        rows = len(goal.X)
        seen = model.trained_on_.get("target", {}).get("labelled")
        if row.alters and not model.adapted_:
            used = "nothing: the source model as it is"
        elif not row.alters:
            used = f"nothing: {row.name} is the source model as it is"
        elif row.target_labels == "ignored" or (not seen):
            used = f"the inputs of {rows:,} rows of {goal.name}; no label"
        elif row.target_labels == "required":
            used = f"{seen:,} labelled of {rows:,} rows of {goal.name}"
        else:
            used = f"the inputs of {rows:,} rows of {goal.name} and {seen:,} labels"
    return {
        "method": method_words(card_of(model)),
        "target": used,
        "estimate": estimate_words(scores),
        "verdict": "none without rows held out; see acclimate evaluate --help",
    }


def method_words(card: Mapping[str, Any]) -> str:
    """Return method and base model of a card; of a committee its members with their weights.

    Examples
    --------
    >>> method_words({"method": "CORAL", "estimator": "Ridge"})
    'CORAL on Ridge'
    >>> method_words({"method": "Committee", "members": {"a": 0.25, "b": 0.75}})
    'Committee of b 75 % and a 25 %'
    """
    members = card.get("members")
    if not isinstance(members, dict) or not members:
        base = card.get("estimator")
        return f"{card.get('method')} on {base}" if base else str(card.get("method"))
    heaviest = sorted(members.items(), key=lambda pair: -pair[1])
    told = [f"{name} {percent(weight, 0)}" for name, weight in heaviest]
    return f"{card.get('method')} of {listing(told)}"


def _unlabelled(table: Any) -> str:
    rest = 0 if table.labelled is None else int((~table.labelled).sum())
    return f"; {rest:,} rows without a label were left out" if rest else ""


def _inputs(X: Any, model: Any) -> str:
    kinds = getattr(model.preprocess_, "kinds_", None)
    if kinds is None or not hasattr(X, "columns"):
        return f"arrays of shape {tuple(X.shape[1:])}"
    groups: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        groups.setdefault(kind, []).append(name)
    parts = [
        f"{len(names)} {kind} ({', '.join(names[:6])}{', ...' if len(names) > 6 else ''})"
        for kind, names in groups.items()
    ]
    return f"{len(kinds)} columns: {'; '.join(parts)}"


def _counts(y: Any, names: dict[Any, str]) -> str:
    import numpy as np

    found = dict(zip(*(part.tolist() for part in np.unique(y, return_counts=True)), strict=True))
    shown = [f"{name} {found.get(label, 0):,}" for label, name in list(names.items())[:12]]
    return ", ".join(shown) + (", ..." if len(names) > 12 else "")
