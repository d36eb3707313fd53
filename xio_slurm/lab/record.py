"""What a lab's folder tells about the lab in it: ``lab.json``, written last, when everything is up."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from xio_slurm.errors import LabError
from xio_slurm.lab.layout import Layout


@dataclass(frozen=True, slots=True)
class Record:
    """A lab that is up.

    ``config`` is the configuration it was made of; ``path`` a PATH that finds its Slurm; ``delegated_url`` the second
    emulator's URL, None without a delegated family; ``own_host_names`` whether a VM has its node's name as host name;
    ``notes`` what differs from a real cluster.
    """

    config: str
    slurmctld: str
    slurm_bin_dir: str
    slurm_version: str
    path: str
    slurm_user: str
    emulator_url: str
    delegated_url: str | None
    own_host_names: bool
    notes: tuple[str, ...]

    def write(self, layout: Layout) -> None:
        """Write it, all or nothing."""
        partial = layout.record.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        partial.chmod(0o644)
        partial.replace(layout.record)

    @classmethod
    def read(cls, layout: Layout) -> Self:
        """Read it. Raises LabError where no lab came up, or one of another version did."""
        try:
            document = json.loads(layout.record.read_text(encoding="utf-8"))
            return cls(**{**document, "notes": tuple(document["notes"])})
        except FileNotFoundError as error:
            raise LabError(f"{layout.folder}: no lab is up there: make one with 'xio lab up'") from error
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise LabError(f"{layout.record}: can't be read ({error}): run 'xio lab down' and 'xio lab up'") from error
