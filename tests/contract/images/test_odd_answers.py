"""Whatever the EMS answers at whatever step: one line, and nothing that a later run can't mend."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from msgspec import structs

from tests.contract.images.conftest import NAME, NEW, OLD, Site
from xio_slurm.errors import XioError

Begin = Callable[..., Site]

EVERYWHERE: Final[dict[str, dict[str, Any]]] = {
    "500": {"effect": "status", "status": 500},
    "500 after it was done": {"effect": "status", "status": 500, "done": True},
    "200 with html": {"effect": "status", "status": 200, "body": "html"},
    "200 with another kind": {"effect": "status", "status": 200, "text": '{"ImageName": 7, "JobId": {"a": []}}'},
    "half a body": {"effect": "truncated-body"},
    "slow drip": {"effect": "slow-drip", "seconds": 20},
    "102 for ever": {"effect": "status", "status": 102},
    "404": {"effect": "status", "status": 404},
    "429": {"effect": "status", "status": 429, "body": "text"},
    "reset": {"effect": "lost-answer"},
    "nothing arrives": {"effect": "lost-request"},
}

ALIKE: Final[dict[str, dict[str, Any]]] = {
    "502 of a proxy": {"effect": "status", "status": 502, "body": "html"},
    "200 with nothing": {"effect": "status", "status": 200, "body": "empty"},
    "200 with a list": {"effect": "status", "status": 200, "text": "[]"},
    "200 with null": {"effect": "status", "status": 200, "text": "null"},
    "deep json": {"effect": "status", "status": 200, "text": "[" * 100_000},
    "half a document": {"effect": "truncated-json"},
    "10 MiB": {"effect": "huge-body", "bytes": 10 * 1024 * 1024},
    "40 MiB": {"effect": "huge-body", "bytes": 40 * 1024 * 1024},
    "closed": {"effect": "lost-answer", "how": "close"},
}
"""Answers that are one of those above to whoever asked: they come at the steps whose bodies are read."""

STEPS: Final[dict[str, dict[str, str]]] = {
    "first look": {"method": "GET", "path": "/v1/image/*"},
    "parse": {"method": "POST", "path": "/v1/xcompute/parse"},
    "job": {"method": "GET", "path": "/v1/xcompute/parse/*"},
    "next": {"method": "GET", "path": "/v1/image/*-xio-next"},
    "rename": {"method": "PUT", "path": "/v1/image"},
    "delete": {"method": "DELETE"},
}


WAYS: Final = [*((step, "allow") for step in STEPS if step != "next"), ("next", "refuse"), ("delete", "refuse")]

READ: Final = [("parse", "allow"), ("next", "refuse")]


@pytest.mark.parametrize(
    ("odd", "step", "rename"),
    [
        *((odd, *way) for odd in EVERYWHERE for way in WAYS),
        *((odd, *way) for odd in ALIKE for way in READ),
    ],
)
def test_any_answer_at_any_step_is_one_line_or_made_good(begin: Begin, odd: str, step: str, rename: str) -> None:
    site = begin({NAME: OLD}, image_rename=rename)
    site.manifest = structs.replace(site.manifest, connect_timeout=0.1, read_timeout=0.1)
    site.ems.add_fault(**{**EVERYWHERE, **ALIKE}[odd], match=STEPS[step])
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx7\n"
    try:
        made = site.make(seconds=0.5, key=key, user="root")
    except XioError as error:
        text = str(error)
        assert text
        assert "\n" not in text
        assert "Traceback" not in text
        assert "MIIEow" not in text
        assert len(text) < 1500
        left = site.images()
        assert {OLD, NEW} & {*left.values()}
        if NAME not in left:
            assert f"there is no {NAME}, and no VM can start from it" in text or "before, " in text
    else:
        left = site.images()
        assert (made.ami, left[NAME]) == (NEW, NEW)
        assert {*left} == {NAME} or made.notes
    # The bad day is over: the same again.
    site.manifest = structs.replace(site.manifest, connect_timeout=2, read_timeout=2)
    site.make()
    assert site.images() == {NAME: NEW}
