"""Sentiment of short texts in four domains: tweets, product reviews, film reviews, editorials."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acclimate.datasets._types import DatasetInfo, TextDataset
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_members
from acclimate.datasets.places import SourceArchive
from acclimate.datasets.recipe import Carrier, Entry, Recipe
from acclimate.exceptions import IntegrityError

DOMAINS = ("amazon", "films", "nyt", "tweets")
NEUTRAL = 0.5  # a mean rating below this rounds to 0, which the raters called neutral
_FILES = {
    "amazon": "amazonReviewSnippets_GroundTruth.txt",
    "films": "movieReviewSnippets_GroundTruth.txt",
    "nyt": "nytEditorialSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
}
_INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"
_ARCHIVE = SourceArchive(
    "vaderSentiment",
    "0.5",
    "5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a",
    ending=".zip",
)

INFO = DatasetInfo(
    name="sentiment",
    title="Sentiment of tweets, product reviews, film reviews and editorials",
    kind="text",
    task="classification",
    rows=19459,
    licence="MIT",
    citation=(
        "Hutto, Gilbert (2014). VADER: a parsimonious rule-based model for sentiment analysis of "
        "social media text. International Conference on Weblogs and Social Media, "
        "doi:10.1609/icwsm.v8i1.14550"
    ),
    found="pip source archive vaderSentiment==0.5",
)


def _read_archive(archive: Path) -> Arrays:
    """Return all texts, one a line in UTF-8, with mean ratings and domains."""
    inner = read_members(archive, [_INNER])[_INNER]
    files = read_members(Path(_INNER), _FILES.values(), data=inner)
    texts: list[str] = []
    ratings: list[float] = []
    domain: list[int] = []
    for code, name in enumerate(DOMAINS):
        for line in files[_FILES[name]].decode("utf-8").split("\r\n"):
            if not line:
                continue
            try:
                _, rating, text = line.split("\t")
                ratings.append(float(rating))
            except ValueError as error:
                raise IntegrityError(f"{_FILES[name]} has the line {line[:60]!r}") from error
            texts.append(text)
            domain.append(code)
    return {
        "text": np.frombuffer("\n".join(texts).encode("utf-8"), np.uint8),
        "rating": np.array(ratings),
        "domain": np.array(domain, dtype=np.uint8),
    }


def _assemble(arrays: Arrays, recipe: Recipe) -> TextDataset:
    texts = np.array(arrays["text"].tobytes().decode("utf-8").split("\n"), dtype=object)
    rating = np.array(arrays["rating"])
    clear = np.abs(rating) >= NEUTRAL
    return TextDataset(
        X=texts[clear],
        y=(rating[clear] > 0).astype(np.int64),
        domain=np.array(DOMAINS)[arrays["domain"][clear]],
        class_names=("negative", "positive"),
        info=INFO,
        split=recipe.split,
    )


ENTRY = Entry(
    info=INFO,
    recipes=(
        Recipe(
            key="sentiment",
            digests={
                "text": "bc6c896d2452b5a7bd872cd0e6bad99ec67e57bba03d54dd391804a706b71883",
                "rating": "78e6899c0d7548461a0dc8d0f232e5937337752878e3ae1ec975669b763de2c3",
                "domain": "ba8c1d9833b0e7a3cfbacf1a51d38798a02f6ba8c4182b5a0757a9f175bb613c",
            },
            split="none: the domain of each text is in `domain`",
            carriers=(Carrier(_ARCHIVE, _ARCHIVE.pattern, _read_archive),),
        ),
    ),
    assemble=_assemble,
    advice="The folder may hold the archive vaderSentiment-0.5.zip.",
)
