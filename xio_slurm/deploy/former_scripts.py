"""What the aws-eda-slurm-cluster scripts for XIO leave in a slurm.conf, recognised by name. Pure."""

import re
from pathlib import PurePath
from typing import Final

_PROGRAM: Final = re.compile(r"(?:resume|suspend)\w*_(?:xspot|xwo)\.sh", re.ASCII)
_NODE_DEFINITIONS: Final = re.compile(r".*(?:xspot|xwo).*\.slurm\.conf", re.ASCII)


def is_their_program(path: str) -> bool:
    """Whether a ResumeProgram or SuspendProgram is one of theirs: it makes and deletes VMs of our nodes' names."""
    return _PROGRAM.fullmatch(PurePath(path).name) is not None


def is_their_include(path: str) -> bool:
    """Whether a file that slurm.conf includes holds their node definitions, whose names ours bear, too."""
    return _NODE_DEFINITIONS.fullmatch(PurePath(path).name) is not None
