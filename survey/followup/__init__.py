"""Room: followup."""
