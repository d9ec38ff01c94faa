"""`acclimate compare`, `resume` and `report`: which method, and is it worth it?

Longer than other files: each option of `compare` is declared here.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import shlex
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli import models
from acclimate.cli.clusters import AllowVersions, ClusterAt, connected
from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import EXIT_STOPPED, Status, check_out, console, say
from acclimate.cli.options import (
    FILE,
    KINDS,
    PICTURES,
    Drop,
    Encoder,
    Id,
    Jobs,
    Labels,
    Metric,
    NoRows,
    Positive,
    Share,
    Single,
    TaskOption,
    Threshold,
    reads_files,
    seconds_of,
)
from acclimate.exceptions import InputError

if TYPE_CHECKING:
    from acclimate.report.compared import Compared

ROWS = 12  # of a table that are printed
WRITING, RENDERING = 1.5, 0.5  # seconds of a budget that are kept for the model file and the report
Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Write a report.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Save the recommended model, fitted on all rows and labels."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@reads_files
def compare(
    source: Annotated[Path, typer.Option("--source", metavar="FILE", help="Labelled rows.")],
    target: Annotated[
        Path, typer.Option("--target", metavar="FILE", help="Rows of the target, labelled or not.")
    ],
    label: Annotated[
        str | None, typer.Option("--label", metavar="COLUMN", help="Column with the labels.")
    ] = None,
    id: Id = None,
    drop: Drop = None,
    sources: Annotated[
        str | None,
        typer.Option("--sources", metavar="COLUMN", help="Which source each source row is from."),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="COLUMN", help="Show harm by this column of the target."),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            autocompletion=models.complete_method,
            metavar="NAME",
            help="Try this one. Repeatable. Default: the standards of few labels; else all "
            "that fit.",
        ),
    ] = None,
    estimator: Annotated[
        list[str] | None,
        typer.Option(
            "--estimator",
            autocompletion=models.complete_estimator,
            metavar="NAME",
            help=f"{', '.join(models.ESTIMATORS)}. Repeatable. Default with labels in a table: "
            "linear, boosting, trees, forest; else a linear one.",
        ),
    ] = None,
    encoder: Encoder = None,
    networks: Annotated[
        bool, typer.Option("--networks", help="Also methods that train networks.")
    ] = False,
    single: Single = False,
    task: TaskOption = None,
    metric: Metric = None,
    positive: Positive = None,
    threshold: Threshold = None,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget", metavar="TIME", help="Most time, the last fit in it: 90s, 10m or 2h."
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, help="Most fits; the baselines run in any case."),
    ] = None,
    folds: Annotated[int, typer.Option("--folds", min=3, help="Of the labelled rows.")] = 5,
    repeats: Annotated[
        int | None,
        typer.Option("--repeats", min=1, help="Of the folds. Default: 1, and 3 with --single."),
    ] = None,
    jobs: Jobs = None,
    cluster: ClusterAt = None,
    allow_versions: AllowVersions = "same",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Makes it reproducible.")] = 0,
    report: Report = None,
    out: Out = None,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store",
            metavar="FILE.sqlite",
            help="Every fit is kept here, so that a stopped run goes on. Default: by the names "
            "of the files, in this folder.",
        ),
    ] = None,
    share: Share = None,
    labels: Labels = None,
    no_rows: NoRows = False,
    as_json: AsJson = False,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Try the methods that fit, recommend one or none, and say how sure that is.

    With labels in the target, what is picked is judged on rows that picked nothing. Without any,
    the gain is an estimate, and you are told which rows to label. "Do not transfer" is an answer.
    """
    asked: dict[str, Any] = {
        "source": str(source), "target": str(target), "label": label, "id": id,
        "drop": list(drop or ()), "sources": sources,
        "group": group, "method": list(method or ()), "estimator": list(estimator or ()),
        "encoder": encoder,
        "networks": networks, "single": single, "task": task, "metric": metric,
        "positive": positive, "threshold": threshold, "budget": budget,
        "trials": trials, "folds": folds, "repeats": repeats, "seed": seed,
        "share": list(share or ()), "labels": None if labels is None else str(labels), **how,
    }  # fmt: skip
    store = store or Path(f"compare-{_stem(source)}-{_stem(target)}.sqlite")
    where = {"n_jobs": jobs, "cluster": cluster, "allow_versions": allow_versions}
    _run(asked, store, report, where, as_json, out=out, no_rows=no_rows)


def resume(
    store: Annotated[Path, typer.Argument(help="Store of acclimate compare.")],
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="TIME", help="Another limit of time.")
    ] = None,
    jobs: Jobs = None,
    cluster: ClusterAt = None,
    allow_versions: AllowVersions = "same",
    report: Report = None,
    out: Out = None,
    no_rows: NoRows = False,
    as_json: AsJson = False,
    config: Config = None,
    print_config: PrintConfig = False,
) -> None:
    """Go on with a comparison that was stopped, on the same files with the same settings.

    Fits that are in the store are not run again.
    """
    from acclimate.cli.rows import sha256
    from acclimate.cli.stores import opened

    with opened(store) as kept:
        command = kept.meta("command")
    if command is None:
        raise InputError(
            f"{store.name} was not written by acclimate compare; call compare(..., store=) in "
            f"Python with the same data"
        )
    for role, known in command["files"].items():
        path = Path(known["path"])
        if not path.exists():
            raise InputError(f"the {role} file {str(path)!r} of this comparison is gone")
        if known["sha256"] is not None and sha256(path) != known["sha256"]:
            raise InputError(
                f"the {role} file {str(path)!r} has changed since; run acclimate compare again"
            )
    asked = command["asked"] | ({"budget": budget} if budget is not None else {})
    asked |= {role: known["path"] for role, known in command["files"].items()}
    where = {"n_jobs": jobs, "cluster": cluster, "allow_versions": allow_versions}
    _run(asked, store, report, where, as_json, command["line"], out, no_rows)


def report(
    store: Annotated[Path, typer.Argument(help="Store of acclimate compare.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.html", help="Report to write.")],
    as_json: AsJson = False,
) -> None:
    """Write the report of a store, of a finished run or of what there is so far."""
    from acclimate.cli.stores import read

    check_out(out, store)
    found, diagnosis = read(store)
    _write(out, found, diagnosis)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1, allow_nan=False))
    else:
        say(f"Report: {out}")


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def _run(
    asked: dict[str, Any], store: Path, report: Path | None, where: dict[str, Any], as_json: bool,
    line: str | None = None, out: Path | None = None, no_rows: bool = False,
) -> None:  # fmt: skip
    """Compare, and print and write what came of it, also where Ctrl-C stopped it.

    ``where`` says what runs the fits: ``n_jobs``, ``cluster`` and ``allow_versions``.
    """
    from acclimate.cli import recommended, stores
    from acclimate.cli import rows as door
    from acclimate.comparison.compare import compare as run
    from acclimate.comparison.trials.cluster import count_workers
    from acclimate.comparison.trials.runner import counted_from
    from acclimate.transfer.encoders import word_of

    begun, limit = time.monotonic(), seconds_of(asked["budget"])
    source, target = Path(asked["source"]), Path(asked["target"])
    labels = [] if asked.get("labels") is None else [Path(asked["labels"])]
    check_out(store, source, target, *labels)
    if report is not None:
        check_out(report, source, target, store, *labels)
    if out is not None:
        check_out(out, source, target, store, report, *labels)
    with Status("reading"):
        data = _read(asked)
        stores.begin(store, asked, line or command_line(asked, store, report, out))
        if report is not None:
            _diagnose(data, store)
    comparison = None
    with connected(where.pop("cluster")) as client, Status("comparing") as status:

        def tell(done: int, planned: int, last: dict[str, Any]) -> None:
            words = f"{done} of {planned} fits: {last['candidate']}{_figures(last)}"
            status.tell(words, done / max(planned, 1))

        after = WRITING * (out is not None) + RENDERING * (report is not None)
        with contextlib.suppress(KeyboardInterrupt), counted_from(begun - after):
            _load_early(report, out, beside=count_workers(client, where["n_jobs"]) > 1)
            comparison = run(
                data["source"], data["target"], estimator=data["estimators"], task=data["task"],
                preprocess=data["preprocess"], encoder=data["encoder"],
                methods=asked["method"] or None, networks=data["networks"],
                committee=_weighs(asked), domains=data["domains"], groups=data["groups"],
                budget=limit, trials=asked["trials"], folds=asked["folds"],
                repeats=asked["repeats"], store=store, random_state=asked["seed"],
                metric=asked.get("metric"), positive=asked.get("positive"),
                threshold=asked.get("threshold"), progress=tell, executor=client, **where,
            )  # fmt: skip
        if comparison is not None and out is not None and client is not None:
            comparison.best_model()  # while the cluster is there to fit its members
    if comparison is not None:
        stores.name_rows(store, data["tables"][1], asked["id"], data["why"], no_rows=no_rows)
    found, diagnosis = stores.read(store)
    if report is not None:
        _write(report, found, diagnosis)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1, allow_nan=False))
    else:
        door.say_read(*data["tables"])
        if data["encoder"] is not None:
            say(f"Encoder: {word_of(data['encoder'])}")
        _show(found)
        if report is not None:
            say(f"Report: {report}")
        say(f"Store: {store}")
    if comparison is None:
        words = ["acclimate", "resume", str(store), *(["--out", str(out)] if out else [])]
        typer.echo(f"acclimate: go on with: {shlex.join(words)}", err=True)
        raise typer.Exit(EXIT_STOPPED)
    if out is not None:
        held = recommended.save(comparison, found, data, out, no_rows)
        if not as_json:
            say(recommended.told(found, out, held))


def _load_early(report: Path | None, out: Path | None, *, beside: bool) -> None:
    """Import what writes the results while worker processes run the trials, else before.

    Beside trials of this process a thread would show them halves of modules, which SciPy asks for
    what they do not have yet.
    """
    wanted = [
        *(["skops.io"] if out else []),
        *(["acclimate.report.comparison_page"] if report else []),
    ]

    def load() -> None:
        with contextlib.suppress(ImportError):  # told where it is needed
            for name in wanted:
                importlib.import_module(name)

    if wanted and beside:
        threading.Thread(target=load, daemon=True).start()
    else:
        load()


def _weighs(asked: dict[str, Any]) -> bool | None:
    """Tell whether candidates are weighed; stores of earlier versions say it the other way."""
    if "single" in asked:
        return False if asked["single"] else None
    return bool(asked.get("committee", False))


def _figures(trial: dict[str, Any]) -> str:
    """Return the last figures of a trial that trained a network, in a few words."""
    training = trial.get("training")
    if not training:
        return ""
    last, told = training["epochs"][-1], []
    if "domain_accuracy" in last:
        told.append(f"discriminator {last['domain_accuracy']:.2f}")
    if "a_distance" in last:
        told.append(f"A-distance {last['a_distance']:.2f}")
    losses = [name for name in last if name in ("task", "loss")]
    told[:0] = [f"{name} {last[name]:.2g}" for name in losses[:1]]
    return f", {' '.join(told)}" if told else ""


def _read(asked: dict[str, Any]) -> dict[str, Any]:
    """Read both files, and choose base models and preprocessing for them."""
    import numpy as np

    from acclimate import tables
    from acclimate.cli import rows as door
    from acclimate.domain import Domain
    from acclimate.tables.to_label import filled

    source, target = Path(asked["source"]), Path(asked["target"])
    aside = [name for name in (asked["sources"],) if name is not None]
    how = door.reading_of({name: asked.get(name) for name in (*FILE, *KINDS, *PICTURES)})
    table = door.read_rows(
        source, label=asked["label"], need_label=True, id=asked["id"],
        drop=[*asked["drop"], *aside], how=how,
    )  # fmt: skip
    if table.y is None:
        raise InputError(f"{source.name} has no label in any row; compare needs a labelled source")
    X, y = table.labelled_rows()
    task, why, y = door.task_of(y, asked["task"])
    names = door.class_mapping(y, ()) if task == "classification" else None
    features = list(X.columns) if hasattr(X, "columns") else None
    there = door.read_rows(
        target, label=asked["label"], id=asked["id"], features=features, how=how.like(table),
    )  # fmt: skip
    if asked.get("labels") is not None:
        there = filled(
            there, Path(asked["labels"]), id=asked["id"], label=asked["label"],
            classes=None if names is None else list(names),
        )  # fmt: skip
    door.note_identifiers(table)
    images = door.is_image(X)
    goal = door.target_domain(
        there, task=task, classes=None if names is None else list(names), names=names,
        new_classes=False,
    )  # fmt: skip
    goal = door.with_shares(goal, asked.get("share"))
    domains = groups = None
    if asked["sources"] is not None:
        domains = _column(source, asked["sources"], how, table)
        if table.labelled is not None:
            domains = domains[np.flatnonzero(table.labelled)]
    if asked["group"] is not None:
        groups = _column(target, asked["group"], how, there)
    front = models.encoder(
        asked.get("encoder"), X, asked["estimator"], networks=asked["networks"],
        sounds=table.reading.pictures.sound,
    )  # fmt: skip
    networks = asked["networks"] or (images and front is None)
    preprocess = tables.default_preprocess(X, **door.declared(table))
    return {
        "source": Domain(X, y, class_names=names, name=source.name), "target": goal,
        "estimators": _estimators(asked["estimator"], task, images),
        "preprocess": "auto" if images and front is not None else preprocess, "encoder": front,
        "task": task, "why": why, "networks": networks, "domains": domains, "groups": groups,
        "tables": (table, there), "asked": asked,
    }  # fmt: skip


def _column(path: Path, name: str, how: Any, read: Any) -> Any:
    """Return one column of a file as an array of shape (n,), for the rows that were read."""
    from acclimate.cli.rows import read_rows

    table = read_rows(path, features=[name], how=replace(how, of_another=True))
    values = table.X[name].to_numpy()
    return values if read.kept is None else values[read.kept]


def _estimators(names: Sequence[str], task: str, images: bool) -> dict[str, Any] | None:
    """Return base models by name; None leaves the choice to `compare`."""
    if not names:
        return None
    return dict(models.estimator(name, task, images=images) for name in names)


def _diagnose(data: dict[str, Any], store: Path) -> None:
    """Keep what differs between the domains in the store, for the report."""
    from acclimate.cli.diagnosing import features_of
    from acclimate.cli.stores import keep
    from acclimate.diagnosis.diagnose import diagnose
    from acclimate.exceptions import AcclimateError
    from acclimate.tables import describe

    read = [
        {"file": table.path.name, **asdict(one)}
        for table in data["tables"]
        for one in describe(table)
    ]
    try:
        features = features_of(data["encoder"], data["source"].X, data["target"].X)
        found = diagnose(
            data["source"], data["target"], task=data["task"], features=features
        ).to_dict()  # fmt: skip
        keep(store, "diagnosis", found | {"read": read})
    except AcclimateError:  # the report does without
        keep(store, "diagnosis", None)


def command_line(
    asked: dict[str, Any], store: Path, report: Path | None, out: Path | None = None
) -> str:
    """Return the command that asks the same; defaults are left out.

    Examples
    --------
    >>> asked = {"source": "my rows.csv", "target": "b.csv", "label": "y", "drop": ["z"],
    ...          "networks": True, "folds": 5, "repeats": 1, "seed": 0, "budget": None}
    >>> command_line(asked, Path("run.sqlite"), None)
    "acclimate compare --source 'my rows.csv' --target b.csv --label y --drop z --networks --repeats
    1 --store run.sqlite"
    """
    defaults = {"folds": 5, "seed": 0}
    words = ["acclimate", "compare"]
    for name, value in (asked | {"report": report, "out": out, "store": store}).items():
        if value is None or value is False or value == defaults.get(name):
            continue
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
            continue
        for one in value if isinstance(value, list) else [value]:
            words += [f"--{name.replace('_', '-')}", str(one)]
    return shlex.join(words)


def _show(found: Compared) -> None:
    """Print what to do, why, and the best candidates."""
    from acclimate.report.comparison_view import comparison_view
    from acclimate.report.screen import as_rich

    console().print(as_rich(comparison_view(found), ROWS, "in the report and with --json"))


def _write(path: Path, found: Compared, diagnosis: dict[str, Any] | None) -> None:
    from acclimate.report import render_comparison, write_text_atomic

    write_text_atomic(path, render_comparison(found, diagnosis=diagnosis))
