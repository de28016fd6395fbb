"""Assay: MLPerf Inference for Mixtral-8x7B, from one command to a checked submission."""

__version__ = "0.1.0"
