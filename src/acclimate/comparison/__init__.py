"""Trying methods on one problem: candidates, workers, the design of the labels, the result."""
