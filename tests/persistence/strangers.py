"""Changes model files at random, with right checksums, and sees what loading them does.

    python tests/persistence/strangers.py FOLDER SEED CASES

FOLDER holds good files, each beside NAME.npy, rows to predict. Every case runs in a process of its
own with limits on time and memory, so that a crash is seen. One line of JSON says what was seen.
"""

from __future__ import annotations

import copy
import io
import json
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np

SECONDS, GROWTH, SPACE = 30, 200, 12 << 30
NUMBERS = (-1, 0, 1, 2, 3, 7, 255, 256, 10**4, 10**6, 2**31 - 1, 2**31, 2**63 - 1, -(2**31))
FLOATS = (0.0, -1.0, 1e308, float("nan"), float("inf"))


def members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {n: archive.read(n) for n in archive.namelist() if n != "manifest.json"}


def packed(held):
    from acclimate.persistence import container

    stream = io.BytesIO()
    container.store(stream, held)
    return stream.getvalue()


def change_json(value, draw):
    """Change one place of parsed JSON."""
    value = copy.deepcopy(value)
    places = []
    left = [value]
    while left:
        part = left.pop()
        keys = part.keys() if isinstance(part, dict) else range(len(part))
        for key in keys:
            places.append((part, key))
            if isinstance(part[key], dict | list):
                left.append(part[key])
    if not places:
        return value
    part, key = draw.choice(places)
    old = part[key]
    if isinstance(old, bool) or old is None:
        part[key] = draw.choice((True, False, None, 1, "x"))
    elif isinstance(old, int):
        part[key] = draw.choice((*NUMBERS, old + 1, old - 1))
    elif isinstance(old, float):
        part[key] = draw.choice((0.0, -1.0, 1e308, 5))
    elif isinstance(old, str):
        try:  # text that is JSON again, as skops writes numbers
            inner = json.loads(old)
        except ValueError:
            inner = None
        texts = [p[k] for p, k in places if isinstance(p[k], str)]
        if isinstance(inner, int | float) and not isinstance(inner, bool):
            part[key] = json.dumps(draw.choice((*NUMBERS, inner + 1, None, "a", [])))
        else:
            part[key] = draw.choice((draw.choice(texts), "", old + "x", old[:-1]))
    elif isinstance(old, list):
        pick = draw.randrange(4)
        part[key] = (old[:-1], old * 3, old[::-1], [])[pick]
    else:
        other = [p[k] for p, k in places if isinstance(p[k], dict)]
        part[key] = copy.deepcopy(draw.choice(other))
        if draw.random() < 0.3 and isinstance(part, dict):
            del part[key]
    return value


def change_array(array, draw):
    """Change values, shape or type of an array."""
    rng = np.random.default_rng(draw.randrange(2**31))
    pick = draw.randrange(6)
    array = np.array(array)
    if array.dtype.kind in "biuf" and array.size and pick < 3:
        flat = array.reshape(-1)
        where = rng.integers(flat.size, size=draw.choice((1, 1, 3, flat.size)))
        values = FLOATS if array.dtype.kind == "f" else NUMBERS
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flat[where] = np.array(draw.choice(values)).astype(array.dtype)
        return flat.reshape(array.shape)
    if array.dtype.names and array.size and pick < 4:
        name = draw.choice(array.dtype.names)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = np.array(draw.choice(NUMBERS)).astype(array.dtype[name])
        array[name][rng.integers(array.size)] = value
        return array
    if pick == 3 and array.ndim:
        return array[: len(array) // 2]
    if pick == 4:
        return array.reshape(-1)[:: -1 if array.size else 1].copy()
    if pick == 5 and array.ndim > 1:
        return array[..., : array.shape[-1] // 2].copy()
    if array.ndim and array.size:
        return np.concatenate([array, array])
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def change_skops(data, draw):
    held = members(data)
    name = draw.choice(list(held)) if draw.random() < 0.6 else "schema.json"
    if name.endswith(".json"):
        held[name] = json.dumps(change_json(json.loads(held[name]), draw)).encode()
    elif name.endswith(".npy"):
        stream = io.BytesIO()
        np.save(stream, change_array(np.load(io.BytesIO(held[name])), draw))
        held[name] = stream.getvalue()
    elif name.endswith(".npz"):
        with np.load(io.BytesIO(held[name])) as inner:
            arrays = dict(inner)
        key = draw.choice(list(arrays))
        arrays[key] = change_array(arrays[key], draw)
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        held[name] = stream.getvalue()
    return packed(held)


def change_tensors(data, draw):
    size = struct.unpack("<Q", data[:8])[0]
    if draw.random() < 0.3:
        head = json.dumps(change_json(json.loads(data[8 : 8 + size]), draw)).encode()
        return struct.pack("<Q", len(head)) + head + data[8 + size :]
    from safetensors.numpy import load, save

    arrays = load(data)
    if not arrays:
        return data
    name = draw.choice(list(arrays))
    arrays[name] = np.ascontiguousarray(change_array(arrays[name], draw))
    return save(arrays)


def change(data, draw):
    """Return a model file with one to three changes."""
    held = members(data)
    for _ in range(draw.choice((1, 1, 2, 3))):
        names = [n for n in ("model.json", "arrays.safetensors", "estimators.skops") if n in held]
        name = draw.choice(names)
        if name == "model.json":
            held[name] = json.dumps(change_json(json.loads(held[name]), draw)).encode()
        elif name == "arrays.safetensors":
            held[name] = change_tensors(held[name], draw)
        else:
            held[name] = change_skops(held[name], draw)
    from acclimate.persistence import container

    stream = io.BytesIO()
    container.write(stream, held)
    return stream.getvalue()


def use(path, rows):
    """Load a file and ask it everything. Errors are fine once it is loaded; say which it was."""
    import acclimate
    from acclimate.exceptions import AcclimateError

    try:
        model = acclimate.load(path)
    except AcclimateError:
        return "refused"
    said = "answered"
    for name in ("predict", "predict_proba", "decision_function"):
        try:
            getattr(model, name)(rows)
        except Exception:
            said = "no answer"
    return said


def child(work):
    """Return what ``work`` says, the signal that ended it, the growth in MB and the seconds."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(SECONDS)
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            said = str(work())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"[:300]
        grew = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        os.write(write, json.dumps([said, grew, time.monotonic() - began]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        told = stream.read()
    _, status = os.waitpid(pid, 0)
    said, grew, took = json.loads(told) if told else ("", 0, 0.0)
    return said, signal.Signals(status & 127).name if status & 127 else "", grew, took


def main(folder, seed, cases):
    warnings.simplefilter("ignore")
    good = {p: (p.read_bytes(), np.load(p.with_suffix(".npy"))) for p in sorted(folder.glob("*.m"))}
    for path, (_, rows) in good.items():  # what is imported on the way is no growth
        assert use(path, rows) != "refused", path
    counts, bad, slowest, most = {}, [], 0.0, 0
    with tempfile.TemporaryDirectory() as away:
        for case in range(cases):
            draw = random.Random(f"{seed}:{case}")
            path, (data, rows) = draw.choice(list(good.items()))
            evil = Path(away) / "evil.m"
            try:
                evil.write_bytes(change(data, draw))
            except Exception:
                continue  # not every change gives a file
            said, died, grew, took = child(lambda evil=evil, rows=rows: use(evil, rows))
            kind = said if said in ("refused", "answered", "no answer") else "other"
            counts[kind] = counts.get(kind, 0) + 1
            slowest, most = max(slowest, took), max(most, grew)
            if died or kind == "other" or grew > GROWTH:
                bad.append([case, path.stem, said, died, grew, round(took, 1)])
    found = {"counts": counts, "bad": bad, "slowest": slowest, "growth": most}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
