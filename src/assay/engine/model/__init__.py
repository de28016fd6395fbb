"""The Mixtral model on top of a set of ops. Start at mixtral.py."""
