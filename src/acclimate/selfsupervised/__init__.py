"""Pretraining without labels: networks that learn from the rows alone, for any start later."""
