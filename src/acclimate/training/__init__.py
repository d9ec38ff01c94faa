"""The one training loop, and what goes through it: batches, terms, phases."""
