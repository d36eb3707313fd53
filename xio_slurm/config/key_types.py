"""The types of values in ``slurm: Xio:``: what they look like, and how large they may be."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
ALPHANUMERIC: Final = r"^[A-Za-z0-9]+$"
ABSOLUTE_PATH: Final = r"^/[A-Za-z0-9._+@=:,/~-]*$"
WORD: Final = r"^[!-~]+$"
HOST: Final = r"^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$"
_PORT: Final = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HOST_AND_PORT: Final = rf"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):{_PORT}$"
CURRENCY: Final = r"^[A-Z]{3}$"

PATTERNS: Final = {
    NAME: ("may hold letters, digits, '_', '.' and '-' only, and begins with a letter or digit", "amd-8-gb-1-cores"),
    ALPHANUMERIC: ("may hold letters and digits only: the EMS takes no others", "amd"),
    ABSOLUTE_PATH: ("must be an absolute path of letters, digits and . _ + @ = : , / ~ - only", "/var/lib/xio"),
    WORD: ("must be one word of printable ASCII, without spaces", "my-name-1"),
    HOST: ("must be an IP address or a host's name", "10.0.0.10"),
    HOST_AND_PORT: ("must be an address of this host and a port, from 1 to 65535", "127.0.0.1:9818"),
    CURRENCY: ("must be three capital letters, as ISO 4217 has them", "USD"),
}
"""What every pattern asks for in words, and an example. Slurm, shells and the EMS read what they are for."""

MAX_POOL_SIZE: Final = 65_536
"""Slurm's limit on a range of nodes in one expression (MAX_RANGE in its hostlist.c)."""

_MAX_CPUS: Final = 4096
_MAX_MIB: Final = 64 * 1024 * 1024
_MAX_GB: Final = 65_536
_UINT16: Final = 65_533
_UINT32: Final = 4_294_967_293
"""Slurm keeps times and rates in these; the two values above each mean "infinite" and "no value"."""

Name = Annotated[str, StringConstraints(pattern=NAME, max_length=200)]
Alphanumeric = Annotated[str, StringConstraints(pattern=ALPHANUMERIC, max_length=200)]
AbsolutePath = Annotated[str, StringConstraints(pattern=ABSOLUTE_PATH, max_length=1024)]
Word = Annotated[str, StringConstraints(pattern=WORD, max_length=1024)]
Host = Annotated[str, StringConstraints(pattern=HOST, max_length=253)]
HostAndPort = Annotated[str, StringConstraints(pattern=HOST_AND_PORT, max_length=260)]

Mebibytes = Annotated[int, Field(ge=1, le=_MAX_MIB, json_schema_extra={"x-unit": "MiB"})]
Gigabytes = Annotated[int, Field(ge=1, le=_MAX_GB, json_schema_extra={"x-unit": "GB"})]
Count = Annotated[int, Field(ge=1, le=10_000)]
PoolSize = Annotated[int, Field(ge=1, le=MAX_POOL_SIZE)]
Cpus = Annotated[int, Field(ge=1, le=_MAX_CPUS)]
Seconds = Annotated[int, Field(ge=1, le=_UINT16, json_schema_extra={"x-unit": "s"})]
LongSeconds = Annotated[int, Field(ge=1, le=_UINT32, json_schema_extra={"x-unit": "s"})]
Weight = Annotated[int, Field(ge=1, le=_UINT32)]
Rate = Annotated[int, Field(ge=0, le=_UINT16, json_schema_extra={"x-unit": "nodes a minute"})]
Patience = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False, json_schema_extra={"x-unit": "s"})]
Interval = Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False, json_schema_extra={"x-unit": "s"})]
Price = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Currency = Annotated[str, StringConstraints(pattern=CURRENCY)]
InstanceEntries = Annotated[list[Word], Field(max_length=500, examples=[["c6a:4", "m6a"]])]
