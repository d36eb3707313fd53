"""Looks at all that is judged, side by side: read only, within a few seconds whatever hangs."""

import os
import pwd
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from xio_slurm.deadline import Deadline
from xio_slurm.deploy.compile import digest
from xio_slurm.deploy.generation import prepare
from xio_slurm.deploy.launchers import launches
from xio_slurm.deploy.programs import Programs as Paths
from xio_slurm.deploy.programs import unusable
from xio_slurm.deploy.publish import NODE_DEFINITIONS, is_settled
from xio_slurm.desk.doctor.seen import Cluster, Configuration, Definitions, Ems, Folder, Programs, Seen
from xio_slurm.desk.looks import side_by_side
from xio_slurm.ems.connection import connected
from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, PROFILES, Document, Documents, Kind
from xio_slurm.ems.tls import certificate_warnings
from xio_slurm.ems.transport import Transport
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import ConfigError, EmsError, ManifestError, SlurmError
from xio_slurm.events import FILE as EVENTS_FILE
from xio_slurm.ledger import Ledger
from xio_slurm.manifest import DEFAULT_PATH, Manifest
from xio_slurm.power import heartbeat
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.decisions import NodeAction
from xio_slurm.power.program import LOG_FILE
from xio_slurm.power.sync.notices import Problem
from xio_slurm.power.sync.observation import observe
from xio_slurm.power.sync.proposals import propose
from xio_slurm.slurm import conf as slurm_conf
from xio_slurm.slurm.conf import SlurmConf
from xio_slurm.slurm.registrations import registrations
from xio_slurm.slurm.running import settings
from xio_slurm.slurm.scontrol import Scontrol
from xio_slurm.slurm.version import installed

SECONDS: Final = 3.0
"""For all looks; what a person waits for is Python's start besides, 5 seconds at most."""

_ONE: Final = 2.7
"""Seconds for one question to Slurm or the EMS, so that its own words come in time."""

_ADDRESSES: Final = 5
_PROGRAMS: Final = ("ResumeProgram", "SuspendProgram", "ResumeFailProgram")


def look(manifest: Manifest, manifest_path: str, conf_path: str | None, config_path: Path | None) -> Seen:
    """Look. ``conf_path`` None: there is no slurm.conf here. ``config_path`` None: the YAML isn't looked at."""
    now = time.time()
    bin_dir = manifest.slurm_bin_dir
    with _transport(manifest) as ems:
        looks = {
            "definitions": lambda: _definitions(Path(manifest_path)),
            "conf": lambda: _conf(conf_path),
            "programs": lambda: _programs(_conf(conf_path), Path(manifest_path)),
            "settings": lambda: settings(bin_dir, slurm_conf=conf_path, timeout=_ONE),
            "version": lambda: installed(bin_dir, slurm_conf=conf_path, timeout=_ONE),
            "registrations": lambda: registrations(bin_dir, slurm_conf=conf_path, timeout=_ONE),
            "cluster": lambda: _cluster(manifest, conf_path, ems),
            "certificates": lambda: _certificates(manifest),
            "ems": lambda: _ems(_there(ems)),
            "profiles": lambda: _names(_there(ems), PROFILES),
            "images": lambda: _names(_there(ems), IMAGES),
            "environments": lambda: _environments(_there(ems), manifest.cluster),
            "state": lambda: _folder(manifest.state_dir, ("nodes", "locks", "pools")),
            "log": lambda: _folder(manifest.log_dir, (LOG_FILE, EVENTS_FILE)),
            "heartbeat": lambda: heartbeat.read(manifest.state_dir),
        }
        if config_path is not None:
            looks["configuration"] = lambda: _configuration(config_path, Path(manifest_path), conf_path)
        seen: dict[str, Any] = side_by_side(looks, SECONDS)
    return Seen(manifest, manifest_path, now, **seen)


@contextmanager
def _transport(manifest: Manifest) -> Iterator[Transport | ManifestError]:
    hasty = structs.replace(
        manifest,
        connect_timeout=min(manifest.connect_timeout, _ONE),
        read_timeout=min(manifest.read_timeout, _ONE),
        max_concurrent_requests=8,
    )
    try:
        with connected(hasty) as transport:
            yield transport
    except ManifestError as error:
        yield error


def _there(ems: Transport | ManifestError) -> Transport:
    if isinstance(ems, ManifestError):
        raise ems
    return ems


def _deadline() -> Deadline:
    return Deadline.after(_ONE)


def _definitions(manifest: Path) -> Definitions:
    path = manifest.parent / NODE_DEFINITIONS
    content = None
    with suppress(OSError):
        content = path.read_bytes()
    return Definitions(str(path), digest(content) if content is not None else None, is_settled(manifest.parent))


def _conf(path: str | None) -> SlurmConf:
    if path is None:
        raise SlurmError("there is no slurm.conf here: give it with --slurm-conf")
    return slurm_conf.read(path)


def _programs(conf: SlurmConf, manifest: Path) -> Programs:
    resume, suspend, resume_fail = (conf.get(key) for key in _PROGRAMS)
    if resume is None or suspend is None:
        return Programs(resume, suspend, (), read_manifest=True)
    bad = unusable(Paths(resume, suspend, resume_fail or suspend), conf.get("SlurmUser") or "root")
    is_default = Path(DEFAULT_PATH).resolve() == manifest.resolve()
    reads = is_default or bool(bad) or launches(Path(resume), manifest) or not os.access(resume, os.R_OK)
    return Programs(resume, suspend, tuple(dict.fromkeys(bad)), read_manifest=reads)


def _cluster(manifest: Manifest, conf_path: str | None, ems: Transport | ManifestError) -> Cluster:
    vms = Problem("ems", str(ems)) if isinstance(ems, ManifestError) else Vms(ems)
    slurm = Scontrol(manifest.slurm_bin_dir, slurm_conf=conf_path, timeout=_ONE)
    seen = observe(manifest, slurm, Ledger(manifest.state_dir), vms, _deadline())
    breakers = Breakers(manifest.state_dir).now(seen.time, manifest.recovery)
    proposals = propose(seen, manifest, breakers)
    overdue = [each.node for each in proposals if each.action is NodeAction.GIVE_UP and each.node in (seen.vms or ())]
    return Cluster(seen, proposals, breakers, _addresses(vms, overdue) if isinstance(vms, Vms) else {})


def _addresses(vms: Vms, nodes: list[str]) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    for node in nodes[:_ADDRESSES]:
        with suppress(EmsError):
            vm = vms.get(node, Deadline.after(_ONE / _ADDRESSES))
            found[node] = vm.address if vm is not None else None
    return found


def _certificates(manifest: Manifest) -> tuple[str, ...]:
    if manifest.tls is None or not (manifest.ems_url or "").lower().startswith("https:"):
        return ()
    return certificate_warnings(manifest.tls, datetime.now(UTC))


def _ems(transport: Transport) -> Ems:
    began = time.time()
    answer = transport.request("GET", "/v1/xcompute/info", _deadline())
    middle = (began + time.time()) / 2
    try:
        told = parsedate_to_datetime(answer.date or "").timestamp()
    except ValueError:
        return Ems(None)
    return Ems(told - middle)


def _names(transport: Transport, kind: Kind) -> frozenset[str]:
    return frozenset(str(each[kind.name_key]) for each in Documents(transport, kind).all(_deadline()))


def _environments(transport: Transport, cluster: str | None) -> tuple[Document, ...]:
    """The cluster's, whole, whatever a list holds of it; else all."""
    documents = Documents(transport, ENVIRONMENTS)
    own = documents.get(cluster, _deadline()) if cluster is not None else None
    return (own,) if own is not None else documents.all(_deadline())


def _folder(path: str, inside: tuple[str, ...]) -> Folder:
    try:
        about, room = os.stat(path), os.statvfs(path)  # noqa: PTH116  one kind of error
    except FileNotFoundError:
        return Folder(path, "isn't there")
    except OSError as error:
        return Folder(path, f"can't be looked at: {error.strerror}")
    if not os.path.isdir(path):  # noqa: PTH112  it never raises
        return Folder(path, "isn't a folder")
    return Folder(
        path,
        owner=_user(about.st_uid),
        writable=os.access(path, os.W_OK | os.X_OK),
        free=room.f_bavail * room.f_frsize,
        files=room.f_favail if room.f_files else None,
        others=tuple(_not_owned_by(about.st_uid, [Path(path) / name for name in inside])),
    )


def _not_owned_by(uid: int, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        with suppress(OSError):
            if path.stat().st_uid != uid:
                yield str(path)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _configuration(path: Path, manifest: Path, conf_path: str | None) -> Configuration:
    from xio_slurm.config import load  # noqa: PLC0415  it brings pydantic, and most calls name no configuration

    try:
        loaded = load(path)
    except ConfigError as error:
        lines = tuple(str(problem) for problem in error.problems if problem.severity == "error")
        return Configuration(str(path), lines, 0, deployed=True)
    generation = prepare(loaded.config, manifest.parent, conf_path)
    return Configuration(str(path), (), len(loaded.warnings), deployed=generation.unchanged)
