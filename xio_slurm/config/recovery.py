"""What is done about starts that fail: the keys of ``Plugin`` about it, and what they mean together."""

from xio_slurm.config.pool_names import check_pool_names
from xio_slurm.config.problems import Problems
from xio_slurm.config.schema import PluginKeys
from xio_slurm.config.section import Section
from xio_slurm.manifest import Recovery


def read_recovery(section: Section, problems: Problems) -> Recovery:
    """All of it, with everything that the file leaves out."""
    keys = section.plugin.keys
    _check_boot_timeout(section, keys, problems)
    _check_closing(section, keys, problems)
    return Recovery(
        retry_seconds=float(keys.retry_seconds),
        boot_timeout=float(keys.boot_timeout or 0),
        close_seconds=float(keys.close_seconds),
        longest_close_seconds=float(keys.longest_close_seconds),
        boot_failures=keys.boot_failures,
        failed_starts=keys.failed_starts,
        release_surplus=keys.release_surplus_nodes,
        grace=float(keys.orphan_grace),
        sync_interval=float(keys.sync_interval),
        most_deletes=keys.most_deletes,
    )


def _check_boot_timeout(section: Section, keys: PluginKeys, problems: Problems) -> None:
    """At ResumeTimeout Slurm gives the node up by itself, and then says nothing of what we know."""
    resume = keys.resume_timeout
    of_pools: dict[tuple[str, ...], int | None] = {
        ("PoolBootTimeouts", pool): boot for pool, boot in keys.pool_boot_timeouts.items()
    }
    deadlines: dict[tuple[str, ...], int | None] = {("BootTimeout",): keys.boot_timeout, **of_pools}
    for key, boot in deadlines.items():
        if boot is not None and boot >= resume and not problems.has_error((*section.plugin.path, "ResumeTimeout")):
            what = f"is {boot} s, and must be less than ResumeTimeout ({resume} s), when Slurm gives the node up"
            problems.error((*section.plugin.path, *key), what, f"write less than {resume}, or take it out")
    check_pool_names(section, "PoolBootTimeouts", keys.pool_boot_timeouts, problems)


def _check_closing(section: Section, keys: PluginKeys, problems: Problems) -> None:
    first, longest = keys.close_seconds, keys.longest_close_seconds
    if first > longest and not problems.has_error((*section.plugin.path, "LongestCloseSeconds")):
        what = f"is {first:g} s, and must be at most LongestCloseSeconds ({longest:g} s)"
        remedy = f"write at most {longest:g}, or at least {first:g} for LongestCloseSeconds"
        problems.error((*section.plugin.path, "CloseSeconds"), what, remedy)
