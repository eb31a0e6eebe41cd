"""
What an inventory reads of storage: who makes the volumes of a class. Only the fields that are read.
"""

from __future__ import annotations

from phases.api_struct import ApiStruct
from phases.objects import Meta


class StorageClass(ApiStruct, frozen=True, rename="camel"):
    """storage.k8s.io/v1 StorageClass. *provisioner*: of a CSI driver its name."""

    metadata: Meta
    provisioner: str = ""


class CsiDriver(ApiStruct, frozen=True, rename="camel"):
    """storage.k8s.io/v1 CSIDriver, whose name is its driver's own; who brings it is all that is read."""

    metadata: Meta
