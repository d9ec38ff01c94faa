"""Stamps of Tux Paint: pictures with captions in many languages, and spoken in several."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from acclimate.datasets._paired import PairedDataset, joined, parted
from acclimate.datasets._types import DatasetInfo
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_tree
from acclimate.datasets.places import DebianPackage
from acclimate.datasets.recipe import Carrier, Entry, Recipe

_FOLDER = "usr/share/tuxpaint/stamps"
_ENDINGS = (".png", ".txt", ".ogg", ".wav")
_SPOKEN = re.compile(r"(.+)_desc(?:_([A-Za-z]{2,3}(?:_[A-Z]{2})?))?\.(?:ogg|wav)")
_WRITTEN = re.compile(r"([A-Za-z]{2,3}(?:_[A-Z]{2})?(?:@[a-z]+)?)\.utf8=(.*)")
_PACKAGE = DebianPackage("tuxpaint-stamps-default")

INFO = DatasetInfo(
    name="tuxpaint",
    title="Tux Paint's stamps: pictures, captions in many languages, speech in several",
    kind="paired",
    task="retrieval",
    rows=785,
    licence="GPL-2",
    citation=(
        "Kendrick and contributors (2002-2022). Tux Paint stamps, https://tuxpaint.org/stamps/; "
        "collection of 2022-06-04"
    ),
    found="Debian package tuxpaint-stamps-default, version 2022.06.04, 161 MB",
)


def _read_package(archive: Path) -> Arrays:
    files = read_tree(archive, _FOLDER, _ENDINGS)
    stems = {
        name[:-4]: None for name in files if name.endswith(".png") and f"{name[:-4]}.txt" in files
    }
    spoken = {
        name: data
        for name, data in files.items()
        if (found := _SPOKEN.fullmatch(name)) and found[1] in stems
    }
    return {
        **joined({stem: files[f"{stem}.png"] for stem in stems}, "pictures"),
        **joined({stem: files[f"{stem}.txt"] for stem in stems}, "captions"),
        **joined(spoken, "speech"),
    }


def captions_of(text: str) -> dict[str, str]:
    r"""Return captions by language: the first line is English, the others say theirs.

    Examples
    --------
    >>> captions_of("A frog.\nde.utf8=Ein Frosch.\npt_BR.utf8=Um sapo.\n")
    {'en': 'A frog.', 'de': 'Ein Frosch.', 'pt_BR': 'Um sapo.'}
    """
    first, *rest = text.splitlines()
    found = (_WRITTEN.fullmatch(line.strip()) for line in rest)
    return {"en": first.strip()} | {one[1]: one[2].strip() for one in found if one and one[2]}


def _assemble(arrays: Arrays, recipe: Recipe) -> PairedDataset:
    pictures = parted(arrays, "pictures")
    names = list(pictures)
    read = [captions_of(data.decode()) for data in parted(arrays, "captions").values()]
    texts = {
        language: np.array([one.get(language, "") for one in read], dtype=object)
        for language in sorted({language for one in read for language in one})
    }
    place = {name: row for row, name in enumerate(names)}
    files: dict[str, dict[int, bytes]] = {}
    for name, data in parted(arrays, "speech").items():
        found = _SPOKEN.fullmatch(name)
        if found is not None:
            files.setdefault(found[2] or "en", {})[place[found[1]]] = data
    return PairedDataset(
        names=np.array(names),
        category=np.array([name.partition("/")[0] for name in names]),
        info=INFO,
        split=recipe.split,
        texts=texts,
        files=files,
        coded=tuple(pictures.values()),
    )


ENTRY = Entry(
    info=INFO,
    recipes=(
        Recipe(
            key="tuxpaint",
            digests={
                "pictures": "27211d7e0b305670ce979dc20f0e5b227051a54fbf0d8448ebc967633de78cc3",
                "pictures_size": "3e8f63f3b390a6564fcde5d697de8b2cdafdfaf06f8a6f769107efb5fde81fe7",
                "pictures_name": "81cc2d8fa8e533beb2b229322e2ddedd74b75e304e878de5ff9465fb5f4b3367",
                "captions": "6ba51744677aab9f8197ee20f2e51ca5ebe15b8e80bf8ed10970caddba57128b",
                "captions_size": "4d4897e353728e555f3a8366840f398cadbdfbdb12b739d0850575524db22c49",
                "captions_name": "81cc2d8fa8e533beb2b229322e2ddedd74b75e304e878de5ff9465fb5f4b3367",
                "speech": "12a71dc6078547b161c3bd71475a01892b3cb3b0cf4aae081ae994f5b6e13ec1",
                "speech_size": "765e9cf6c7f6e22d110e0958fed5fcee9632ffd279791ed174f0656aae1e6ebe",
                "speech_name": "951f886200920b65d0d810e724e04a61b9494a4a6a4a145d330facbc012f088e",
            },
            split="none: several pictures share a caption, so put equal captions into one part",
            carriers=(Carrier(_PACKAGE, _PACKAGE.pattern, _read_package),),
        ),
    ),
    assemble=_assemble,
    advice=(
        "The folder may hold the Debian package tuxpaint-stamps-default 2022.06.04-1, which is in "
        "Debian 12; other versions have other stamps."
    ),
)
