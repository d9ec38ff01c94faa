"""Choosing and judging: the verdict on a transfer. Each module is imported where it is needed."""
