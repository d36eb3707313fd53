"""The argument NODE of the commands about one VM."""

import re

import click

_HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}\Z", re.ASCII)


def one_node(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """One node's name. It becomes part of a file's name and of a URL, so nothing else is let through."""
    if not _HOST_NAME.match(value):
        raise click.BadParameter(f"{value!r} is no node's name: name one node, without brackets or commas", ctx, param)
    return value
