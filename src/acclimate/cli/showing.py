"""`acclimate show` and `acclimate check`: what is in a model file, and does it still hold?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.cli.clusters import ClusterAt
from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, console, errors_as_json, facts, judge, say
from acclimate.cli.options import AsJson, Trusted, reads_new_files
from acclimate.exceptions import InputError


def show(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    as_json: AsJson = False,
) -> None:
    """Print the model card: what the model is, what it was trained on, and how it was scored."""
    from acclimate.persistence import read_card

    card = read_card(model)
    if as_json:
        typer.echo(json.dumps(card, indent=1))
        return
    from acclimate.cli.fitting import method_words
    from acclimate.cli.held_out import estimate_words
    from acclimate.persistence.held import words

    trained = card.get("trained_on") or {}
    files = {one.get("role"): one for one in card.get("files") or ()}
    label = f" of {card['label']!r}" if card.get("label") else ""
    known = ("title", "method", "estimator", "members", "adapted", "trained_on", "versions",
             "acclimate", "created", "files", "scores", "verdict", "task", "label",
             "rows")  # fmt: skip
    say(f"{model.name}: {card.get('title') or card.get('method')}")
    pairs = "pairs" in trained  # of two modalities: neither a source nor a target
    facts({
        "method": str(card.get("method")) if pairs else method_words(card),
        "task": f"{card['task']}{label}" if card.get("task") else "",
        "source": _side(trained.get("source"), files.get("source")),
        "target": _side(trained.get("target"), files.get("target"))
        or ("" if pairs else "none: a source model, not adapted"),
        "pairs": str(trained.get("pairs", "")),
        "estimate": "" if pairs else _scores(card.get("scores"), estimate_words),
        "verdict": "" if pairs else str(card.get("verdict") or "none in the card"),
        "random state": str(trained.get("random_state", "")),
        "rows": words(card["rows"]) if isinstance(card.get("rows"), dict) else "",
        "saved": f"{card.get('created')} by acclimate {card.get('acclimate')}",
        "versions": ", ".join(f"{k} {v}" for k, v in (card.get("versions") or {}).items()),
        **{key: _plain(value) for key, value in card.items() if key not in known},
    })  # fmt: skip


@reads_new_files
def check(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    rows: Annotated[
        Path,
        typer.Argument(
            help="New rows, labelled or not; - for standard input; or a folder of Parquet files."
        ),
    ],
    alpha: Annotated[
        float, typer.Option("--alpha", help="Chance of a false alarm, over all columns.")
    ] = 0.01,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Of a folder: write a JSON file for each."),
    ] = None,
    trusted: Trusted = None,
    cluster: ClusterAt = None,
    as_json: AsJson = False,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Ask whether new inputs are still what the model was adapted to.

    The exit code is 0 where it holds, 3 where inputs have drifted and 4 where there are too few
    rows to tell. Labels are not looked at: see acclimate evaluate. With --json an error is JSON,
    too: its exit code and its message. Of a folder of Parquet files each is checked, with
    --cluster by its workers, and the worst finding decides; with --out what is there and newer is
    not done again.
    """
    from acclimate.cli import many_files
    from acclimate.cli.checking import checked, read_known, reference_of
    from acclimate.cli.piped import rows_of
    from acclimate.cli.rows import say_read
    from acclimate.cli.stored import load

    with errors_as_json(as_json), Status("checking"):
        folder = many_files.is_folder(rows, cluster)
        if out is not None and not folder:
            raise InputError(f"--out is for a folder of Parquet files, and {str(rows)!r} is none")
        adapter = load(model, trusted)
        reference = reference_of(adapter, model.name)
        if folder:
            every = many_files.check(adapter, reference, model, rows, out, alpha, how, cluster)
        else:
            with rows_of(rows) as path:
                table = read_known(adapter, path, how)
            found = checked(adapter, reference, table.X, alpha)
    if folder:
        many_files.show(*every, as_json)
        return
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1, allow_nan=False))
    else:
        say_read(table)
        _show_drift(found)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


def _show_drift(found: Any) -> None:
    """Print the finding, and the columns in the order of their shift."""
    from rich import box
    from rich.table import Table

    from acclimate.report.wording import chance, look_of

    judge(look_of(found.word), found.sentence())
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("column", overflow="fold")
    table.add_column("finding")
    for title in ("shift", "PSI", "p", "missing before", "now"):
        table.add_column(title, justify="right")
    ordered = sorted(found.columns, key=lambda one: -(one.shift or 0.0))
    ordered.sort(key=lambda one: one.word in ("same", "not tested"))
    for one in ordered[:20]:
        table.add_row(
            one.name, one.word, _figure(one.shift), _figure(one.psi),
            "" if one.p is None else chance(one.p),
            f"{one.missing_before:.0%}", f"{one.missing_now:.0%}",
        )  # fmt: skip
    console().print(table)
    if len(ordered) > 20:
        say(f"... and {len(ordered) - 20} more columns; see --json")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _side(rows: dict[str, Any] | None, file: dict[str, Any] | None) -> str:
    if not rows:
        return ""
    some = rows.get("labelled")
    pictures = file.get("pictures") if file else None
    sounds = pictures is not None and " sound" in pictures.partition(",")[0]
    shape = () if sounds else rows.get("shape")
    seen = pictures_words(file["rows"] if file else rows.get("rows"), shape)
    if seen:
        _, *notes = (pictures or "").split("; ")
        parts = ["; ".join([f"{seen} of {file['name']}" if file else seen, *notes])]
    elif file and pictures:
        parts = [f"{file['name']}: {pictures}"]
    else:
        parts = [f"{rows.get('rows'):,} rows" + (f" of {file['name']}" if file else "")]
    if some is not None:
        parts.append(f"{some:,} labelled")
    if rows.get("features") and not pictures and not seen:
        parts.append(f"{rows['features']} inputs")
    classes = rows.get("class_names") or rows.get("classes")
    if classes:
        shown = ", ".join(str(one) for one in classes[:8])
        parts.append(f"classes {shown}{', ...' if len(classes) > 8 else ''}")
    return ("; " if pictures or seen else ", ").join(parts)


def pictures_words(rows: Any, shape: Any) -> str:
    """Say what pictures a model saw; nothing where rows of such a shape are none.

    Examples
    --------
    >>> pictures_words(720, [3, 48, 64]), pictures_words(1, [28, 28]), pictures_words(5, [4])
    ('720 colour pictures of 64 x 48', '1 grey picture of 28 x 28', '')
    """
    sides = list(shape or ())
    if len(sides) not in (2, 3) or (len(sides) == 3 and sides[0] not in (1, 3)):
        return ""
    kind = "colour" if len(sides) == 3 and sides[0] == 3 else "grey"
    plural = "" if rows == 1 else "s"
    return f"{rows:,} {kind} picture{plural} of {sides[-1]} x {sides[-2]}"


def _scores(scores: Any, words: Any) -> str:
    if isinstance(scores, dict) and {"metric", "scores", "kind", "rows"} <= set(scores):
        return str(words(scores))
    return _plain(scores) if scores else "none in the card"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
