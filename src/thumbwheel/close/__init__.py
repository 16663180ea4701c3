"""What a settled label becomes: a golden row that gates a merge, a preference pair that teaches a model."""
