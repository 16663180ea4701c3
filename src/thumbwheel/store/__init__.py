"""The ledger and the archive: the only place that speaks SQL."""
