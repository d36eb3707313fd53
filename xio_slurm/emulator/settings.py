"""The emulator's settings: its times, its limits, and which reading of each unknown of the EMS it plays.

The EMS publishes no reference. Where nobody has seen what it does, each possible answer is a value here, so that a
client can be tried on all of them. The defaults are what was seen, or else what asks most of a client.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ErrorBody = Literal["json", "text", "html", "empty"]
ImageField = Literal["ami"]
VmField = Literal["pool", "profile", "env", "created"]


def _as_text(value: Any) -> Any:
    # YAML reads an unquoted 409 as a number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Code = BeforeValidator(_as_text)
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class Settings(BaseModel):
    """All settings. Times in seconds; a limit of 0 means none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    boot_seconds: Seconds = 1.0
    """From the answer to POST until the VM has an address."""
    boot_jitter: Seconds = 0.0
    """Up to so much more, at random."""
    parse_seconds: Seconds = 1.0
    """From the POST of a parse job until it is done."""
    delete_seconds: Seconds = 0.0
    """From the 200 of a DELETE until the VM is gone."""
    latency: Seconds = 0.0
    """Added to every answer."""
    latency_jitter: Seconds = 0.0
    """Up to so much more, at random."""

    booting_get: Annotated[Literal["200", "102"], _Code] = "200"
    """A GET of a VM with no address yet: 200 without Vm.PrivateIpAddress, or 102 without a body."""
    deleting_get: Annotated[Literal["200", "102"], _Code] = "200"
    """A GET of a VM whose deletion is still running."""
    existing_vm: Annotated[Literal["same", "second", "400", "409"], _Code] = "same"
    """A POST of a NodeName that has a VM: 200 and the same VM, 200 and a second VM, or refused."""
    twin_delete: Literal["one", "all"] = "one"
    """A DELETE of a name that two VMs have: ends the younger one, or both."""
    missing_delete: Annotated[Literal["200", "404"], _Code] = "404"
    """A DELETE of a NodeName with no VM."""
    busy_profile: Literal["refuse", "allow"] = "refuse"
    """A PUT or DELETE of a profile that has VMs; a running controller blocks it (409)."""
    lost_keys: Literal["refuse", "allow"] = "refuse"
    """A PUT without a key, tag or security group that the document had, or a POST of a profile without one of az1's."""
    image_rename: Literal["allow", "refuse"] = "allow"
    """A PUT of an image with another ImageName."""
    image_delete: Literal["allow", "refuse-in-use"] = "allow"
    """A DELETE of an image that a pool of an environment has (409)."""
    image_fields: tuple[ImageField, ...] = ("ami",)
    """Whether an image tells its ImageId, the AMI that it was made from. In lists and in detail."""
    image_while_parsing: Literal["hidden", "listed"] = "hidden"
    """Whether there is an image from the beginning of its parse on, with a Status: Parsing, then Ready or Failed."""
    error_body: ErrorBody = "json"
    """What an error's body is: {"Error": text}, the text, a proxy's HTML page, or nothing."""
    vm_fields: tuple[VmField, ...] = ()
    """What a VM tells besides its name: PoolName, ProfileName, EnvName, CreationTime. In lists and in detail."""
    require_known: bool = False
    """Whether a VM's image, profile and pool must exist, and those of an environment's pools."""

    max_concurrent: Annotated[int, Field(ge=0)] = 0
    """Requests at a time; more are answered with overload_status."""
    max_rate: Annotated[int, Field(ge=0)] = 0
    """Requests within one second; more are answered with overload_status."""
    overload_status: Annotated[Literal["429", "503"], _Code] = "503"
    retry_after: Annotated[int, Field(ge=0)] = 0
    """Seconds in the Retry-After header of overload_status; 0 sends no such header."""

    version: str = "2.6.1.0"
    """Manifest.copVersion of /v1/xcompute/info."""
    seed: int = 0
    """Of everything random, so that a run can be repeated."""
