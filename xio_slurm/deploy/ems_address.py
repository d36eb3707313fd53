"""The EMS's address where only its CloudFormation stack is named: looked up once, and kept in the manifest."""

from dataclasses import replace

from xio_slurm.config.address import url_of
from xio_slurm.config.model import Config
from xio_slurm.deploy.publish import Deployed


def with_address(config: Config, address: str) -> Config:
    """The configuration, with the EMS at this address."""
    return replace(config, plugin=replace(config.plugin, ems_url=url_of(address, config.product)))


def with_known_address(config: Config, deployed: Deployed) -> Config:
    """The configuration with the address that an earlier look-up of the same stack has left in the manifest."""
    if config.plugin.ems_url is not None or config.management_server_stack_name is None:
        return config
    known = deployed.known()
    stack = config.management_server_stack_name
    if known is None or known.ems_url is None or known.management_server_stack != stack:
        return config
    return replace(config, plugin=replace(config.plugin, ems_url=known.ems_url))
