"""Losses: pure functions of tensors, with shapes in and out."""
