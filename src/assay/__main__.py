"""`python -m assay` is `assay`."""

from assay.cli import entry

entry()
