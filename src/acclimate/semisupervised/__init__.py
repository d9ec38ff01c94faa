"""Methods that learn from their own labels of the target: self-training and its kin."""
