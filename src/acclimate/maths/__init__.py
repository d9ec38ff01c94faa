"""Mathematics that several rooms use: arrays in, arrays out."""
