"""The checker: a submission tree in, findings out. `check.check(root, round)` is the way in."""
