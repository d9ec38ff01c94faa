"""What the errors say, by input: one pattern, or one for each consumer. All else is right."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

_SHAPE = r"0 sample|no rows|must have shape|hold rows"
_LENGTH = "60 rows.*59|40 rows.*39|labels (of|have) shape"
_GAP = "NaN: nan in row 0.*fill the gaps"
_INF = "infinity.*inf in row 0.*make such a cell missing|inf in row 0|inf"
_IMAGES = "networks=True|a preprocess that makes some"
_KINDS = (
    "csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_matrix", "coo_array", "lil_matrix",
    "dok_matrix", "bsr_matrix", "dia_matrix",
)  # fmt: skip
_DENSE = r"reads no sparse rows.*TruncatedSVD"
_EQUAL = "all rows of the source are equal"
_WORDS = "could not convert string|bytes/strings|TabularPreprocessor|plain arrays"
_SPARSE = "plain arrays|sparse"
_UNFIT = "Unknown label type.*(text|regressor)|must be|labels"
# pandas 2 counts nanoseconds, from 1677 to 2262; a command reads other dates as texts there
_YEAR: Mapping[str, str] = (
    {"command": "", "else": "dates must lie between 1677-09-21 and 2262-04-11.*make it missing"}
    if pd.__version__ < "3"
    else {}
)

ERRORS: Mapping[str, str | Mapping[str, str]] = {
    "no rows here": _SHAPE,
    "no rows there": _SHAPE,
    "one row here": {"diagnose": "", "else": r"1 class, \[1\]|unknown label '0'"},
    "one row there": {
        "shallow": "n_samples=1.*at least 2", "FineTune": r"1 class, \[0\]",
        "compare": "1 target labels are too few", "command": "n_samples=1.*at least 2",
    },
    "no columns": r"0 feature|\(60, 0\)",
    "more columns there": "6 features|target.* 6",
    "fewer columns there": "2 features|target.* 2",
    "one-dimensional": r"1D array|\(60,\)",
    "three-dimensional": {
        "shallow": "dim 3.*flatten", "compare": _IMAGES, "command": "mlp",
    },
    "four-dimensional": {
        "shallow": "dim 4.*flatten", "compare": _IMAGES, "command": "mlp",
    },
    "a scalar": r"scalar|shape \(\)|got \(\)",
    "None": r"scalar|got \(\)|plain arrays",
    "a text": r"scalar|got \(\)|shape \(\)",
    "labels of another length": _LENGTH,
    "target labels of another length": {"shallow": "", "deep": "", "else": _LENGTH},
    "all columns constant": {
        "shallow": _EQUAL, "command": "no column varies",
    },
    "a NaN here": {"diagnose": "", "command": "", "else": _GAP},
    "a NaN there": {"diagnose": "", "command": "", "else": _GAP},
    "a column of NaN": {"diagnose": "", "command": "", "else": "NaN: nan in row 0.*fill the gaps"},
    "an infinity here": {"diagnose": "", "else": _INF},
    "an infinity there": {"diagnose": "", "else": _INF},
    "a frame with an infinity": {"diagnose": "", "else": _INF},
    "values of 1e300": {"command": "", "else": "too large"},
    "a value of 1e300 there": "too large",
    "values of 1e30": {},
    "values of 1e-300": {
        "shallow": _EQUAL, "command": _EQUAL,
    },
    "denormal numbers": {
        "shallow": _EQUAL, "command": _EQUAL,
    },
    "complex numbers": "[Cc]omplex.*real and imaginary",
    "object numbers": {"command": "plain arrays"},
    "object texts of numbers": {"command": "plain arrays"},
    "texts of numbers": {"diagnose": "", "command": "", "else": _WORDS},
    "object texts": {"diagnose": "", "else": _WORDS},
    "bytes": {"diagnose": "", "command": "", "else": _WORDS},
    "objects of no kind": {"diagnose": "", "else": "'object'|plain arrays"},
    "None among numbers": {"diagnose": "", "command": "plain arrays", "else": _GAP},
    "ragged lists": "inhomogeneous.*one length",
    "a masked array with gaps": {
        "diagnose": "", "command": "", "else": "NaN: nan in row 1, column 1.*fill the gaps",
    },
    "a structured array": r"structured array.*pandas.DataFrame|\(60,\)",
    "dates of numpy": {"diagnose": "", "else": r"datetime64\[D\]; pass a frame"},
    "durations of numpy": {"diagnose": "", "else": r"timedelta64\[D\]; pass a frame"},
    **{
        name: {"deep": _DENSE, "FineTune": _DENSE, "command": "plain arrays"}
        for name in ("sparse of 64-bit places", *(f"a sparse {kind}" for kind in _KINDS))
    },
    "sparse with a NaN": {
        "diagnose": "", "command": "plain arrays", "deep": _DENSE,
        "FineTune": _DENSE, "else": "contains NaN.*fill the gaps",
    },
    "dense here, sparse there": {
        "deep": _DENSE, "FineTune": _DENSE, "compare": "sparse rows on both",
        "command": "plain arrays",
    },
    "sparse here, dense there": {
        "deep": _DENSE, "FineTune": _DENSE, "compare": "sparse rows on both",
        "command": "plain arrays",
    },
    "a frame here, an array there": {
        "diagnose": "source .frame.*target .array", "command": "label array",
    },
    "an array here, a frame there": {
        "diagnose": "source .array.*target .frame", "command": "4 features|feature names",
    },
    "a column missing there": {"diagnose": "", "else": "'c'"},
    "a number here, words there": "column 'c'.*'high'",
    "a MultiIndex of columns": {"command": "no label column"},
    "two columns of one name": "two columns called 'a'.*rename",
    "a column of lists": "'d' holds cells of type (list|ndarray).*--drop d",
    "a column of dicts": "'d' holds cells of type dict.*--drop d",
    "a column of complex numbers": "'d' holds complex.*two columns",
    "dates in the year 9999": _YEAR,
    "dates in the year 1": _YEAR,
    "dates here, numbers there": {"diagnose": "", "else": "'d' held dates when fitted.*numbers"},
    "a Series": r"one column.*to_frame|\(60,\)",
    "labels of bytes": {"diagnose": "", "command": "plain arrays", "else": "bytes.*Convert"},
    "labels of S3": {"diagnose": "", "command": "bytes|plain arrays", "else": "bytes.*Convert"},
    "labels that are dates": {"diagnose": "", "command": "plain arrays", "else": _UNFIT},
    "labels of datetime64": {
        "compare": "numbers or strings", "command": "cannot hold.*Turn it into one of them",
    },
    "labels that are tuples": r"\(60, 2\)",
    "labels of mixed types": {"diagnose": "", "else": "one type|'int' and 'str'|plain arrays"},
    "labels of fractions": {"diagnose": "", "command": "", "else": "continuous.*regressor"},
    "labels of any real number": {"diagnose": "", "command": "", "else": "continuous.*regressor"},
    "labels as a column": {"diagnose": r"\(60, 1\)", "command": r"\(60, 1\)"},
    "labels of nested lists": {"diagnose": r"\(60, 1\)", "command": r"\(60, 1\)"},
    "labels one-hot": r"\(60, 2\)",
    "None among labels here": {"diagnose": "", "command": "plain arrays", "else": _UNFIT},
    "None among labels there": {"command": "plain arrays"},
    "NaN among words there": {"command": "plain arrays"},
    "NaN among labels here": {
        "command": "", "else": "Input y contains NaN.*leave out|labels must be finite",
    },
    "infinity among labels": "Input y contains infinity.*leave out|labels must be finite|inf",
    "-1 there": {"shallow": "", "deep": "", "diagnose": "", "else": "label (-1|'-1')"},
    "an unknown class there": {
        "compare": "classes that the source lacks", "command": "unknown label '7'",
    },
    "labels with blanks there": {
        "compare": "classes that the source lacks", "command": "'no '.*did you mean 'no'",
    },
    "one class here": {"diagnose": "", "else": r"1 class, \[0\]|unknown label '1'"},
    "one class there": {"compare": "too few", "FineTune": r"1 class, \[0\]"},
    "all labels unknown there": {"FineTune": "only gaps", "compare": "only gaps"},
    "a class for each row": {"compare": "too few"},
    "words here, numbers there": {
        "compare": "same kind of labels", "command": "unknown label",
    },
    "numbers here, texts of numbers there": {"compare": "same kind of labels"},
    "no labels here": {"diagnose": "", "else": "one label a row|label"},
    "no labels there": {"FineTune": "needs target labels"},
    "a text as labels": r"shape \(\)",
    "a negative weight": "Negative values.*-1",
    "weights of zero": "zero",
    "a NaN weight": "sample_weight contains NaN: nan in row 0.*finite",
    "an infinite weight": "sample_weight contains infinity.*inf in row 0.*finite",
    "weights of texts": "sample_weight.*'x'|sample_weight",
    "weights of another length": "sample_weight.*59|59",
    "weights of two columns": "sample_weight.*1D|1D",
    "weights that leave one class": "1 class",
    "a mask of nothing": {"FineTune": "none of the 40 rows", "compare": "none of the 40 rows"},
    "a mask of numbers": {"shallow": "", "deep": "", "else": r"boolean mask.*\(40,\)|mask"},
    "a mask of another length": {"shallow": "", "deep": "", "else": r"\(39,\)|mask"},
    "two classes of one name": r"differ.*'no', 'no'",
    "a class without a name": r"label 1.*names \[0\]",
    "a huge weight": {"shallow": _EQUAL},
    "a text as class names": "the text 'no'",
    "class names that are numbers": "class_names.*'int'",
}  # fmt: skip
