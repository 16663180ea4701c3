"""Sample: which traces deserve a human, and the exact chance each of them had."""
