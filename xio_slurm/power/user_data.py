"""The script that a VM boots with: the site's template, with what this node needs put before it.

The template is a plain shell script that reads variables, so there is no template language to learn or to escape:
the assignments go right after its ``#!`` line, each value quoted for the shell.
"""

import base64
import shlex
from collections.abc import Iterable

from xio_slurm.manifest import Mount


def render(
    template: str,
    *,
    node: str,
    pool: str,
    cluster: str,
    mounts: Iterable[Mount],
    hook_script: str,
    root_password_hash: str = "",
) -> str:
    """The script's text. ``template`` begins with its ``#!`` line; deploying a manifest has checked that.

    ``root_password_hash`` is as crypt(5) has it, never the password: the script goes through the EMS, and stays in
    the VM. Empty for none.
    """
    variables = {
        "XIO_NODE": node,
        "XIO_POOL": pool,
        "XIO_CLUSTER": cluster,
        "XIO_MOUNTS": "\n".join(f"{mount.type}\t{mount.src}\t{mount.dest}\t{mount.options}" for mount in mounts),
        "XIO_HOOK_SCRIPT": hook_script,
    }
    interpreter, _, script = template.partition("\n")
    assignments = "\n".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    # In a trace (bash -x) it would end in the console's log.
    untraced = f"{{ XIO_ROOT_PASSWORD_HASH={shlex.quote(root_password_hash)}; }} 2>/dev/null"
    return f"{interpreter}\n{assignments}\n{untraced}\n{script}"


def encode(script: str) -> str:
    """Base64 on one line, as the EMS takes it."""
    return base64.b64encode(script.encode()).decode("ascii")
