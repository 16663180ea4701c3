"""Is the wheel turning: how much flows from traces to fixes, how fast, and what each policy caught."""
