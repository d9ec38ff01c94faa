from __future__ import annotations

import torch
from torch import nn

from acclimate.training.weights import as_text, table_of_weights


def test_each_weight_has_its_fate():
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    before = {n: w.clone() for n, w in module.state_dict().items()}
    state = {
        "0.weight": torch.zeros(2, 3),
        "0.bias": torch.zeros(3),
        "1.weight": torch.zeros(2, dtype=torch.float64),
        "1.running_mean": torch.zeros(2),
        "old": torch.zeros(1),
    }
    table = table_of_weights(module, state)
    assert [(row.name, row.fate) for row in table] == [
        ("0.weight", "loaded"),
        ("0.bias", "skipped"),
        ("1.weight", "skipped"),
        ("1.bias", "new"),
        ("1.running_mean", "loaded"),
        ("1.running_var", "new"),
        ("1.num_batches_tracked", "new"),
        ("old", "skipped"),
    ]
    assert "shape (3,) in the file, (2,) in the module" in as_text(table)
    assert "torch.float64 in the file" in as_text(table)
    assert all(torch.equal(w, before[n]) for n, w in module.state_dict().items())


def test_an_equal_module_loads_everything():
    module = nn.Linear(3, 2)
    assert {row.fate for row in table_of_weights(module, module.state_dict())} == {"loaded"}
    assert as_text([]) == ""
