"""Runs a request: chooses a recipe, resolves it, runs dependencies, hooks and native script, returns env and state."""
