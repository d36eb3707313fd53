"""The page docs/events.md, made from the table of events.

``python -m xio_slurm.desk.event_page > docs/events.md``
"""

import sys
from typing import Final

from xio_slurm.desk.event_kinds import COMMON, FIELDS, KINDS
from xio_slurm.markdown import table

_INTRODUCTION: Final = """\
# Events

<!-- Made from the code's own table by 'python -m xio_slurm.desk.event_page': change that, not this. -->

What the programs do they note for machines in `events.jsonl` in LogDir: a line of JSON for each thing that happened.
The same in words is in `xio.log` beside it and in the system's log (`journalctl -t xio-resume`, `-t xio-suspend`,
`-t xio-resume-fail`, `-u xio-sync`). `xio explain` reads them for you.

```console
$ jq -c 'select(.event == "refused")' /var/log/xio/events.jsonl
$ jq -r 'select(.event == "registered") | "\\(.pool) \\(.seconds)"' /var/log/xio/events.jsonl
```

- A line is written at once and whole, also where programs overlap. Their order is that of the file; two controllers
  that share it have two clocks.
- A field that isn't known is absent. Releases bring new kinds and new fields: pass over what you don't know.
- Nothing waits for it: on a full disk or in a folder that can't be written a line is lost, and the VM is made.
- logrotate moves the file away (`/etc/logrotate.d/xio-slurm`), and whoever writes next begins a new one.
- No secret stands in it.
"""


def page() -> str:
    """The whole page."""
    kinds = (
        (f"`{kind}`", about.meaning, ", ".join(f"`{name}`" for name in about.fields)) for kind, about in KINDS.items()
    )
    return "\n".join(
        (
            _INTRODUCTION,
            "## Fields of every event\n",
            table(("Field", "Meaning"), ((f"`{name}`", meaning) for name, meaning in COMMON.items())),
            "## Kinds\n",
            table(("Event", "Meaning", "Fields"), kinds),
            "## Fields of some\n",
            table(("Field", "Meaning"), ((f"`{name}`", meaning) for name, meaning in FIELDS.items())),
        )
    )


if __name__ == "__main__":
    sys.stdout.write(page())
