from typing import Any

from xio_slurm.images.use import uses_of
from xio_slurm.secret_fields import MASK, masked


def test_uses_are_told_by_image_and_environment() -> None:
    def pool(name: str, image: str) -> dict[str, Any]:
        return {"PoolName": name, "VM": {"ImageName": image}}

    environments = [
        {"EnvName": "a", "Pools": [pool("p", "rhel8"), pool("q", "rhel9"), pool("r", "rhel8")]},
        {"EnvName": "b", "Pools": [pool("p", "rhel8")]},
    ]
    assert uses_of(environments) == {"rhel8": {"a": ("p", "r"), "b": ("p",)}, "rhel9": {"a": ("q",)}}


def test_what_is_no_environment_tells_no_use() -> None:
    odd: list[dict[str, Any]] = [{}, {"EnvName": "a", "Pools": None}, {"Pools": [None, {"VM": 3}, {"VM": {}}]}]
    assert uses_of(odd) == {}


def test_keys_and_passwords_are_hidden_wherever_they_stand() -> None:
    document = {
        "ImageName": "rhel8",
        "UserKeyPem": "abc",
        "Parse": [{"RootPassword": "abc", "Log": "x -----BEGIN RSA PRIVATE KEY----- y", "UserKeyPem": ""}],
    }
    assert masked(document) == {
        "ImageName": "rhel8",
        "UserKeyPem": MASK,
        "Parse": [{"RootPassword": MASK, "Log": MASK, "UserKeyPem": ""}],
    }
