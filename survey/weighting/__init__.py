"""Room: weighting."""
