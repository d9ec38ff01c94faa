"""Runs in MLflow that are found again, so that what is there is not written once more."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

LONGEST = 500  # characters that MLflow takes for a parameter in every version
_AT_ONCE = 100  # parameters, or tags, that MLflow takes in one call
_STORE, _PART = "acclimate.store", "acclimate.part"  # tags


class Runs:
    """The runs of one store in one experiment, by what they are about.

    Parameters
    ----------
    client : mlflow.MlflowClient
    entities : module
        ``mlflow.entities``.
    experiment : str
        Its identifier.
    identity : str
        Of the store; runs are found by it.
    """

    def __init__(self, client: Any, entities: Any, experiment: str, identity: str) -> None:
        self._client, self._entities = client, entities
        self._experiment, self._identity = experiment, identity
        self._ids: dict[str, str] = {}
        self._params: dict[str, dict[str, str]] = {}
        self._metrics: dict[str, dict[str, float]] = {}
        self._tags: dict[str, dict[str, str]] = {}
        for run in self._there():
            part = run.data.tags[_PART]
            self._keep(part, run.info.run_id)
            self._params[part] |= run.data.params
            self._metrics[part] |= run.data.metrics
            self._tags[part] |= run.data.tags

    def _there(self) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment], f"tags.`{_STORE}` = '{self._identity}'", page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def _keep(self, part: str, run: str) -> None:
        self._ids[part] = run
        self._params[part], self._metrics[part], self._tags[part] = {}, {}, {}

    def id(self, part: str) -> str:
        """Return the identifier of the run of a part."""
        return self._ids[part]

    def tags(self, part: str) -> Mapping[str, str]:
        """Return the tags that a part has; none where it has no run."""
        return self._tags.get(part, {})

    def open(self, part: str, name: str, parent: str | None = None) -> None:
        """Make a run for a part, inside that of another, unless there is one."""
        if part in self._ids:
            return
        tags = {_STORE: self._identity, _PART: part}
        if parent is not None:
            tags["mlflow.parentRunId"] = self._ids[parent]
        run = self._client.create_run(self._experiment, tags=tags, run_name=name)
        self._keep(part, run.info.run_id)

    def write(
        self,
        part: str,
        *,
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Write what the run of a part has not got; a parameter that changed becomes a tag."""
        params, tags = dict(params or {}), dict(tags or {})
        old = self._params[part]
        tags |= {f"now.{key}": one for key, one in params.items() if old.get(key, one) != one}
        params = {key: one for key, one in params.items() if key not in old}
        metrics = _other(metrics or {}, self._metrics[part])
        tags = _other(tags, self._tags[part])
        now = round(1000 * time.time())
        kinds = self._entities
        waiting = [
            iter([kinds.Param(key, one) for key, one in params.items()]),
            iter([kinds.RunTag(key, one) for key, one in tags.items()]),
            iter([kinds.Metric(key, one, now, 0) for key, one in metrics.items()]),
        ]
        while any(batch := [list(islice(some, _AT_ONCE)) for some in waiting]):
            self._client.log_batch(
                self._ids[part], params=batch[0], tags=batch[1], metrics=batch[2]
            )
        self._params[part] |= params
        self._metrics[part] |= metrics
        self._tags[part] |= tags

    def attach(self, part: str, name: str, value: Mapping[str, Any] | str) -> None:
        """Write a file beside the run of a part: text, or plain values as JSON."""
        log = self._client.log_text if isinstance(value, str) else self._client.log_dict
        log(self._ids[part], value, name)

    def end(self, part: str, *, failed: bool = False) -> None:
        """Say that the run of a part is over."""
        self._client.set_terminated(self._ids[part], "FAILED" if failed else "FINISHED")


def short(value: Any) -> str:
    """Return a value as the text of a parameter."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _other(values: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in values.items() if key not in old or old[key] != one}
