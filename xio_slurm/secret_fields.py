"""Which parts of an EMS document could be secret. They are never shown, not even what they were."""

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "***"

_SECRET: Final = re.compile(
    r"password|passwd|passphrase|secret|token|credential|userdata|cookie|authorization|private(?!ip|dns|subnet|addr)"
    r"|pem$|.key(?:s|pem|data)?$"
)
_NOT_WORD: Final = re.compile(r"[^a-z0-9]")


def hides(key: str, document: Mapping[str, Any]) -> bool:
    """Whether the value of this key of a document looks like a secret: by its words, or for a tag by the tag's.

    The ``Key`` of a tag is none itself.
    """
    tag = document.get("Key", document.get("Name"))
    return _speaks_of_secret(key) or (key == "Value" and isinstance(tag, str) and _speaks_of_secret(tag))


def masked(value: Any) -> Any:
    """A copy of a value in which no secret is left."""
    if isinstance(value, dict):
        return {key: mask(each) if hides(key, value) else masked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each) for each in value]
    return MASK if isinstance(value, str) and "-----BEGIN" in value else value


def mask(value: Any) -> Any:
    """What is shown in the place of a secret; one that is empty stays, since that tells nothing."""
    return MASK if value else value


def _speaks_of_secret(words: str) -> bool:
    return _SECRET.search(_NOT_WORD.sub("", words.lower())) is not None
