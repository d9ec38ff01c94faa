"""Choosing by fitting again: picks, reruns, searches."""
