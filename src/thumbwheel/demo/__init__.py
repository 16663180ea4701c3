"""A realistic week to try the wheel on: recorded texts, hand-written support traces, simulated behaviour."""
