"""The EMS's documents that have a name: profiles, environments and images.

They are open: a key that nobody knows is kept as it came, since fields drift between EMS versions. Only what the
EMS itself lives by is checked.
"""

import copy
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from xio_slurm.emulator.answers import Refusal

Document = dict[str, Any]

_ALPHANUMERIC: Final = r"^[A-Za-z0-9]+$"


class _Open(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    Id: str | None = None


class _ControllerPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    InstanceType: str | None = None
    VolumeSize: int | None = None
    SecurityGroupIds: list[str] | None = None


class _WorkerPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    InstanceTypes: list[str] | None = None
    SpotFleetTypes: list[str] | None = None
    SecurityGroupIds: list[str] | None = None


class Profile(_Open):
    """A profile: its name is alphanumeric, since the EMS's own Slurm makes names of it."""

    ProfileName: str = Field(pattern=_ALPHANUMERIC)
    MaxControllers: int | None = None
    Controller: _ControllerPart | None = None
    Worker: _WorkerPart | None = None


class _PoolVm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    CPUs: int
    ImageName: str
    MaxMemory: int
    MinMemory: int | None = None
    VolumeSize: int | None = None


class _Pool(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    PoolName: str = Field(min_length=1)
    PoolSize: int = Field(ge=0)
    ProfileName: str
    VM: _PoolVm


class Environment(_Open):
    """An environment, with its pools in it: there is no endpoint of pools."""

    EnvName: str = Field(min_length=1)
    Pools: list[_Pool] = []


class Image(_Open):
    """An image."""

    ImageName: str = Field(min_length=1)


class Shelf:
    """The documents of one kind, by name and by the Id that the EMS gave them.

    ``own`` is what the EMS writes into each of them, whatever a client sends.
    """

    def __init__(self, kind: str, key: str, model: type[_Open], own: Mapping[str, Any] | None = None) -> None:
        self.kind = kind
        self.own = own or {}
        self._key = key
        self._model = model
        self._documents: dict[str, Document] = {}

    def names(self) -> list[str]:
        """All names, in the order of their making."""
        return list(self._documents)

    def all(self) -> list[Document]:
        """All documents."""
        return list(self._documents.values())

    def get(self, name: str) -> Document:
        """The document of this name; raises Refusal (404)."""
        if name not in self._documents:
            raise Refusal(404, f"no {self.kind} {name}")
        return self._documents[name]

    def create(self, document: Document) -> Document:
        """Keep a new document under an Id of ours; raises Refusal."""
        self.check(document)
        if "Id" in document:
            raise Refusal(400, f"{self.kind}: a new one has no Id; use PUT to change one")
        name = document[self._key]
        if name in self._documents:
            raise Refusal(400, f"{self.kind} {name} exists")
        self._documents[name] = copy.deepcopy({"Id": str(uuid.uuid4()), **self.own, **document})
        return self._documents[name]

    def update(self, document: Document) -> Document:
        """Replace the document with this Id, its name too if that is free; raises Refusal."""
        self.check(document)
        old = self.of_id(document.get("Id"))
        new_name = document[self._key]
        if new_name != old and new_name in self._documents:
            raise Refusal(400, f"{self.kind} {new_name} exists, with another Id")
        kept_own = {key: self._documents[old][key] for key in self.own}
        new = copy.deepcopy({**document, **kept_own})
        self._documents = {
            (new_name if name == old else name): (new if name == old else kept)
            for name, kept in self._documents.items()
        }
        return self._documents[new_name]

    def of_id(self, document_id: Any) -> str:
        """The name of the document with this Id; raises Refusal."""
        if document_id is None:
            raise Refusal(400, f"{self.kind}: Id is missing")
        for name, document in self._documents.items():
            if document["Id"] == document_id:
                return name
        raise Refusal(404, f"no {self.kind} with Id {document_id}")

    def delete(self, name: str) -> None:
        """Forget a document; raises Refusal (404)."""
        self.get(name)
        del self._documents[name]

    def check(self, document: Document) -> None:
        """Raises pydantic.ValidationError where a type is wrong or the name is missing."""
        self._model.model_validate(document)


def pools(environments: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Pool → environment, of all environments."""
    return {pool["PoolName"]: env["EnvName"] for env in environments for pool in env.get("Pools", ())}


def check_known(environment: Mapping[str, Any], profiles: Iterable[str], images: Iterable[str]) -> None:
    """Raises Refusal if a pool of the environment speaks of a profile or an image that isn't there."""
    for pool in environment.get("Pools", ()):
        if pool["ProfileName"] not in profiles:
            raise Refusal(400, f"pool {pool['PoolName']}: no profile {pool['ProfileName']}")
        if pool["VM"]["ImageName"] not in images:
            raise Refusal(400, f"pool {pool['PoolName']}: no image {pool['VM']['ImageName']}")
