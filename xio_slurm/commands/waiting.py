"""Tells somebody who waits for what."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

_PATIENCE: Final = 2.0
"""Seconds after which somebody who waits is told for what."""


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Print the text on stderr if what is done within takes long."""
    timer = threading.Timer(_PATIENCE, click.echo, args=(text,), kwargs={"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
