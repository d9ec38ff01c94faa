"""Ctrl-C and SIGTERM at any moment: the work ends, half-written files go, no traceback is shown."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
AGAIN = 0.05  # seconds after which a stop that was lost on its way is given once more

_came: int | None = None  # the signal that came first


def code() -> int | None:
    """Return the exit code of the signal that came, as shells count it; None where none came."""
    return None if _came is None else 128 + _came


def guarded(work: Callable[[], NoReturn]) -> NoReturn:
    """Run what ends the process; a stop at any moment ends it with one line and the signal's code.

    All signals raise `KeyboardInterrupt` where the main thread is, so that what is open is closed
    and what is half written goes. A second one ends the process at once. Handlers are put back
    at the end, for callers that go on.
    """
    global _came
    _came = None
    before = _listen()
    hooks = sys.unraisablehook, threading.excepthook
    sys.unraisablehook, threading.excepthook = _unraisable, _in_thread
    try:
        work()
    except SystemExit:
        raise
    except BaseException:
        if _came is None:
            raise
    finally:
        sys.unraisablehook, threading.excepthook = hooks
        for number, handler in before.items():
            signal.signal(number, handler)
        if before:
            atexit.unregister(_quiet)
            atexit.register(_quiet)
    os.write(2, b"acclimate: stopped\n")
    sys.exit(code())


def _listen() -> dict[int, Any]:
    """Catch the signals that nobody asked to ignore, as nohup does; return the old handlers."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    before = {}
    for name in SIGNALS:
        number = getattr(signal, name, None)  # there is no SIGHUP on Windows
        if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[int(number)] = signal.signal(number, _stop)
    return before


def _stop(number: int, frame: FrameType | None) -> None:
    global _came
    if _came is not None:
        os._exit(128 + _came)
    _came = number
    raise KeyboardInterrupt


def _quiet() -> None:
    """Let Ctrl-C while the interpreter takes itself down end the process without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _unraisable(lost: Any) -> None:
    """Give a stop once more that came where Python cannot raise, such as in a destructor."""
    global _came
    if _came is None:
        sys.__unraisablehook__(lost)
    elif issubclass(lost.exc_type, KeyboardInterrupt):
        number, _came = _came, None
        threading.Timer(AGAIN, os.kill, (os.getpid(), number)).start()


def _in_thread(error: Any) -> None:
    """Show what went wrong in a thread, unless it did so because the work was stopped."""
    if _came is None:
        threading.__excepthook__(error)
