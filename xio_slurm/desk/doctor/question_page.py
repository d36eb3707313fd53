"""The page docs/doctor.md, made from the checks.

``python -m xio_slurm.desk.doctor.question_page > docs/doctor.md``
"""

import sys
from typing import Final

from xio_slurm.desk.doctor.examination import CHECKS, question_of
from xio_slurm.markdown import table

_INTRODUCTION: Final = """\
# What xio doctor checks

<!-- Made from the checks themselves by 'python -m xio_slurm.desk.doctor.question_page': change those, not this. -->

```console
$ xio doctor
error: the EMS has no image rhel8, which pools small, wide can't do without
    mend: xio plan, then xio apply, or xio image create --name rhel8 --ami AMI
warning: SuspendTimeout=3 is short: a node that is taken again can lose its next job
    mend: SuspendTimeout: 15 or more, then xio apply
29 checks, 1 error, 1 warning
```

The first line is the most important one: errors (jobs can't run, or VMs get lost) before warnings (they run, and
something will hurt) before notes, and of each what stops everything before what stops one pool. Under each stands what
mends it.

It only looks, as the state folder's owner where root calls it, and takes less than 5 seconds: what didn't answer by
then is an error itself, and the questions that hang on it are told as not checked. `--json` has the same for programs.
The exit code is 1 where there is an error, else 0.

"""


def page() -> str:
    """The whole page."""
    return _INTRODUCTION + table(("it asks",), ((question_of(check),) for check in CHECKS))


if __name__ == "__main__":
    sys.stdout.write(page())
