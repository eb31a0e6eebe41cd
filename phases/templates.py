"""
What a workload's pods are made from: only what is read of it, under the API's own names.

``Secret`` values have no place here, nor has any value of a variable.
"""

from __future__ import annotations

from phases.api_struct import ApiStruct


class MaybeReference(ApiStruct, frozen=True, rename="camel"):
    """A reference to a Secret or a ConfigMap beside the referrer; *optional*: it goes on without."""

    kind: str = ""
    name: str = ""
    optional: bool = False


class ValueSource(ApiStruct, frozen=True, rename="camel"):
    """See Variable."""

    secret_key_ref: MaybeReference | None = None


class Variable(ApiStruct, frozen=True, rename="camel"):
    """A variable of a container's environment: where its value is from, never the value."""

    value_from: ValueSource | None = None


class VariablesSource(ApiStruct, frozen=True, rename="camel"):
    """Where all variables of a Secret are from."""

    secret_ref: MaybeReference | None = None


class Container(ApiStruct, frozen=True, rename="camel"):
    """See TemplateSpec. Image and options are read for controllers alone, the rest for the Secrets that it names."""

    name: str = ""
    image: str = ""
    args: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    env_from: tuple[VariablesSource, ...] = ()


class SecretVolume(ApiStruct, frozen=True, rename="camel"):
    """See TemplateVolume."""

    secret_name: str = ""
    optional: bool = False


class Projection(ApiStruct, frozen=True, rename="camel"):
    """See Projected."""

    secret: MaybeReference | None = None


class Projected(ApiStruct, frozen=True, rename="camel"):
    """See TemplateVolume."""

    sources: tuple[Projection, ...] = ()


class ClaimName(ApiStruct, frozen=True, rename="camel"):
    """The claim of a volume."""

    claim_name: str = ""


class ClaimMeta(ApiStruct, frozen=True, rename="camel"):
    """See ClaimTemplate."""

    name: str = ""


class DataSource(ApiStruct, frozen=True, rename="camel"):
    """What the volume of a claim is filled from."""

    api_group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class ClaimTemplateSpec(ApiStruct, frozen=True, rename="camel"):
    """
    What a claim in a manifest asks for. Without a *storage_class_name* that is the default class; an empty one is none.

    *data_source* is the older field: of what is no snapshot and no claim, the API drops it. A *volume_name* says that
    the volume is there.
    """

    storage_class_name: str | None = None
    data_source_ref: DataSource | None = None
    data_source: DataSource | None = None
    volume_name: str = ""


class ClaimTemplate(ApiStruct, frozen=True, rename="camel"):
    """A claim that is made for each pod: a StatefulSet's, or of a volume that lives as long as its pod."""

    metadata: ClaimMeta = ClaimMeta()
    spec: ClaimTemplateSpec = ClaimTemplateSpec()


class Ephemeral(ApiStruct, frozen=True, rename="camel"):
    """See TemplateVolume."""

    volume_claim_template: ClaimTemplate | None = None


class TemplateVolume(ApiStruct, frozen=True, rename="camel"):
    """A volume of a workload's pods: only what has to be there first."""

    secret: SecretVolume | None = None
    projected: Projected | None = None
    persistent_volume_claim: ClaimName | None = None
    ephemeral: Ephemeral | None = None


class TemplateSpec(ApiStruct, frozen=True, rename="camel"):
    """See Template."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[TemplateVolume, ...] = ()


class Template(ApiStruct, frozen=True, rename="camel"):
    """What a workload's pods are made from."""

    spec: TemplateSpec = TemplateSpec()
