"""The VMs' root password: fetched when VMs are asked for, and turned into a hash at once.

Only the hash goes on, into the VM's user data, so neither the EMS, nor whoever listens on the way to it, nor the VM's
own files get the password. No text of an error holds any of it, nor of what was read in its place.
"""

import json
import logging
import re
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.errors import PasswordError, XioError
from xio_slurm.manifest import RootPassword
from xio_slurm.power.private_file import read_private_file
from xio_slurm.power.program import Call
from xio_slurm.power.quiet_command import output_of

LONGEST: Final = 511
"""Bytes of a password that PAM takes (PAM_MAX_RESP_SIZE)."""

_ROUNDS: Final = 100_000
"""Of SHA-512: a fifth of a second, once a call."""

_SECONDS: Final = 30.0
"""That the password may take at most."""

_GRACE: Final = 1.0
"""Seconds in which a source that watches the time itself can still say better what was too slow."""

_CRYPT_BEGINNING: Final = re.compile(r"\$(?:5|6|y)\$")
_CRYPT: Final = re.compile(
    r"\$6\$(?:rounds=\d+\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{86}"
    r"|\$5\$(?:rounds=\d+\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{43}"
    r"|\$y\$[./0-9A-Za-z]+\$[./0-9A-Za-z]{0,86}\$[./0-9A-Za-z]{43}"
)
"""Whole hashes of SHA-512, SHA-256 and yescrypt (crypt(5))."""

log = logging.getLogger("xio_slurm")


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A hash as crypt(5) has it, which no repr shows."""

    text: str = field(repr=False)


def password_for_vms(call: Call) -> PasswordHash | None:
    """The password that the call's VMs get, or None where none is configured, or where it can't be had.

    A job runs without it, so the VMs are made all the same, and the log and an event tell it once.
    """
    source = call.manifest.root_password
    if source is None:
        return None
    # Whatever it takes, the greater part of the time is the VMs'.
    deadline = call.deadline.sooner(min(_SECONDS, call.deadline.left() / 3))
    try:
        return _read_in_time(source, deadline)
    except XioError as error:
        why = str(error)
    except Exception as error:  # a library's; its text and its traceback's could hold the password
        why = f"the root password can't be read, by a bug ({type(error).__name__})"
    log.error("%s: the VMs are made without a root password", why)
    call.events.record("no-password", why=why)
    return None


def _read_in_time(source: RootPassword, deadline: Deadline) -> PasswordHash:
    """The same as ``read_password``, whatever hangs: a file system, a name server, AWS. The VMs don't wait for it."""
    future: Future[PasswordHash] = Future()

    def read() -> None:
        try:
            future.set_result(read_password(source, deadline))
        except BaseException as error:  # it is raised where somebody waits for it
            future.set_exception(error)

    Thread(target=read, daemon=True).start()  # daemon: the program's end doesn't wait for it either
    try:
        return future.result(deadline.left() + _GRACE)
    except TimeoutError:
        where = source.file or (source.command or (f"the secret {source.secret}",))[0]
        raise PasswordError(f"{where}: the root password wasn't to be had in time") from None


def read_password(source: RootPassword, deadline: Deadline) -> PasswordHash:
    """Fetch the password, and hash it. Raises PasswordError or AwsError: one line, with nothing of the password."""
    if source.file is not None:
        return _hashed(_decoded(read_private_file(source.file, LONGEST + 2), source.file), source.file)
    if source.command is not None:
        where = source.command[0]
        return _hashed(_decoded(output_of(source.command, deadline, LONGEST + 2), where), where)
    if source.secret is not None:
        from xio_slurm.aws.secret import secret_string  # noqa: PLC0415  # seldom needed, and slow to load

        where = f"the secret {source.secret}"
        return _hashed(_value_of(secret_string(source.secret, source.region), where), where)
    raise PasswordError("the manifest says that there is a root password, and not where: run 'xio generate' again")


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise PasswordError(f"{where}: what it holds isn't UTF-8 text") from None


def _value_of(text: str, where: str) -> str:
    """The password in a secret: the text itself, or the key ``password`` of a JSON object, as AWS's console stores."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    value = document.get("password") if isinstance(document, dict) else None
    if not isinstance(value, str):
        raise PasswordError(f"{where}: its JSON has no text under the key 'password'")
    return value


def _hashed(text: str, where: str) -> PasswordHash:
    password = text.removesuffix("\n").removesuffix("\r")
    if not password:
        raise PasswordError(f"{where}: it is empty: it must hold the root password, or its hash")
    if len(password.encode(errors="replace")) > LONGEST:
        raise PasswordError(
            f"{where}: it holds more than {LONGEST} bytes, the longest password that one can log in with"
        )
    if "\n" in password:
        raise PasswordError(f"{where}: it holds more than one line")
    if not password.isprintable():
        raise PasswordError(f"{where}: it holds characters that can't be typed")
    if _CRYPT.fullmatch(password):
        return PasswordHash(password)
    if _CRYPT_BEGINNING.match(password):
        raise PasswordError(f"{where}: it begins like a hash of crypt(5), and isn't a whole one")
    from passlib.hash import sha512_crypt  # noqa: PLC0415  # a tenth of a second, for those who have a password

    return PasswordHash(sha512_crypt.using(rounds=_ROUNDS).hash(password))
