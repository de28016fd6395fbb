"""Formats and conventions of MLCommons' CM and MLC: command line, files, hooks, helpers. Their terms are used only
here."""
