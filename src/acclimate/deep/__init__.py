"""Template "train": methods that go on from the source network with rows of both domains.

A method writes `_plan`: which terms move which modules. Stage one is the plain source network.
Stage two trains a copy of it in the one loop, `acclimate.training.loop.train`.
"""

from acclimate.deep.documents import documented
from acclimate.deep.feeding import full_batches
from acclimate.deep.run import SOURCE, TARGET, Plan, Run, Whole, forward
from acclimate.deep.template import DeepAdapter

__all__ = [
    "SOURCE",
    "TARGET",
    "DeepAdapter",
    "Plan",
    "Run",
    "Whole",
    "documented",
    "forward",
    "full_batches",
]
