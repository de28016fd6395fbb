"""Running a request: choose, resolve, dependencies, hooks, native script, hand back."""
