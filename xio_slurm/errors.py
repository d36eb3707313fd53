"""Everything that can go wrong in a way we know, as one tree.

* XioError
  * ConfigError: the YAML breaks a rule (all its problems at once)
  * DeployError: node definitions or manifest can't be written or aren't accepted
    * ImageError: an image can't be made on the EMS, replaced or deleted
  * ManifestError: the manifest is missing, unreadable or of another version
  * LedgerError: the state folder or one of its files can't be read or written
    * LedgerUnusable: nothing can be locked in the state folder (read-only, missing)
  * EventsError: what the programs noted in events.jsonl can't be read
  * EmsError: the Exostellar Management Server
    * EmsUnreachable: no answer came (refused, timed out, connection lost)
      * CertificateError: our own certificates can't be used, so nothing was asked
    * EmsRefused: an answer came, and it says no
    * EmsUnreadable: an answer came that can't be understood
  * AwsError: AWS can't be asked, or says no
  * PasswordError: the VMs' root password can't be had, or can't be one
  * SlurmError: one of Slurm's commands failed
    * SlurmTimeout: one of Slurm's commands took too long
  * VmError: a VM isn't deleted, or can't be told of, and why
  * LabError: the throw-away cluster can't be made, found or ended
  * EmulatorError: the emulator can't start, or a scenario is wrong

The text of every one is a single line that a user can act on: what, where, what to do. A program prints it and
exits; anything else that reaches the top is a bug of ours and leaves a report file.
"""

from typing import Literal

from msgspec import Struct


class XioError(Exception):
    """Base of every error that is told to a user in one line."""


class Problem(Struct, frozen=True):
    """One thing wrong with a configuration file.

    ``key`` is the dotted path as the file spells it (``slurm.Xio.Pools[0].ImageName``); ``remedy`` says what to
    write instead. ``line`` counts from 1; 0 means the file as a whole.
    """

    severity: Literal["error", "warning"]
    file: str
    line: int
    key: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{where}: {self.severity}:{key} {self.what}{remedy}"


class ConfigError(XioError):
    """A configuration that breaks a rule. ``problems`` holds every one of them, warnings included."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class DeployError(XioError):
    """Node definitions or manifest can't be written, or Slurm would not take them."""


class ImageError(DeployError):
    """An image of the EMS can't be made, replaced or deleted; what there is under which name is said."""


class ManifestError(XioError):
    """The manifest is missing, unreadable, or of a version that this program doesn't know."""


class LedgerError(XioError):
    """The state folder, or a node's file or lock in it, can't be used."""


class LedgerUnusable(LedgerError):
    """No lock can be taken in the state folder, by anybody: it is missing or read-only, or the disk is full."""


class EventsError(XioError):
    """What the programs noted of the past can't be read, or not all of it."""


class EmsError(XioError):
    """Base of what can go wrong between us and the Exostellar Management Server."""


class EmsUnreachable(EmsError):
    """No answer came. ``sent`` tells whether the request may have been carried out all the same."""

    def __init__(self, message: str, *, sent: bool) -> None:
        self.sent = sent
        super().__init__(message)


class CertificateError(EmsUnreachable):
    """A certificate or key of ours is missing, unreadable, wrong or out of date. No request was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=False)


class EmsRefused(EmsError):
    """The EMS answered with something else than 200. ``status`` is the HTTP code."""

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


class EmsUnreadable(EmsError):
    """The EMS answered 200 with a body that can't be understood (HTML, truncated JSON, too large)."""


class AwsError(XioError):
    """AWS can't be asked, or says no. ``code`` is AWS's own word for its refusal; None where no answer came."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        self.code = code
        super().__init__(message)


class PasswordError(XioError):
    """The VMs' root password can't be had from where it is configured, or can't be one. Never holds any of it."""


class SlurmError(XioError):
    """A Slurm command failed, or printed what we can't read."""


class SlurmTimeout(SlurmError):
    """A Slurm command gave no answer in its time."""


class VmError(XioError):
    """What was asked about a VM isn't done: it isn't ours, Slurm uses it, it won't go, or there is none."""


class LabError(XioError):
    """The throw-away cluster can't be made, found or ended."""


class EmulatorError(XioError):
    """The emulator can't start, or was given a scenario that makes no sense."""
