"""TCA with an RBF kernel on 100000 rows of 800 features: seconds and peak memory, ours alone."""

from __future__ import annotations

import argparse
import json
import resource
import time


def main() -> None:
    """Fit, predict, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="not read: the rows are made here")
    parser.parse_args()
    import numpy as np
    from sides import base

    from acclimate import TCA, Domain

    rng = np.random.default_rng(0)
    n, d, latent = 50_000, 800, 40
    mixing = rng.normal(size=(latent, d)) / np.sqrt(latent)
    y = rng.integers(10, size=2 * n)
    both = 0.5 * rng.normal(size=(2 * n, d))
    both += (0.7 * rng.normal(size=(10, latent))[y] + rng.normal(size=(2 * n, latent))) @ mixing
    both[n:] += rng.normal(size=latent) @ mixing
    X, Xt = both[:n], both[n:]
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    model = TCA(base(), n_components=30, random_state=0).fit(X, y[:n], target=Domain(Xt))
    accuracy = model.score(Xt, y[n:])
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "start_mb": start,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "accuracy": accuracy,
            }
        )
    )


if __name__ == "__main__":
    main()
