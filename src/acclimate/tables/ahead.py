"""Read ahead: the next batch is parsed while the last one is at work."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any


def ahead(source: Iterator[Any]) -> Iterator[Any]:
    """Yield what ``source`` yields, computed one item ahead in a thread: parsing needs no GIL."""
    box: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def put(item: tuple[Any, BaseException | None]) -> None:
        while not stop.is_set():
            try:
                box.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in source:
                put((item, None))
                if stop.is_set():
                    return
            put((None, StopIteration()))
        except BaseException as error:  # raised again in the thread that asked
            put((None, error))
        finally:  # here, so that nothing of a half-read file outlives the thread
            close = getattr(source, "close", None)
            if close is not None:
                close()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while True:
            item, error = box.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item
    finally:
        stop.set()
        worker.join()
