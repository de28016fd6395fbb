"""The meaning of recipes, as pure rules over plain values. Nothing here reads a file or starts a process."""
