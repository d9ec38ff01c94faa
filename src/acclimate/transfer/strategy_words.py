"""The names of the fine-tuning strategies and what each does, without an import of torch.

`strategies` holds the functions.
"""

from __future__ import annotations

# as it ends the sentence '"name" ...'
ABOUT = {
    "full": "moves all weights",
    "head": "moves the head alone (a linear probe)",
    "lp-ft": "moves the head first and then all",
    "l2-sp": "moves all with a pull towards the source",
    "gradual": "frees one layer group after the other, from the head down",
    "discriminative": "moves all, more slowly towards the input",
    "lora": "moves the head and low-rank adapters of the linear layers",
    "surgical": "moves the layer group that gains most on held-out rows",
}
