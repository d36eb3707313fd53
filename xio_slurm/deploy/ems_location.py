"""Where the EMS is now: by its address, or freshly looked up by its CloudFormation stack."""

from dataclasses import dataclass

from xio_slurm.config.model import Config
from xio_slurm.deploy.ems_address import with_address, with_known_address
from xio_slurm.deploy.publish import Deployed
from xio_slurm.errors import XioError


@dataclass(frozen=True, slots=True)
class Location:
    """The configuration with the EMS's address; ``problem`` says why it has none. One line each."""

    config: Config
    warnings: tuple[str, ...] = ()
    problem: str | None = None


def locate(config: Config, deployed: Deployed) -> Location:
    """Look the stack up, if that is all that the configuration says: an EMS that has moved is noticed so.

    Where AWS doesn't tell, the address that an earlier look-up left in the manifest is used, with a warning.
    """
    stack = config.management_server_stack_name
    if config.plugin.ems_url is not None or stack is None:
        return Location(config)
    from xio_slurm.aws.stack import management_server_address  # noqa: PLC0415  # boto3 takes a while to load

    try:
        return Location(with_address(config, management_server_address(stack, config.region)))
    except XioError as error:
        known = with_known_address(config, deployed)
        if known.plugin.ems_url is None:
            return Location(config, problem=str(error))
        return Location(known, (f"{error}; the address of an earlier look-up is used: {known.plugin.ems_url}",))
