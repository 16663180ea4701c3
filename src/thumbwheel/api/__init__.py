"""The HTTP doors under /v1."""
