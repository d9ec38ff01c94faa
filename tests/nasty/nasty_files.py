"""The table of nasty files: what is written to the disk, and what is right for it."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from nasty_inputs import plain

# to diagnose, what is infinite is missing
_INF = {"diagnose": "", "else": "inf|1e400"}
WORDS = ("no", "yes")


@dataclass(frozen=True)
class File:
    """Two tables of the same odd kind.

    Parameters
    ----------
    change : function
        Gets a table as text, with the header ``a,b,c,label``, and returns what the file holds; None
        means that it writes by itself, given the path.
    ending : str
        Of the file's name.
    settings : mapping
        Settings of `tables.read`, which the command line has as options.
    error : str or mapping from consumer to str
        What the message has to match; empty where the file is read.
    write : function
        Writes at a path, in place of ``change``.
    floor : float
        Least accuracy on the target's rows.
    """

    change: Callable[[str], Any] = lambda text: text
    ending: str = ".csv"
    settings: Mapping[str, Any] = field(default_factory=dict)
    error: str | Mapping[str, str] = ""
    write: Callable[[Path, str], object] | None = None
    floor: float = 0.8

    def make(self, folder: Path) -> tuple[Path, Path]:
        """Write both files and return where they are."""
        case = plain()
        paths = []
        for name, X, y in (("here", case.X, case.y), ("there", case.Xt, case.yt)):
            text = "a,b,c,label\n" + "".join(
                ",".join([*(f"{cell:.4f}" for cell in row), WORDS[k]]) + "\n"
                for row, k in zip(X, y, strict=True)
            )
            path = folder / f"{name}{self.ending}"
            if self.write is not None:
                self.write(path, text)
            else:
                held = self.change(text)
                path.write_bytes(held.encode() if isinstance(held, str) else held)
            paths.append(path)
        return paths[0], paths[1]


def replaced(old: str, new: str, count: int = -1) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, count)


def head(names: str) -> Callable[[str], str]:
    """Return a function that puts other names on top."""
    return lambda text: names + "\n" + text.partition("\n")[2]


def row(number: int, line: str) -> Callable[[str], str]:
    """Return a function that puts a line in place of another; the header has the number 0."""

    def change(text: str) -> str:
        lines = text.split("\n")
        lines[number] = line
        return "\n".join(lines)

    return change


def further(name: str, cell: Callable[[int], str]) -> Callable[[str], str]:
    """Return a function that puts one more column in front."""

    def change(text: str) -> str:
        lines = text.rstrip("\n").split("\n")
        cells = [name, *(cell(k) for k in range(len(lines) - 1))]
        return "".join(f"{new},{line}\n" for new, line in zip(cells, lines, strict=True))

    return change


def encoded(encoding: str) -> Callable[[str], bytes]:
    return lambda text: text.replace("a,b", "ä,b", 1).encode(encoding)


def semicolons(text: str) -> str:
    return text.replace(",", ";").replace(".", ",")


def _wide(path: Path, text: str) -> None:
    lines = text.rstrip("\n").split("\n")
    names = ",".join(f"w{k}" for k in range(5_000))
    zeros = ",0" * 5_000
    path.write_text("".join(
        f"{line},{names}\n" if k == 0 else f"{line}{zeros}\n" for k, line in enumerate(lines)
    ))  # fmt: skip


def _zip(text: str) -> bytes:
    held = BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("here.csv", text)
    return held.getvalue()


def _folder(path: Path, text: str) -> None:
    path.mkdir()


def _pipe(path: Path, text: str) -> None:
    os.mkfifo(path)


def _link_to_nothing(path: Path, text: str) -> None:
    path.symlink_to(path.with_name("gone"))


def _link_to_itself(path: Path, text: str) -> None:
    path.symlink_to(path)


def _nothing(path: Path, text: str) -> None:
    """Write no file."""


def _frame(text: str) -> Any:
    import pandas as pd

    return pd.read_csv(pd.io.common.StringIO(text))


def _parquet(change: Callable[[Any], Any]) -> Callable[[Path, str], object]:
    return lambda path, text: change(_frame(text)).to_parquet(path)


def _npz(path: Path, text: str) -> None:
    np.savez(path, X=np.array([{"a": 1}], dtype=object), y=np.array([1]))


FILES: dict[str, Callable[[], File]] = {
    # --- bytes
    "plain": lambda: File(),
    "an empty file": lambda: File(lambda text: "", error="empty|no columns|header"),
    "a file of one line break": lambda: File(lambda text: "\n", error="."),
    "a file of blanks": lambda: File(lambda text: "   \n  \n", error="."),
    "header only": lambda: File(lambda text: "a,b,c,label\n", error="no rows"),
    "no header": lambda: File(lambda text: text.partition("\n")[2], error="label"),
    "a header twice": lambda: File(
        lambda text: text.partition("\n")[0] + "\n" + text, error="label|mix|'a'"
    ),
    "one row": lambda: File(
        lambda text: "\n".join(text.split("\n")[:2]), error={"diagnose": "", "else": "class"}
    ),
    "a byte order mark": lambda: File(lambda text: "﻿" + text),
    "UTF-16 unsaid": lambda: File(encoded("utf-16"), error="utf-?16|encoding"),
    "UTF-16 said": lambda: File(encoded("utf-16"), settings={"encoding": "utf-16"}),
    "UTF-32 unsaid": lambda: File(encoded("utf-32"), error="encoding"),
    "Latin-1 unsaid": lambda: File(encoded("latin-1"), error="encoding"),
    "Latin-1 said": lambda: File(encoded("latin-1"), settings={"encoding": "latin-1"}),
    "an encoding that does not exist": lambda: File(
        settings={"encoding": "utf-99"}, error="utf-99"
    ),
    "NUL in a cell": lambda: File(row(3, "1.0,\0,2.0,no")),
    "only NUL": lambda: File(lambda text: "\0" * 1000, error="."),
    "random bytes": lambda: File(
        lambda text: np.random.default_rng(0).bytes(5000), error="."
    ),
    "CRLF": lambda: File(replaced("\n", "\r\n")),
    "CR": lambda: File(replaced("\n", "\r")),
    "no line break at the end": lambda: File(lambda text: text.rstrip("\n")),
    "blank lines": lambda: File(replaced("\n", "\n\n")),
    "a blank line at the end": lambda: File(lambda text: text + "\n\n"),
    "Ctrl-Z at the end": lambda: File(lambda text: text + "\x1a", error="."),
    # --- rows and quotes
    "a row with too few cells": lambda: File(row(5, "1.0,2.0"), error="line 6|row"),
    "a row with too many cells": lambda: File(row(5, "1,2,3,no,5"), error="line 6|row"),
    "a comma at the end of rows": lambda: File(replaced("\n", ",\n"), error=""),
    "quotes around all": lambda: File(
        lambda text: "\n".join('"' + line.replace(",", '","') + '"' for line in text.split("\n")
                               if line)
    ),
    "a quote that is not closed": lambda: File(row(5, '"1.0,2.0,3.0,no'), error="quote|line|row"),
    "a quote inside a cell": lambda: File(row(5, '1.0,2"0,3.0,no')),
    "line breaks inside quotes": lambda: File(further("d", lambda k: f'"x\ny{k % 2}"')),
    "commas inside quotes": lambda: File(further("d", lambda k: f'"x,{k % 2}"')),
    "doubled quotes": lambda: File(further("d", lambda k: f'"x""{k % 2}"')),
    "blanks around cells": lambda: File(replaced(",", " , "), error="did you mean ' label'"),
    "blanks around names": lambda: File(
        head(" a , b , c , label "), error="did you mean ' label '"
    ),
    "comments on top": lambda: File(lambda text: "# made by a device\n" + text, error="."),
    "a title on top": lambda: File(lambda text: "Ward A\n\n" + text, error="."),
    # --- marks
    "semicolons": lambda: File(replaced(",", ";")),
    "semicolons and decimal commas": lambda: File(semicolons),
    "tabs in a .csv": lambda: File(replaced(",", "\t")),
    "bars": lambda: File(replaced(",", "|"), settings={"delimiter": "|"}),
    "blanks as marks": lambda: File(replaced(",", " "), settings={"delimiter": " "}),
    "a delimiter of two letters": lambda: File(settings={"delimiter": ",,"}, error="delimiter"),
    "a delimiter that is not there": lambda: File(settings={"delimiter": "|"}, error="label"),
    "tabs in a .tsv": lambda: File(replaced(",", "\t"), ending=".tsv"),
    "gzip": lambda: File(lambda text: gzip.compress(text.encode()), ending=".csv.gz"),
    "gzip that is cut": lambda: File(
        lambda text: gzip.compress(text.encode())[:-100], ending=".csv.gz", error="."
    ),
    "text called .gz": lambda: File(ending=".csv.gz", error="."),
    "gzip called .csv": lambda: File(lambda text: gzip.compress(text.encode()), error="."),
    "a zip called .csv": lambda: File(_zip, error="."),
    "an ending that is not known": lambda: File(ending=".dat", error=r"\.dat|ending"),
    # --- names
    "names that repeat": lambda: File(head("a,b,a,label"), error="'a'"),
    "names that are empty": lambda: File(head(",b,c,label")),
    "two empty names": lambda: File(head(",,c,label"), error="."),
    "names with terminal codes": lambda: File(head("\x1b[31ma,b\x07,c,label")),
    "names of emoji and from right to left": lambda: File(head("\U0001f600,‮b,שלום,label")),
    "names with line breaks": lambda: File(head('"a\nx","b\n",c,label')),
    "a name of 131,073 letters": lambda: File(head("a" * 131_073 + ",b,c,label"), error="."),
    "names that are markup": lambda: File(head("[red]a,[/b],{0},label")),
    "names like paths": lambda: File(head("../a,/etc/passwd,$HOME,label")),
    "names like formulas": lambda: File(head("=1+1,@b,-c,label")),
    "5,000 columns": lambda: File(write=_wide),
    # --- cells
    "a column without values": lambda: File(further("d", lambda k: "")),
    "all gaps are NA": lambda: File(further("d", lambda k: "NA" if k % 3 else "1")),
    "question marks for gaps": lambda: File(further("d", lambda k: "?" if k == 2 else str(k))),
    "infinity in a cell": lambda: File(row(3, "inf,1.0,2.0,no"), error=_INF),
    "1e400 in a cell": lambda: File(row(3, "1e400,1.0,2.0,no"), error=_INF),
    "numbers with units": lambda: File(further("d", lambda k: f"{k} kg")),
    "thousands marks": lambda: File(further("d", lambda k: f'"1,{k:03d}"')),
    "hexadecimal numbers": lambda: File(
        further("d", lambda k: hex(k)), error={"command": "'0x0'.*--missing 0x0"}
    ),
    "whole numbers above 2**64": lambda: File(further("d", lambda k: str(2**70 + k))),
    "dates in the year 9999": lambda: File(
        further("d", lambda k: "9999-12-31" if k % 5 == 0 else f"2020-01-{1 + k % 28:02d}")
    ),
    "dates in the year 1": lambda: File(
        further("d", lambda k: "0001-01-01" if k % 5 == 0 else f"2020-01-{1 + k % 28:02d}")
    ),
    "dates on the 30th of February": lambda: File(
        further("d", lambda k: "2020-02-30" if k == 3 else f"2020-01-{1 + k % 28:02d}")
    ),
    "American dates": lambda: File(further("d", lambda k: f"1/{1 + k % 28}/2020")),
    "clock times": lambda: File(further("d", lambda k: f"{k % 24:02d}:30:00")),
    "codes with leading zeros": lambda: File(further("d", lambda k: f"{k % 3:05d}")),
    "a cell of a megabyte": lambda: File(
        further("d", lambda k: "x" * 1_000_000 if k == 1 else "y")
    ),
    "words in every case of true": lambda: File(
        further("d", lambda k: ("true", "FALSE", "True")[k % 3])
    ),
    "formulas": lambda: File(further("d", lambda k: ("=1+1", "@x")[k % 2])),
    # --- things that are no files of rows
    "a folder": lambda: File(write=_folder, error="."),
    "no file": lambda: File(write=_nothing, error="here"),
    "a link to nothing": lambda: File(write=_link_to_nothing, error="here"),
    "a link to itself": lambda: File(write=_link_to_itself, error="here"),
    "a pipe": lambda: File(write=_pipe, error="."),
    "a folder called .parquet": lambda: File(write=_folder, ending=".parquet", error="."),
    "text called .parquet": lambda: File(ending=".parquet", error="parquet"),
    "text called .feather": lambda: File(ending=".feather", error="feather"),
    "text called .npz": lambda: File(ending=".npz", error="npz"),
    "text called .xlsx": lambda: File(ending=".xlsx", error="xlsx"),
    "Python objects in a .npz": lambda: File(write=_npz, ending=".npz", error="."),
    "Parquet": lambda: File(write=_parquet(lambda f: f), ending=".parquet"),
    "Parquet of decimals": lambda: File(
        write=_parquet(lambda f: f.assign(
            a=[__import__("decimal").Decimal(f"{cell:.4f}") for cell in f["a"]])),
        ending=".parquet",
    ),
    "Parquet of lists": lambda: File(
        write=_parquet(lambda f: f.assign(d=[[1, 2]] * len(f))), ending=".parquet", error="'d'"
    ),
    "Parquet of categories": lambda: File(
        write=_parquet(lambda f: f.assign(d=f["label"].astype("category"))), ending=".parquet"
    ),
    "Parquet of durations": lambda: File(
        write=_parquet(lambda f: f.assign(
            d=__import__("pandas").to_timedelta(range(len(f)), unit="h"))),
        ending=".parquet",
    ),
    "Parquet of bytes": lambda: File(
        write=_parquet(lambda f: f.assign(d=[b"x", b"\xff"] * (len(f) // 2))), ending=".parquet",
    ),
    "Parquet with an index of its own": lambda: File(
        write=_parquet(lambda f: f.set_index("a")), ending=".parquet", error=""
    ),
}  # fmt: skip
