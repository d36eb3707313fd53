"""Parts of an open document that an edit needs: found, or made where they aren't there.

Raises DeployError for what is there in another form: nobody knows what the EMS means by it, so nothing is put in its
place.
"""

from typing import Any, Final

from xio_slurm.ems.documents import Document
from xio_slurm.errors import DeployError

_WORDS: Final = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "a truth value",
    int: "a number",
    float: "a number",
}


def spelled(key: str, *documents: Document) -> str:
    """The key as the first of the documents spells it that has it; as it is given where none has.

    EMS versions differ in capitals (``SecurityGroupIDs``), and a second key beside the first would be anybody's guess.
    """
    for document in documents:
        if key in document:
            return key
        for each in document:
            if each.casefold() == key.casefold():
                return each
    return key


def part(document: Document, key: str, default: Document | None, path: str = "") -> Document:
    """The object under a key; where there is none, ``default`` is put there. None: it can't be made up."""
    found = _found(document, key, default, dict, path)
    if found is None:
        raise DeployError(f"the EMS's document has no {path}{key}, and az1 none either: mend az1 in the EMS's GUI")
    assert isinstance(found, dict)  # noqa: S101  by _found
    return found


def entries(document: Document, key: str, default: list[Any], path: str = "") -> list[Any]:
    """The list under a key; where there is none, ``default`` is put there."""
    found = _found(document, key, default, list, path)
    assert isinstance(found, list)  # noqa: S101  by _found
    return found


def _found(document: Document, key: str, default: Any, form: type, path: str) -> Any:
    if document.get(key) is None and default is not None:
        document[key] = default
    found = document.get(key)
    if found is not None and not isinstance(found, form):
        what = f"{path}{key} is {_WORDS[type(found)]}, where {_WORDS[form]} is expected"
        raise DeployError(f"{what}: mend it in the EMS's GUI")
    return found
