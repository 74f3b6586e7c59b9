"""Room: certification."""
