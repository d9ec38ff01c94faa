"""Scores of candidates without target labels."""
