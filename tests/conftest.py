"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE: dev (the default), ci, night."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

COMMON: dict[str, object] = {
    "deadline": None,  # whole recoveries differ in length by orders of magnitude
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}

settings.register_profile("dev", max_examples=50, **COMMON)  # type: ignore[arg-type]
settings.register_profile("ci", max_examples=200, derandomize=True, **COMMON)  # type: ignore[arg-type]
settings.register_profile("night", max_examples=1_000, **COMMON)  # type: ignore[arg-type]
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
