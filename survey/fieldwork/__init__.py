"""Room: fieldwork."""
