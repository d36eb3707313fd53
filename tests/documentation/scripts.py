"""What the playbooks of aws-eda-slurm-cluster leave on a head node: programs, and an include of slurm.conf."""

import re
from pathlib import Path
from typing import Final

from xio_slurm.lab import Lab

FOLDER: Final = Path("/opt/slurm/etc/exostellar")
_INCLUDE: Final = f"""SuspendProgram={FOLDER}/suspend_xspot.sh
ResumeProgram={FOLDER}/resume_xspot.sh
NodeName=xspot-vm-amd-8-gb-1-cores-[1-10] CPUs=1 RealMemory=7200 State=CLOUD
PartitionName=xio Nodes=xspot-vm-amd-8-gb-1-cores-[1-10] MaxTime=INFINITE State=UP
"""


def set_up(lab: Lab) -> None:
    """Its slurmctld runs with their nodes; ParallelCluster's own programs are commented out."""
    FOLDER.mkdir(exist_ok=True)
    for name in ("resume_xspot.sh", "suspend_xspot.sh"):
        (FOLDER / name).write_text("#!/bin/sh\nexit 0\n")
        (FOLDER / name).chmod(0o755)
    (FOLDER / "xspot.slurm.conf").write_text(_INCLUDE)
    conf = lab.layout.slurm_conf
    text = re.sub(r"^(ResumeProgram|SuspendProgram)=", r"#\1=", conf.read_text(), flags=re.MULTILINE)
    conf.write_text(f"{text}\nInclude {FOLDER}/xspot.slurm.conf\n")
    lab.restart_slurmctld()
