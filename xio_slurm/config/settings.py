"""What stands beside profiles and pools: our own settings, mounts, images, the older spellings."""

import re
from typing import Final, TypeVar

from xio_slurm.config import model
from xio_slurm.config.access import read_proxy, read_tls
from xio_slurm.config.address import ems_url
from xio_slurm.config.pool_names import check_pool_names
from xio_slurm.config.pools import check_word
from xio_slurm.config.problems import Problems
from xio_slurm.config.recovery import read_recovery
from xio_slurm.config.schema import PluginKeys
from xio_slurm.config.section import Section
from xio_slurm.config.unique import check_unique
from xio_slurm.manifest import Delegates, Mount
from xio_slurm.naming import NODE_PREFIXES, UNION_PARTITIONS

_PLACEHOLDER: Final = re.compile(r"<.*>|ami-x+")

Value = TypeVar("Value")


def read_partition(section: Section, problems: Problems) -> str:
    """The union partition."""
    name = section.keys.partition_name or UNION_PARTITIONS[section.product]
    check_word((*section.path, "PartitionName"), name, problems)
    return name


def read_images(section: Section, problems: Problems) -> tuple[model.Image, ...]:
    """The images to make, and a word on names that nobody has filled in."""
    named = [((*entry.path, "ImageName"), entry.keys.image_name) for entry in section.images]
    check_unique("image", named, problems)
    amis = [((*entry.path, "ImageId"), entry.keys.image_id) for entry in section.images]
    default = section.keys.default_image_name
    pools = [((*entry.path, "ImageName"), entry.keys.image_name) for entry in section.pools]
    for path, text in (*named, *amis, ((*section.path, "DefaultImageName"), default), *pools):
        if text is not None and _PLACEHOLDER.fullmatch(text):
            problems.warning(path, f"is still the placeholder {text!r}", "write the real one, or take the key out")
    return tuple(model.Image(e.keys.image_name, e.keys.image_id, e.keys.volume_size) for e in section.images)


def read_controllers(section: Section, problems: Problems) -> model.Controllers:
    """``Controllers``, or its older spelling."""
    keys, old = section.controllers.keys, section.keys
    spellings = _Spellings(section, "Controllers", problems)
    groups = spellings.either("SecurityGroupIds", keys.security_group_ids, old.controller_security_group_ids)
    return model.Controllers(
        image=spellings.either("ImageId", keys.image_id, old.controller_image_id),
        security_group_ids=tuple(groups or ()),
        identity_role=keys.identity_role,
        instance_type=keys.instance_type,
    )


def read_workers(section: Section, problems: Problems) -> model.Workers:
    """``Workers``, or its older spelling."""
    keys, old = section.workers.keys, section.keys
    spellings = _Spellings(section, "Workers", problems)
    groups = spellings.either("SecurityGroupIds", keys.security_group_ids, old.worker_security_group_ids)
    return model.Workers(
        image=spellings.either("ImageId", keys.image_id, old.worker_image_id),
        security_group_ids=tuple(groups or ()),
        identity_role=keys.identity_role,
    )


def read_mounts(section: Section, problems: Problems) -> tuple[Mount, ...]:
    """``slurm: storage: ExtraMounts``."""
    seen: set[str] = set()
    for entry in section.mounts:
        dest = entry.keys.dest.rstrip("/")
        if dest in seen:
            problems.error((*entry.path, "dest"), f"{dest!r} is mounted twice", "keep one of them")
        seen.add(dest)
    return tuple(Mount(e.keys.dest, e.keys.src, e.keys.type, e.keys.options) for e in section.mounts)


def read_plugin(section: Section, problems: Problems) -> model.Plugin:
    """``Plugin``, with everything that it leaves out."""
    keys = section.plugin.keys
    _check_patience(section, keys, problems)
    _check_delegates(section, keys, problems)
    return model.Plugin(
        ems_url=ems_url(section, problems),
        ems_proxy=read_proxy(section, problems),
        tls=read_tls(section, problems),
        prefix_profiles=_prefix_profiles(section, problems),
        head_address=keys.head_address,
        state_dir=keys.state_dir,
        log_dir=keys.log_dir,
        slurm_bin_dir=keys.slurm_bin_dir,
        slurm_backend=keys.slurm_backend,
        program_dir=keys.program_dir,
        node_prefix=node_prefix(section),
        max_concurrent_requests=keys.max_concurrent_requests,
        connect_timeout=float(keys.connect_timeout),
        read_timeout=float(keys.read_timeout),
        resume_timeout=keys.resume_timeout,
        suspend_timeout=keys.suspend_timeout,
        suspend_time=keys.suspend_time,
        resume_rate=keys.resume_rate,
        suspend_rate=keys.suspend_rate,
        user_data_template=keys.user_data_template,
        vm_hook_script=keys.vm_hook_script,
        delegates=Delegates(
            resume=keys.delegate_resume_program,
            suspend=keys.delegate_suspend_program,
            resume_fail=keys.delegate_resume_fail_program,
        ),
        recovery=read_recovery(section, problems),
        pool_boot_timeouts=keys.pool_boot_timeouts,
        metrics_address=keys.metrics_address,
        vm_hour_prices=_vm_hour_prices(section, problems),
        currency=keys.currency,
    )


def node_prefix(section: Section) -> str:
    """What the names of our nodes begin with."""
    return section.plugin.keys.node_prefix or NODE_PREFIXES[section.product]


def _vm_hour_prices(section: Section, problems: Problems) -> dict[str, float]:
    prices = section.plugin.keys.vm_hour_prices
    check_pool_names(section, "VmHourPrices", prices, problems)
    return {pool: float(price) for pool, price in prices.items()}


class _Spellings:
    """The keys of ``Controllers`` or ``Workers``, that the oldest files spell ``ControllerImageId`` and so on."""

    def __init__(self, section: Section, part: str, problems: Problems) -> None:
        self._path = section.path
        self._part = part
        self._problems = problems

    def either(self, key: str, new: Value | None, old: Value | None) -> Value | None:
        """The value under whichever spelling there is; two different ones are an error."""
        if new and old and new != old:
            older = f"{self._part.removesuffix('s')}{key}"
            what = f"says something else than {self._part}.{key}, its newer spelling"
            self._problems.error((*self._path, older), what, f"take {older} out")
        return new or old


def _prefix_profiles(section: Section, problems: Problems) -> bool:
    if section.plugin.keys.prefix_profiles and section.cluster is None and not problems.has_error(("slurm",)):
        what = "needs the cluster's name, and there is no slurm.ClusterName"
        problems.error((*section.plugin.path, "PrefixProfiles"), what, "add ClusterName under slurm")
    return section.plugin.keys.prefix_profiles


def _check_patience(section: Section, keys: PluginKeys, problems: Problems) -> None:
    """One request must fit into the time that slurmctld gives to a whole resume or suspend."""
    request = keys.connect_timeout + keys.read_timeout
    for key, limit in (("ResumeTimeout", keys.resume_timeout), ("SuspendTimeout", keys.suspend_timeout)):
        if request >= limit:
            what = f"is {limit} s, and one request to the EMS may take {request:g} s (ConnectTimeout + ReadTimeout)"
            problems.warning((*section.plugin.path, key), what, "write more, or lower ReadTimeout")


def _check_delegates(section: Section, keys: PluginKeys, problems: Problems) -> None:
    """Tell another family's nodes of which only one program knows."""
    resume, suspend = "DelegateResumeProgram", "DelegateSuspendProgram"
    given = {resume: keys.delegate_resume_program, suspend: keys.delegate_suspend_program}
    for key, other, lack in ((resume, suspend, "suspended"), (suspend, resume, "resumed")):
        if given[key] is not None and given[other] is None and not problems.has_error((*section.plugin.path, other)):
            what = f"stands without {other}: other families' nodes would never be {lack}"
            problems.warning((*section.plugin.path, key), what, f"add {other}")
