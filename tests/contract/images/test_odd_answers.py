"""Whatever the EMS answers at whatever step: one line, and nothing that a later run can't mend."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.contract.images.conftest import NAME, NEW, OLD, Site
from xio_slurm.errors import XioError

Begin = Callable[..., Site]

ODD: Final[dict[str, dict[str, Any]]] = {
    "500": {"effect": "status", "status": 500},
    "500 after it was done": {"effect": "status", "status": 500, "done": True},
    "502 of a proxy": {"effect": "status", "status": 502, "body": "html"},
    "200 with html": {"effect": "status", "status": 200, "body": "html"},
    "200 with nothing": {"effect": "status", "status": 200, "body": "empty"},
    "200 with a list": {"effect": "status", "status": 200, "text": "[]"},
    "200 with null": {"effect": "status", "status": 200, "text": "null"},
    "200 with another kind": {"effect": "status", "status": 200, "text": '{"ImageName": 7, "JobId": {"a": []}}'},
    "deep json": {"effect": "status", "status": 200, "text": "[" * 100_000},
    "half a document": {"effect": "truncated-json"},
    "half a body": {"effect": "truncated-body"},
    "10 MiB": {"effect": "huge-body", "bytes": 10 * 1024 * 1024},
    "40 MiB": {"effect": "huge-body", "bytes": 40 * 1024 * 1024},
    "slow drip": {"effect": "slow-drip", "seconds": 20},
    "102 for ever": {"effect": "status", "status": 102},
    "404": {"effect": "status", "status": 404},
    "429": {"effect": "status", "status": 429, "body": "text"},
    "reset": {"effect": "lost-answer"},
    "nothing arrives": {"effect": "lost-request"},
    "closed": {"effect": "lost-answer", "how": "close"},
}

STEPS: Final[dict[str, dict[str, str]]] = {
    "first look": {"method": "GET", "path": "/v1/image/*"},
    "parse": {"method": "POST", "path": "/v1/xcompute/parse"},
    "job": {"method": "GET", "path": "/v1/xcompute/parse/*"},
    "next": {"method": "GET", "path": "/v1/image/*-xio-next"},
    "rename": {"method": "PUT", "path": "/v1/image"},
    "delete": {"method": "DELETE"},
}


@pytest.mark.parametrize(
    ("step", "rename"),
    [*((step, "allow") for step in STEPS if step != "next"), ("next", "refuse"), ("delete", "refuse")],
)
@pytest.mark.parametrize("odd", ODD)
def test_any_answer_at_any_step_is_one_line_or_made_good(begin: Begin, odd: str, step: str, rename: str) -> None:
    site = begin({NAME: OLD}, image_rename=rename)
    site.manifest = replace(site.manifest, connect_timeout=0.1, read_timeout=0.15)
    site.ems.add_fault(**ODD[odd], match=STEPS[step])
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx7\n"
    try:
        made = site.make(seconds=0.8, key=key, user="root")
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
    site.manifest = replace(site.manifest, connect_timeout=2, read_timeout=2)
    site.make()
    assert site.images() == {NAME: NEW}
