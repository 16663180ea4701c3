"""Mathematics that has never heard of us: agreement, intervals, estimates, survival."""
