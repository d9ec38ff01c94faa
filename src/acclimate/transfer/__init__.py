"""Transfer with target labels: start from the source model and go on."""
