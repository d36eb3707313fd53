"""The Exostellar Management Server's address, as the CloudFormation stack says it that made the server."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from xio_slurm.aws.session import client
from xio_slurm.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

OUTPUT: Final = "2ExostellarMgmtServerPrivateIP"
"""The stack's output with the address, as Exostellar's template spells it."""

_GONE: Final = ("DELETE_", "ROLLBACK_", "CREATE_FAILED", "IMPORT_ROLLBACK_", "REVIEW_IN_PROGRESS")
"""Beginnings of the states in which a stack has no server, or soon has none (API reference, ``Stack``)."""


def management_server_address(stack: str, region: str | None) -> str:
    """The address of the EMS that the stack made. ``region`` None: boto3's usual ways to find one.

    Raises AwsError: no such stack, a stack that isn't finished, one of something else.
    """
    with client("cloudformation", region) as cloudformation:
        place = f"the stack {stack} in {cloudformation.meta.region_name}"
        try:
            pages = cloudformation.get_paginator("describe_stacks").paginate(StackName=stack)
            found = [one for page in pages for one in page["Stacks"]]
        except cloudformation.exceptions.ClientError as error:
            if "does not exist" not in str(error):
                raise
            found = []
    if not found:
        raise AwsError(f"{place}: there is none of that name: see to ManagementServerStackName and AvailabilityZone")
    return _address(place, found)


def _address(place: str, found: "Iterable[StackTypeDef]") -> str:
    described = next(iter(found))
    status = described["StackStatus"]
    if status.startswith(_GONE):
        raise AwsError(f"{place} is {status}: it has no management server: name another, or make it again")
    if status.endswith("_IN_PROGRESS") and "_CLEANUP_" not in status:
        raise AwsError(f"{place} is {status}: wait until it is done")
    outputs = {output.get("OutputKey", ""): output.get("OutputValue", "") for output in described.get("Outputs", [])}
    address = outputs.get(OUTPUT)
    if address is None:
        there = f"it has {', '.join(sorted(outputs))}" if outputs else "it has none at all"
        raise AwsError(f"{place} has no output {OUTPUT} ({there}): is it the stack of the management server?")
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        raise AwsError(f"{place}: the output {OUTPUT} is {address!r}, which is no IP address") from None
