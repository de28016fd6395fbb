"""Assay: MLPerf Inference for language models, from one command to a checked submission."""

__version__ = "0.2.0"
