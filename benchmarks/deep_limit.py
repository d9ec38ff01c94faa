"""What the second convolution alone takes of an epoch of `deep_speed.py`, in float32 on one thread.

Forward and backward on 3000 rows of each domain, 64 of each at once, and the products that are done
in a second of it: no method whose epoch trains the body on both domains takes less.

Run:  python benchmarks/deep_limit.py
"""

from __future__ import annotations

import time

import torch
from torch import nn

ROWS, BATCH = 3000, 64  # of each domain
REPEATS = 20


def main() -> None:
    """Print processor seconds of an epoch and billions of operations a second."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 64, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.rand(2 * BATCH, 32, 13, 13).to(memory_format=torch.channels_last).requires_grad_()
    gradient = torch.rand_like(layer(x))
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        layer(x).backward(gradient)
        times.append(time.process_time() - began)
    seconds = min(times) * ROWS / BATCH
    operations = 3 * 2 * gradient.numel() * 32 * 9  # forward, and both gradients
    print(
        f"{seconds:.2f} s an epoch, {operations / min(times) / 1e9:.0f} billion operations a second"
    )


if __name__ == "__main__":
    main()
