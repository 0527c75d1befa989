"""Freezing a machine once it has booted, so that sessions start from there; what is kept so."""
