"""The file: a ZIP archive without compression whose members are checked by SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from acclimate.exceptions import DataNotFoundError, InputError, IntegrityError
from acclimate.files import check_readable
from acclimate.persistence.limits import Budget

FORMAT = "acclimate model"
SCHEMA = 1
MANIFEST = "manifest.json"
MEMBERS = (
    "model.json", "arrays.safetensors", "estimators.skops", "card.json", "extras.json", MANIFEST,
)  # fmt: skip
_DATE = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes, but for the card
_MODE = 0o100644 << 16  # a plain file; links have other bits
_HEADER = 30  # bytes before a member's name, which ends with the lengths of name and extra
_MANIFEST_BYTES = 1 << 16


def write(stream: IO[bytes], members: Mapping[str, bytes]) -> None:
    """Write members and the manifest of their sizes and SHA-256."""
    rows = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in members.items()
    }
    manifest = {"format": FORMAT, "schema": SCHEMA, "members": rows}
    store(stream, {**members, MANIFEST: json.dumps(manifest).encode()})


def store(stream: IO[bytes], members: Mapping[str, bytes]) -> None:
    """Write an archive of members as they are, the same bytes for the same members."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = 3, _MODE
            archive.writestr(info, data)


class Reader:
    """An open file whose list of members has been checked. Contents are checked as they are read.

    Parameters
    ----------
    path : str
        What messages call the file.
    archive : zipfile.ZipFile
        The open archive.
    size : int
        Bytes of the whole file.

    Attributes
    ----------
    budget : Budget
        What has been made of the file so far, and how much may be.
    """

    def __init__(self, path: str, archive: zipfile.ZipFile, size: int) -> None:
        self.path = path
        self.budget = Budget(size)
        self.archive = archive
        check_members(archive, size, path)
        unknown = [name for name in archive.namelist() if name not in MEMBERS]
        if MANIFEST not in archive.namelist():
            raise IntegrityError(f"{path} is not an acclimate model: it has no {MANIFEST}")
        manifest = self._manifest()
        schema = manifest.get("schema")
        if not isinstance(schema, int) or schema < 1:
            raise IntegrityError(f"{path}: {MANIFEST} has the schema version {schema!r}")
        if schema > SCHEMA:
            raise IntegrityError(
                f"{path} was written by a newer acclimate: schema version {schema}, and this one "
                f"reads up to {SCHEMA}. Update acclimate, or save the model again with this version"
            )
        if unknown:
            raise IntegrityError(f"{path} holds {unknown[0]!r}, which is no part of a model")
        self.rows: dict[str, Any] = manifest["members"]
        if sorted([*self.rows, MANIFEST]) != sorted(archive.namelist()):
            raise IntegrityError(
                f"{path} was altered: it should hold {sorted(self.rows)}, "
                f"but holds {sorted(set(archive.namelist()) - {MANIFEST})}"
            )

    def _manifest(self) -> dict[str, Any]:
        size = self.archive.getinfo(MANIFEST).file_size
        if size > _MANIFEST_BYTES:
            raise IntegrityError(f"{self.path}: {MANIFEST} has {size} bytes; it was altered")
        manifest = parse(self._raw(MANIFEST), f"{self.path}: {MANIFEST}")
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise IntegrityError(
                f"{self.path} is not an acclimate model: its {MANIFEST} is foreign"
            )
        if not isinstance(manifest.get("members", {}), dict):
            raise IntegrityError(f"{self.path}: {MANIFEST} lists no members")
        return {"members": {}, **manifest}

    def _raw(self, name: str) -> bytes:
        try:
            return self.archive.read(name)
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise IntegrityError(
                f"{self.path}: {name} is truncated or was altered ({error})"
            ) from error

    def _stored(self, name: str) -> bytes:
        """Return a member in one read: it is not compressed, and SHA-256 comes after."""
        info = self.archive.getinfo(name)
        stream = self.archive.fp
        if stream is None:
            raise IntegrityError(f"{self.path} is closed")
        stream.seek(info.header_offset)
        head = stream.read(_HEADER)
        skip = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        stream.seek(info.header_offset + _HEADER + skip)
        return stream.read(info.file_size)

    def read(self, name: str) -> bytes:
        """Return a member whose size and SHA-256 are those of the manifest."""
        if name not in self.rows:
            raise IntegrityError(f"{self.path} lacks {name}")
        data = self._stored(name)
        found = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        if found != self.rows[name]:
            raise IntegrityError(
                f"{self.path}: {name} was altered: {found}, but the manifest says "
                f"{self.rows[name]}. Take a fresh copy of the file"
            )
        return data

    def json(self, name: str) -> Any:
        """Return a member that is JSON."""
        data = self.read(name)
        self.budget.read(data, f"{self.path}: {name}")
        return parse(data, f"{self.path}: {name}")


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Reader]:
    """Open a model file. What is wrong with it is said in one `IntegrityError`."""
    shown = str(Path(path))
    check_readable(path)
    with contextlib.ExitStack() as stack:
        try:
            stream = stack.enter_context(open(path, "rb"))
            size = os.fstat(stream.fileno()).st_size
            archive = stack.enter_context(zipfile.ZipFile(stream))
        except FileNotFoundError as error:
            raise DataNotFoundError(f"there is no model file {shown!r}") from error
        except OSError as error:
            raise InputError(f"cannot read {shown!r}: {error.strerror or error}") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise IntegrityError(
                f"{shown} is not an acclimate model, or only a part of one ({error}). "
                f"Take a fresh copy of the file"
            ) from error
        yield Reader(shown, archive, size)


def check_members(archive: zipfile.ZipFile, size: int, path: str) -> None:
    """Raise unless all members are plain, stored as they are, and inside the file's ``size``."""
    seen: set[str] = set()
    for info in archive.infolist():
        name = info.filename
        if name in seen:
            raise IntegrityError(f"{path} holds {name!r} twice")
        seen.add(name)
        plain = name == os.path.basename(name) and "\\" not in name and name not in ("", ".", "..")
        if not plain:
            raise IntegrityError(f"{path} holds the name {name!r}, which leads to another folder")
        if info.external_attr >> 16 & 0o170000 not in (0, 0o100000):
            raise IntegrityError(f"{path}: {name!r} is a link or a device, not a plain file")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1:
            raise IntegrityError(f"{path}: {name!r} is compressed or encrypted; a model is neither")
        if info.file_size != info.compress_size or info.header_offset + info.file_size > size:
            raise IntegrityError(
                f"{path}: {name!r} declares {info.file_size} bytes, but the file has {size}"
            )


def check_nested(data: bytes, path: str) -> None:
    """Check the members of an archive inside the file in the same way."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_members(archive, len(data), path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise IntegrityError(f"{path} is not whole ({error})") from error


def parse(data: bytes, where: str) -> Any:
    """Return parsed JSON, or say what is wrong with it."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{where} is not valid JSON ({error})") from error
