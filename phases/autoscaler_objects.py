"""
What an inventory reads of autoscalers: whom they scale, and how few pods they leave it. Only the fields that are read.
"""

from __future__ import annotations

from phases.api_struct import ApiStruct
from phases.objects import Meta


class ScaleTarget(ApiStruct, frozen=True, rename="camel"):
    """Whom an autoscaler scales, in its own namespace. What is not named is as KEDA has it."""

    api_version: str = "apps/v1"
    kind: str = "Deployment"
    name: str = ""


class AutoscalerSpec(ApiStruct, frozen=True, rename="camel"):
    """See HorizontalPodAutoscaler."""

    scale_target_ref: ScaleTarget = ScaleTarget()
    min_replicas: int = 1


class HorizontalPodAutoscaler(ApiStruct, frozen=True, rename="camel"):
    """autoscaling/v2 HorizontalPodAutoscaler."""

    metadata: Meta
    spec: AutoscalerSpec = AutoscalerSpec()


class ScaledObjectSpec(ApiStruct, frozen=True, rename="camel"):
    """See ScaledObject. *idle_replica_count* is for when nothing triggers; None: as *min_replica_count*."""

    scale_target_ref: ScaleTarget = ScaleTarget()
    min_replica_count: int = 0
    idle_replica_count: int | None = None


class ScaledObject(ApiStruct, frozen=True, rename="camel"):
    """keda.sh/v1alpha1 ScaledObject."""

    metadata: Meta
    spec: ScaledObjectSpec = ScaledObjectSpec()
