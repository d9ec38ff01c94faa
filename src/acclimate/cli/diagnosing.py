"""`acclimate diagnose` and `acclimate rank`: what differs, and which source is worth anything?"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.cli import models
from acclimate.cli.clusters import ClusterAt, connected
from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, console, say
from acclimate.cli.options import AsJson, Drop, Encoder, Id, TaskOption, Trusted, reads_files
from acclimate.exceptions import InputError

COLUMNS = 20  # columns that are listed


@reads_files
def diagnose(
    source: Annotated[Path, typer.Argument(help="Rows of the source: CSV, Parquet, ...")],
    target: Annotated[Path, typer.Argument(help="Rows of the target.")],
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="COLUMN", help="Labels, where a file has them."),
    ] = None,
    id: Id = None,
    drop: Drop = None,
    encoder: Encoder = None,
    task: TaskOption = None,
    alpha: Annotated[
        float, typer.Option("--alpha", help="Chance of a false alarm, over all tests.")
    ] = 0.05,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Makes it reproducible.")] = 0,
    cluster: ClusterAt = None,
    as_json: AsJson = False,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Say whether and how two files differ, worst first, and which methods suit.

    Columns are matched by name. A column that only one file has is a finding, not an error.
    """
    from acclimate.cli.rows import note_identifiers, read_aside, reading_of, say_read
    from acclimate.diagnosis.diagnose import diagnose as run
    from acclimate.report.plain import json_safe
    from acclimate.report.screen import as_rich
    from acclimate.transfer.encoders import word_of

    with connected(cluster) as client, Status("reading") as status:
        reading = reading_of(how)
        first = read_aside(source, label, id, drop or (), reading)
        sides = [first, read_aside(target, label, id, drop or (), reading.like(first))]
        if label is not None and all(side.y is None for side in sides):
            raise InputError(f"neither file has labels in a column {label!r}")
        status.tell("looking for differences")
        domains = [side.domain() for side in sides]
        front = models.encoder(encoder, domains[0].X, (), sounds=first.reading.pictures.sound)
        found = run(
            *domains, task=task, alpha=alpha, random_state=seed, executor=client,
            features=features_of(front, *(one.X for one in domains)),
        )  # fmt: skip
    note_identifiers(first)
    if as_json:
        typer.echo(json.dumps(json_safe(found.to_dict()), indent=1, allow_nan=False))
    else:
        say_read(*sides)
        if front is not None:
            say(f"Encoder: {word_of(front)}")
        console().print(as_rich(found.view(), COLUMNS, "with --json"))


def features_of(front: Any, X: Any, Z: Any) -> tuple[Any, Any] | None:
    """Return what an encoder makes of pictures, or columns of text, of two domains; None without.

    Texts are those of columns that both domains have.
    """
    from acclimate.transfer.encoders import text_settings

    if front is None:
        return None
    if hasattr(X, "columns"):
        from acclimate.tables import TabularPreprocessor

        names = [name for name in X.columns if name in Z.columns]
        settings = text_settings(front, X[names])
        step = TabularPreprocessor(**settings).fit(X[settings["text"]])
        return step.text_features(X), step.text_features(Z)
    if X.shape[1:] != Z.shape[1:]:
        return None
    fitted = front.fit(X)
    return fitted.transform(X), fitted.transform(Z)


@reads_files
def rank(
    target: Annotated[Path, typer.Argument(help="Labelled rows of the target.")],
    candidates: Annotated[
        list[Path],
        typer.Argument(
            help="Labelled files of sources, model files, or words of encoders, such as minilm; "
            "one kind in one run."
        ),
    ],
    label: Annotated[
        str | None, typer.Option("--label", metavar="COLUMN", help="Column with the labels.")
    ] = None,
    id: Id = None,
    drop: Drop = None,
    encoder: Encoder = None,
    task: TaskOption = None,
    layers: Annotated[bool, typer.Option("--layers", help="Rank each layer of a network.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Makes it reproducible.")] = 0,
    trusted: Trusted = None,
    cluster: ClusterAt = None,
    as_json: AsJson = False,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Rank sources, models or encoders by a linear probe on the target, each beside a random body.

    A candidate that probes no better than a body of random weights has nothing to give here. Beside
    encoders of texts stands TF-IDF.
    """
    from acclimate.cli.rows import declared, note_identifiers, read_rows, reading_of, say_read
    from acclimate.cli.stored import load, reading_for
    from acclimate.report.plain import json_safe
    from acclimate.report.screen import as_rich
    from acclimate.transfer.encoders import ENCODERS

    names = [path.name for path in candidates]
    if len(set(names)) < len(names):
        names = [str(path) for path in candidates]
    saved = [path.suffix == ".acclimate" for path in candidates]
    words = [str(path) in ENCODERS and not path.exists() for path in candidates]
    if any(one and not all(kind) for kind in (saved, words) for one in kind):
        raise InputError("rank either sources, models or encoders in one run, not both kinds")
    with connected(cluster) as client, Status("reading") as status:
        reading = reading_of(how)
        if all(saved):  # pictures as the models read them
            pictures = reading_for(load(candidates[0], trusted), how).pictures
            reading = replace(reading, pictures=pictures)
        table = read_rows(target, label=label, need_label=True, id=id, drop=drop or (), how=reading)
        if table.y is None:
            raise InputError(f"{target.name} has no label in any row; ranking needs some")
        X, y = table.labelled_rows()
        if encoder is not None and (all(saved) or all(words)):
            raise InputError(
                "saved models and encoders are ranked as they are; leave out --encoder"
            )
        front = None if encoder is None else models.encoder(encoder, X, ())
        paths = dict(zip(names, candidates, strict=True))
        if all(saved):
            found_X, given = _models(paths, X, trusted)
        elif all(words):
            found_X, given = _encoders(names, X, declared(table).get("text", ()))
        else:
            found_X, given = _sources(paths, X, label, id, reading.like(table), front)
        status.tell("probing")
        from acclimate.transferability.rank import rank as run

        found = run(given, found_X, y, task=task, layers=layers, random_state=seed, executor=client)
    note_identifiers(table)
    if as_json:
        typer.echo(json.dumps(json_safe(found.to_dict()), indent=1, allow_nan=False))
        return
    say_read(table)
    console().print(as_rich(found.view(), COLUMNS, "with --json"))


def _models(paths: dict[str, Path], X: Any, trusted: Collection[str] | None) -> Any:
    """Return the rows as they are, and the models."""
    from acclimate.cli.stored import load

    return X, {name: load(path, trusted) for name, path in paths.items()}


def _encoders(words: list[str], X: Any, text: Sequence[str]) -> Any:
    """Return pictures, or one column of text, and the encoders; of texts TF-IDF as well."""
    from acclimate.tables import TabularPreprocessor
    from acclimate.tables.defaults import text_columns

    fronts = {word: models.encoder(word, X, ()) for word in words}
    if hasattr(X, "columns"):
        names = text_columns(X, text)
        if len(names) > 1:
            raise InputError(
                f"encoders are ranked on one column of text, and there are {', '.join(names)}; "
                f"leave the others out with --drop"
            )
        X = X[names]
        # As many numbers as rows, each at variance 1, put all texts equally far from each other.
        size = max(1, min(50, len(X) // 2))
        fronts["tf-idf"] = TabularPreprocessor(text=names, text_components=size)
    return X, {name: front.fit(X) for name, front in fronts.items()}


def _sources(
    paths: dict[str, Path], X: Any, label: str | None, id: str | None, how: Any, front: Any
) -> Any:
    """Return the rows as numbers, and the sources in the same columns."""
    from acclimate import tables
    from acclimate.cli.rows import read_rows
    from acclimate.domain import Domain
    from acclimate.transfer.encoders import text_settings

    features = list(X.columns) if hasattr(X, "columns") else None
    step = tables.default_preprocess(X) if front is None else front
    if front is not None and features is not None:
        step = tables.default_preprocess(X, **text_settings(front, X))
    encoded = X if step is None else step.fit(X).transform(X)
    sources = {}
    for name, path in paths.items():
        table = read_rows(
            path, label=label, need_label=True, id=id, features=features, how=how
        )  # fmt: skip
        if table.y is None:
            raise InputError(f"{path.name} has no label in any row; a source needs them")
        Xs, ys = table.labelled_rows()
        sources[name] = Domain(Xs if step is None else step.transform(Xs), ys)
    return encoded, sources
