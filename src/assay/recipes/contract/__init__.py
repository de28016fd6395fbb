"""Formats and habits owned by MLCommons' CM and MLC: command line, files, hooks, helpers. Foreign words stay here."""
