"""`--cluster`: a Dask scheduler whose workers run the fits."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from acclimate.exceptions import InputError
from acclimate.extras import need

ClusterAt = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Run the fits on the Dask scheduler at this address, as tcp://host:8786.",
    ),
]
AllowVersions = Annotated[
    str,
    typer.Option(
        "--allow-versions",
        metavar="same|differ",
        help="Whether workers of a cluster may run other versions.",
    ),
]
_WAIT = "20s"  # for the scheduler to answer


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Give a client of the cluster at an address, and say what it has; None for no address.

    Raises
    ------
    InputError
        No scheduler answers there.
    MissingExtraError
        Dask is not installed.
    """
    if address is None:
        yield None
        return
    distributed = need("distributed", "cluster", package="dask")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it loses, we say in a line
    try:
        client = distributed.Client(address, timeout=_WAIT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address!r}; --cluster takes the address that "
            f"dask scheduler shows, such as tcp://host:8786"
        ) from error
    try:
        typer.echo(
            f"acclimate: cluster {address}: {len(client.nthreads())} workers, dashboard "
            f"{client.dashboard_link}",
            err=True,
        )
        yield client
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            client.close()
