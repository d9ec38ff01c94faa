"""`acclimate predict`: a file of rows in, a file of predictions out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.cli.clusters import ClusterAt
from acclimate.cli.config import Config, PrintConfig
from acclimate.cli.console import Status, check_out, say
from acclimate.cli.options import Share, Trusted, reads_new_files
from acclimate.exceptions import InputError


@reads_new_files
def predict(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    rows: Annotated[
        Path,
        typer.Argument(
            help="Rows to predict, of any number; - for standard input; a folder of Parquet files."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="File to write: .csv, .tsv or .parquet; - for CSV on standard output. For a "
            "folder a folder.",
        ),
    ],
    proba: Annotated[bool, typer.Option("--proba", help="Write class probabilities, too.")] = False,
    top: Annotated[
        int,
        typer.Option(
            "--top",
            metavar="NUMBER",
            min=0,
            help="Write so many of the most probable classes with their probabilities, too.",
        ),
    ] = 0,
    id: Annotated[
        str | None,
        typer.Option("--id", metavar="COLUMN", help="Identifiers. Default: the column of the fit."),
    ] = None,
    domain: Annotated[
        str, typer.Option("--domain", help="target or source: where the rows come from.")
    ] = "target",
    share: Share = None,
    trusted: Trusted = None,
    cluster: ClusterAt = None,
    config: Config = None,
    print_config: PrintConfig = False,
    *,
    how: dict[str, Any],
) -> None:
    """Predict the rows of a file, in their order and with their identifiers.

    Files larger than memory go through in batches. The result appears when it is complete; until
    then, and if anything fails, what was there before stays. Of a folder of Parquet files each is
    predicted into one of the same name, with --cluster by its workers; what is there and newer is
    not done again.
    """
    if domain not in ("target", "source"):
        raise InputError(f"--domain must be target or source, got {domain!r}")
    if share and domain == "source":
        raise InputError("--share is about rows of the target; leave it out with --domain source")
    from acclimate import tables
    from acclimate.cli import many_files
    from acclimate.cli.piped import is_piped, result_to, rows_of
    from acclimate.cli.rows import reading_of
    from acclimate.cli.stored import load, settings_of
    from acclimate.shares import parse_shares
    from acclimate.tables.predictions import mean_proba

    folder = many_files.is_folder(rows, cluster)
    if not folder and not is_piped(out):
        check_out(out, rows, model)
    with Status("reading") as status:
        adapter = load(model, trusted)
        shares = parse_shares(share or ())
        reading = reading_of(how)
        answers = adapter if domain == "target" else AsSource(adapter)
    if folder:
        answers = answers if shares is None else adapter._with_shares(shares)
        options = {"id": id, "proba": proba, "top": top, "how": reading}
        many_files.predict(answers, model, rows, out, cluster, **options)
        return
    told: list[str] = []
    with Status("reading") as status, rows_of(rows) as path, result_to(out) as goal:
        if shares is not None:
            answers = adapter._with_shares(
                shares, lambda unmoved: mean_proba(unmoved, path, how=reading)
            )
        known = id or _identifier(path, settings_of(adapter)["id"], reading)
        done = tables.predict_file(
            answers, path, goal, id=known, proba=proba, top=top, how=reading,
            tell=lambda count: status.tell(f"{count:,} rows predicted"), told=told.append,
        )  # fmt: skip
    if is_piped(out):
        return
    for words in told:
        say(f"Read {rows.name}: {words}")
    say(f"Wrote {done:,} predictions to {out}")


class AsSource:
    """A method that takes new rows for rows of the source.

    Parameters
    ----------
    adapter : Adapter
        Fitted.
    """

    def __init__(self, adapter: Any) -> None:
        self.adapter = adapter
        answering = adapter._source_after or adapter.source_model_
        if hasattr(answering, "classes_"):
            self.classes_ = answering.classes_

    def __reduce__(self) -> Any:
        return AsSource, (self.adapter,)  # to a worker

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.adapter, name)
        if name in ("predict", "predict_proba"):
            return lambda X: value(X, domain="source")
        return value


def _identifier(path: Path, noted: str | None, how: Any) -> str | None:
    """Return the identifier column of the fit where this file has it, too."""
    from acclimate.tables.reading import kind_of
    from acclimate.tables.streaming import column_names

    if noted is None or kind_of(path) not in ("csv", "parquet", "arrow", "excel"):
        return None
    return noted if noted in column_names(path, how) else None
