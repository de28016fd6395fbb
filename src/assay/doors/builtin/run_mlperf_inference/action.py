"""The same benchmark asked through the wrapper's tags: the two differ in their meta.yaml alone."""

from __future__ import annotations

from assay.doors.builtin.app_mlperf_inference.action import action

__all__ = ["action"]
