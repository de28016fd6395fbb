"""Submission trees: paths (`tree`), writing (`write`), truncation and packing."""
