"""Whether a document may be made, changed or deleted as it was asked for. Raises Refusal where not.

What the EMS itself lives by is the shelf's to check; here is what the settings say and the other documents.
"""

from collections.abc import Mapping
from typing import Any

from xio_slurm.emulator.answers import Refusal
from xio_slurm.emulator.documents import Document, Shelf, check_known
from xio_slurm.emulator.lost_keys import lost
from xio_slurm.emulator.state import State


def check_create(state: State, shelf: Shelf, document: Document) -> None:
    """A new profile has everything that az1 has, but for what the EMS writes itself."""
    _check_known(state, document)
    if shelf is not state.profiles or state.settings.lost_keys == "allow":
        return
    for key in shelf.own:
        if key in document:
            raise Refusal(400, f"profile {document['ProfileName']}: {key} is the EMS's own: leave it out")
    if "az1" in shelf.names():
        _check_kept("profile", document["ProfileName"], _without(shelf.get("az1"), {"Id", *shelf.own}), document)


def check_update(state: State, shelf: Shelf, document: Document) -> None:
    """A changed document has lost nothing of the one that was told before."""
    _check_known(state, document)
    name = shelf.of_id(document.get("Id"))
    _check_not_busy(state, shelf, name)
    if shelf is state.images and state.settings.image_rename == "refuse" and document["ImageName"] != name:
        raise Refusal(400, f"image {name} can't be renamed")
    if state.settings.lost_keys == "allow":
        return
    stored = shelf.get(name)
    for key in shelf.own:
        if key in document and document[key] != stored[key]:
            raise Refusal(400, f"{shelf.kind} {name}: {key} is the EMS's own: it can't be changed")
    _check_kept(shelf.kind, name, _without(told(state, shelf, stored), set(shelf.own)), document)


def check_delete(state: State, shelf: Shelf, name: str) -> None:
    """A profile has no VMs, and an image no pool, where the settings say so."""
    _check_not_busy(state, shelf, name)
    if shelf is state.images and state.settings.image_delete == "refuse-in-use":
        for environment in state.environments.all():
            for pool in environment.get("Pools", ()):
                if pool["VM"]["ImageName"] == name:
                    raise Refusal(409, f"image {name} is used by pool {pool['PoolName']} of {environment['EnvName']}")


def told(state: State, shelf: Shelf, document: Document) -> Document:
    """What of a document is told to clients."""
    if shelf is state.images and "ami" not in state.settings.image_fields:
        return _without(document, {"ImageId"})
    return document


def _without(document: Mapping[str, Any], keys: set[str]) -> Document:
    return {key: value for key, value in document.items() if key not in keys}


def _check_kept(kind: str, name: str, given: Document, sent: Document) -> None:
    if paths := lost(given, sent):
        raise Refusal(400, f"{kind} {name}: has lost {', '.join(paths)}")


def _check_known(state: State, document: Document) -> None:
    if state.settings.require_known and "EnvName" in document:
        check_known(document, state.profiles.names(), state.images.names())


def _check_not_busy(state: State, shelf: Shelf, name: str) -> None:
    if shelf is state.profiles and state.settings.busy_profile == "refuse" and state.fleet.of_profile(name):
        raise Refusal(409, f"profile {name} has a running controller")
