"""Shows on a terminal how far images are: a bar each, below all that is printed meanwhile."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO, cast

from rich.console import Console
from rich.file_proxy import FileProxy
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from xio_slurm.images.making import ImageProgress


@contextmanager
def bars() -> Iterator[Callable[[ImageProgress], None]]:
    """What to call with every progress, from any thread. stderr is a terminal."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
    columns = (
        TextColumn("{task.fields[image]}", markup=False, table_column=Column(no_wrap=True, max_width=30)),
        BarColumn(bar_width=12, table_column=Column(min_width=12)),
        TimeElapsedColumn(table_column=Column(min_width=7)),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
    )
    tasks: dict[str, TaskID] = {}
    lock = threading.Lock()

    def show(now: ImageProgress) -> None:
        with lock:
            if now.name not in tasks:
                tasks[now.name] = progress.add_task(now.step, total=None, image=now.name)
            progress.update(tasks[now.name], description=now.step)

    progress = Progress(
        *columns, console=console, transient=True, expand=True, redirect_stdout=False, redirect_stderr=False
    )
    with progress, _above(console):
        yield show


@contextmanager
def _above(console: Console) -> Iterator[None]:
    """Put above the bars what goes to their terminal; what goes elsewhere is left alone."""
    with ExitStack() as stack:
        if sys.stdout is not None and os.path.sameopenfile(1, 2):
            stack.enter_context(redirect_stdout(cast(TextIO, _Above(console, sys.stdout))))
        stack.enter_context(redirect_stderr(cast(TextIO, _Above(console, sys.stderr))))
        yield


class _Above(FileProxy):
    """click prints past a stream that doesn't tell these: into the bars."""

    encoding = "utf-8"
    errors = "replace"

    def isatty(self) -> bool:
        return True
