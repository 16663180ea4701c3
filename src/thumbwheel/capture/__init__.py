"""Capture: what is kept of what users say and do."""
