"""The base of all structs that hold Kubernetes objects."""

from __future__ import annotations

import msgspec


class ApiStruct(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """
    Names as in the API's JSON.

    The collector does not follow them: what is decoded from JSON and frozen has no cycles, and there are a dozen of
    them a pod.
    """
