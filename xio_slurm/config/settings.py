"""What stands beside profiles and pools: the EMS's address, our own settings, mounts, images, the older spellings."""

import re
from ipaddress import ip_address
from typing import Final, TypeVar
from urllib.parse import urlsplit

from xio_slurm.config import model
from xio_slurm.config.nodes import KeyPath
from xio_slurm.config.pools import check_word
from xio_slurm.config.problems import Problems
from xio_slurm.config.schema import PluginKeys
from xio_slurm.config.section import Section
from xio_slurm.config.unique import check_unique
from xio_slurm.manifest import Delegates, Mount
from xio_slurm.naming import NODE_PREFIXES, UNION_PARTITIONS

_PLACEHOLDER: Final = re.compile(r"<.*>|ami-x+")
_DIGITS_AND_DOTS: Final = re.compile(r"[0-9.]+")

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
    return model.Plugin(
        ems_url=_ems_url(section, problems),
        state_dir=keys.state_dir,
        log_dir=keys.log_dir,
        slurm_bin_dir=keys.slurm_bin_dir,
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
    )


def node_prefix(section: Section) -> str:
    """What the names of our nodes begin with."""
    return section.plugin.keys.node_prefix or NODE_PREFIXES[section.product]


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


def _check_patience(section: Section, keys: PluginKeys, problems: Problems) -> None:
    """One request must fit into the time that slurmctld gives to a whole resume or suspend."""
    request = keys.connect_timeout + keys.read_timeout
    for key, limit in (("ResumeTimeout", keys.resume_timeout), ("SuspendTimeout", keys.suspend_timeout)):
        if request >= limit:
            what = f"is {limit} s, and one request to the EMS may take {request:g} s (ConnectTimeout + ReadTimeout)"
            problems.warning((*section.plugin.path, key), what, "write more, or lower ReadTimeout")


def _ems_url(section: Section, problems: Problems) -> str | None:
    """The EMS's base URL; None where only its stack is known, of which somebody must ask AWS."""
    keys = section.keys
    address = _address(section, problems)
    if section.plugin.keys.ems_url is not None:
        return _checked_url(section.plugin.keys.ems_url, (*section.plugin.path, "EmsUrl"), problems)
    if address is not None:
        host = f"[{address}]" if ":" in address else address
        return f"http://{host}:5000" if section.product == "xio" else f"https://{host}"
    if keys.management_server_stack_name is None:
        what = "is missing, and so are ManagementServerStackName and Plugin.EmsUrl: nothing says where the EMS is"
        place = (*section.path, "ManagementServerIp")
        problems.error(place, what, "add it, such as ManagementServerIp: 10.0.0.10")
    return None


def _address(section: Section, problems: Problems) -> str | None:
    address = section.keys.management_server_ip
    if address is None or _is_address(address):
        return address
    path = (*section.path, "ManagementServerIp")
    problems.error(path, f"{address!r} is no IP address", "write one such as 10.0.0.10")
    return None


def _is_address(text: str) -> bool:
    if ":" not in text and not _DIGITS_AND_DOTS.fullmatch(text):
        return True  # a host's name
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _checked_url(url: str, path: KeyPath, problems: Problems) -> str | None:
    """The URL without a slash at its end. It is never quoted in a message: it could hold a password."""
    example = "write http://<address>:5000 or https://<address>"
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port != 0
    except ValueError:
        problems.error(path, "is no URL", example)
        return None
    if parts.username is not None or parts.password is not None:
        problems.error(path, "holds a user or password, and every program of the cluster reads it", "take it out")
    elif parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        problems.error(path, "is no http or https URL", example)
    elif parts.query or parts.fragment:
        problems.error(path, "holds more than an address ('?' or '#')", example)
    else:
        return url.rstrip("/")
    return None
