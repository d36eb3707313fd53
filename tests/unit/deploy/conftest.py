"""A small configuration, made of its own parts: what a test is about is passed in."""

from dataclasses import replace

import pytest

from xio_slurm.config.model import Config, Controllers, Plugin, Pool, Profile, Workers
from xio_slurm.deploy.compile import Compiled, compile_config
from xio_slurm.deploy.programs import Programs
from xio_slurm.manifest import Delegates, Recovery, Tls

PROGRAMS = Programs("/opt/xio/bin/xio-resume", "/opt/xio/bin/xio-suspend", "/opt/xio/bin/xio-resume-fail")
USER_DATA = "#!/bin/sh\ntrue\n"


def a_pool(name: str, **changes: object) -> Pool:
    """A pool of 10 nodes."""
    pool = Pool(
        name=name,
        profile="amd",
        image="rhel8",
        size=10,
        cpus=24,
        min_memory=None,
        max_memory=7200,
        volume_size=10,
        weight=66,
    )
    return replace(pool, **changes)  # type: ignore[arg-type]  # fields of any type


def a_plugin() -> Plugin:
    """The settings of nobody in particular."""
    return Plugin(
        ems_url="http://127.0.0.1:5000",
        ems_proxy=None,
        tls=Tls(None, None, None, None),
        prefix_profiles=False,
        head_address=None,
        state_dir="/var/lib/xio",
        log_dir="/var/log/xio",
        slurm_bin_dir="/usr/bin",
        slurm_backend="auto",
        program_dir=None,
        node_prefix="xspot-vm-",
        max_concurrent_requests=32,
        connect_timeout=5.0,
        read_timeout=30.0,
        resume_timeout=600,
        suspend_timeout=120,
        suspend_time=350,
        resume_rate=100,
        suspend_rate=100,
        user_data_template=None,
        vm_hook_script=None,
        delegates=Delegates(None, None, None),
        recovery=Recovery(),
        pool_boot_timeouts={},
        metrics_address=None,
        vm_hour_prices={},
        currency="USD",
    )


def a_config(*pools: Pool, plugin: Plugin | None = None, **changes: object) -> Config:
    """A configuration of these pools; of one, ``amd-8-gb-1-cores``, where none is given."""
    config = Config(
        file="/etc/xio/xio.yaml",
        product="xio",
        cluster="lab",
        partition="xio",
        availability_zone="us-east-2b",
        region="us-east-2",
        management_server_stack_name=None,
        management_server_ip=None,
        images=(),
        profiles=(Profile("amd", "amd", "amd", 10, ("c5a",), ("c5a",), False),),
        pools=pools or (a_pool("amd-8-gb-1-cores"),),
        controllers=Controllers(None, (), None, None),
        workers=Workers(None, (), None),
        root_password=None,
        mounts=(),
        plugin=plugin or a_plugin(),
    )
    return replace(config, **changes)  # type: ignore[arg-type]  # fields of any type


class Make:
    """What tests make things with."""

    programs = PROGRAMS
    user_data = USER_DATA
    pool = staticmethod(a_pool)
    plugin = staticmethod(a_plugin)
    config = staticmethod(a_config)

    def compiled(self, *pools: Pool, **changes: object) -> Compiled:
        """Both files of a configuration."""
        return compile_config(self.config(*pools, **changes), PROGRAMS, USER_DATA)  # type: ignore[arg-type]  # as above


@pytest.fixture
def make() -> Make:
    return Make()
