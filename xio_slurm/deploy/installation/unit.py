"""systemd's unit and logrotate's file, filled in with what is known of the cluster. Pure."""

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from xio_slurm.deploy.installation.site import Site
from xio_slurm.errors import DeployError

_PLAIN: Final = re.compile(r"/[A-Za-z0-9/._+@:,=~-]*")
_HOMES: Final = ("/home", "/root", "/run/user")
_TEMPORARY: Final = ("/tmp", "/var/tmp")  # noqa: S108  named, not used


def unit(template: str, site: Site) -> str:
    """The unit for this cluster. ``template`` is the sample, for a plain one. Raises DeployError for odd paths."""
    paths = (site.interpreter, site.prefix, site.manifest, site.slurm_conf, site.state_dir, site.log_dir)
    _check(paths, "a unit of systemd's")
    command = f"{site.interpreter} -I -m xio_slurm.commands sync --manifest {site.manifest}"
    values: dict[str, str | None] = {
        "User": site.slurm_user,
        "ExecStart": command,
        "ReadWritePaths": f"{site.state_dir} {site.log_dir}",
        # What lies in these would be hidden from the service.
        "ProtectHome": "read-only" if _any_below(paths, _HOMES) else "yes",
        "PrivateTmp": "no" if _any_below(paths, _TEMPORARY) else "yes",
        **_own_folder("State", site.state_dir, "/var/lib", "0700"),
        **_own_folder("Logs", site.log_dir, "/var/log", "0750"),
    }
    return f"# Made by 'xio install' for {site.slurm_conf}.\n" + _filled(
        template, values, f"Environment=SLURM_CONF={site.slurm_conf}"
    )


def logrotate(template: str, site: Site) -> str:
    """logrotate's file for this cluster. ``template`` is the sample."""
    _check((site.log_dir,), "logrotate's file")
    text = re.sub(r"^#.*\n", "", template, flags=re.MULTILINE)
    text = text.replace("/var/log/xio", site.log_dir).replace("su slurm slurm", f"su {site.slurm_user} {site.group}")
    return f"# Made by 'xio install'.\n{text}"


def _check(paths: tuple[str, ...], what: str) -> None:
    for path in paths:
        if not _PLAIN.fullmatch(path):
            raise DeployError(f"{path!r}: {what} needs a path of letters, digits and ._+@:,=~-")


def _own_folder(which: str, folder: str, parent: str, mode: str) -> Mapping[str, str | None]:
    """systemd makes it, too, where it can name it: below a folder of its own."""
    below = str(PurePath(folder).parent) == parent
    return {
        f"{which}Directory": PurePath(folder).name if below else None,
        f"{which}DirectoryMode": mode if below else None,
    }


def _any_below(paths: tuple[str, ...], folders: tuple[str, ...]) -> bool:
    return any(PurePath(path).is_relative_to(folder) for path in paths for folder in folders)


def _filled(template: str, values: Mapping[str, str | None], environment: str) -> str:
    """The template's lines with these values; None takes a line away. What introduces the sample goes, too."""
    lines = template.splitlines()
    lines = lines[lines.index("[Unit]") :]
    made = []
    for line in lines:
        key = line.partition("=")[0]
        value = values.get(key, "")
        if key in values and value is not None:
            made.append(f"{key}={value}")
        elif key not in values:
            made.append(line)
        if key == "ExecStart":
            made.append(environment)
    return "\n".join(made) + "\n"
