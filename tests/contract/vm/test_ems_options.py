"""Which cluster a command is about: --manifest, $XIO_MANIFEST, or a configuration."""

import subprocess

from tests.contract.vm.conftest import XIO, Site


def _list(site: Site, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(XIO), "vm", "list", *options]
    env = {**site.environment, **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)


def test_the_environment_names_a_manifest(site: Site) -> None:
    assert "1 VM of others" in _list(site, XIO_MANIFEST=str(site.folder / "manifest.json")).stdout


def test_the_option_is_stronger(site: Site) -> None:
    done = _list(site, "--manifest", str(site.folder / "manifest.json"), XIO_MANIFEST="/none")
    assert done.returncode == 0


def test_one_that_is_missing_is_told(site: Site) -> None:
    done = _list(site, XIO_MANIFEST="/none")
    where = "'xio apply' writes it; for one elsewhere give --manifest FILE or $XIO_MANIFEST"
    assert (done.returncode, done.stderr) == (1, f"xio: /none: there is no manifest: {where}\n")


def test_both_are_wrong_usage(site: Site) -> None:
    assert _list(site, "--manifest", "a", "-c", "b").returncode == 2


def test_a_manifest_without_an_address_is_told(site: Site) -> None:
    site.change(ems_url=None)
    done = _list(site, "--manifest", str(site.folder / "manifest.json"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no address of the EMS" in done.stderr
