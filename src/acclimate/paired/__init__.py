"""Two modalities with pairs: one finds, names or labels the other."""
