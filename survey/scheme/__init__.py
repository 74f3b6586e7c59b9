"""Room: scheme."""
