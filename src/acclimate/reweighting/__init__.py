"""Weights of source rows: the model is fitted on the rows that look like the target's."""
