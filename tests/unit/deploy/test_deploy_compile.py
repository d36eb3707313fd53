import os
import pwd
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xio_slurm.deploy.compile import MAX_USER_DATA, compile_config, digest, read_user_data
from xio_slurm.deploy.launchers import launcher, launches
from xio_slurm.deploy.programs import Programs, installed_bin, programs_of, unusable
from xio_slurm.errors import DeployError
from xio_slurm.manifest import Manifest, Mount
from xio_slurm.slurm.conf import parse


def with_template(make: Any, path: Path) -> Any:
    return make.config(plugin=replace(make.plugin(), user_data_template=str(path)))


def test_the_manifest_says_what_the_configuration_says(make: Any) -> None:
    mounts = (Mount("/opt/slurm", "head:/opt/slurm", "nfs", "ro"),)
    compiled = compile_config(make.config(make.pool("a", min_memory=7000), mounts=mounts), make.programs, "#!/bin/sh\n")
    pool = compiled.manifest.pools[0]
    assert (pool.name, pool.size, pool.cpus, pool.max_memory, pool.min_memory) == ("a", 10, 24, 7200, 7000)
    assert compiled.manifest.mounts == mounts
    assert compiled.manifest.user_data == "#!/bin/sh\n"
    assert compiled.manifest.ems_url == "http://127.0.0.1:5000"
    assert compiled.manifest.resume_timeout == 600


def test_the_manifest_says_what_speaks_to_slurm(make: Any) -> None:
    config = make.config(plugin=replace(make.plugin(), slurm_backend="scontrol"))
    assert compile_config(config, make.programs, "").manifest.slurm_backend == "scontrol"


def test_the_manifest_reads_back_as_it_was(make: Any) -> None:
    manifest = make.compiled().manifest
    assert Manifest.from_json(manifest.to_json(), "x") == manifest


def test_the_manifest_knows_its_node_definitions(make: Any) -> None:
    compiled = make.compiled()
    assert compiled.manifest.node_definitions_digest == digest(compiled.node_definitions.encode())


def test_every_node_of_the_definitions_is_the_manifests(make: Any) -> None:
    compiled = make.compiled(make.pool("a-1"), make.pool("a"), make.pool("b", size=1))
    nodes = parse(compiled.node_definitions, "x").nodes
    assert len(nodes) == 21
    assert all(compiled.manifest.pool_of(node) for node in nodes)


def test_the_sites_template_comes_before_ours(make: Any, tmp_path: Path) -> None:
    template = tmp_path / "boot.sh"
    template.write_text("#!/bin/bash\necho site\n")
    assert read_user_data(with_template(make, template)) == "#!/bin/bash\necho site\n"
    assert read_user_data(make.config()).startswith("#!")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"echo no shebang\n", "must begin with #!"),
        (b"", "must begin with #!"),
        (b"#!/bin/sh\n\xff\xfe\n", "isn't UTF-8"),
        (b"#!/bin/sh\n\0", "NUL"),
        (b"#!/bin/sh\n" + b"#" * MAX_USER_DATA, "larger than"),
        (b"#!/bin/sh\n-----BEGIN RSA PRIVATE KEY-----\n", "holds a key"),
        (b"#!/bin/sh\nexport AWS=AKIAIOSFODNN7EXAMPLE\n", "holds a key"),
        (b"#!/bin/sh\nusermod -p '$6$salt$" + b"ab./" * 21 + b"xy' root\n", "holds a password's hash"),
    ],
)
def test_a_template_that_no_vm_can_boot_by_is_refused(make: Any, tmp_path: Path, content: bytes, message: str) -> None:
    template = tmp_path / "boot.sh"
    template.write_bytes(content)
    with pytest.raises(DeployError, match=message) as caught:
        read_user_data(with_template(make, template))
    assert str(template) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_template_is_told_with_its_path(make: Any, tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"boot\.sh: .*No such file"):
        read_user_data(with_template(make, tmp_path / "boot.sh"))


def test_the_programs_are_the_configured_folders_else_this_installations(make: Any) -> None:
    plugin = make.plugin()
    assert programs_of(replace(plugin, program_dir="/opt/p")) == Programs.in_folder(Path("/opt/p"))
    assert programs_of(plugin).resume == str(installed_bin() / "xio-resume")
    assert (installed_bin() / "xio").is_file()


def test_programs_that_slurmctld_would_refuse_are_told(tmp_path: Path) -> None:
    programs = Programs.in_folder(tmp_path)
    assert len(unusable(programs, None)) == 3
    for path, mode in ((programs.resume, 0o755), (programs.suspend, 0o644), (programs.resume_fail, 0o775)):
        Path(path).write_text("#!/bin/sh\n")
        Path(path).chmod(mode)
    told = unusable(programs, None)
    assert [line.split(":")[0] for line in told] == [programs.suspend, programs.resume_fail]
    assert "isn't executable" in told[0]
    assert "writable for others" in told[1]


def test_a_program_that_slurm_user_cannot_run_is_told_by_trying(tmp_path: Path) -> None:
    programs = Programs.in_folder(tmp_path)
    for path in (programs.resume, programs.suspend, programs.resume_fail):
        Path(path).write_text("#!/nowhere/python\n")
        Path(path).chmod(0o755)
    me = pwd.getpwuid(os.geteuid()).pw_name
    (told,) = unusable(programs, me)
    assert told.startswith(f"{programs.resume}: SlurmUser {me} can't run it: ")
    assert "No such file" in told
    Path(programs.resume).write_text("#!/bin/sh\n")
    assert unusable(programs, me) == ()
    assert unusable(programs, "no-such-user") == ()


def test_a_launcher_hands_its_arguments_on_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "it's a $HOME `id` folder"
    folder.mkdir()
    program, manifest, made = folder / "program", folder / "manifest.json", tmp_path / "launcher"
    program.write_text('#!/bin/sh\nfor argument; do printf "<%s>" "$argument"; done\n')
    program.chmod(0o755)
    made.write_text(launcher(program, manifest))
    made.chmod(0o755)
    shown = subprocess.run((made, "a b", "x-[1-3]", ""), env={}, cwd="/", capture_output=True, text=True, check=True)
    assert shown.stdout == f"<--manifest><{manifest}><a b><x-[1-3]><>"


@pytest.mark.parametrize("path", ["bin/x", "/a\nb"])
def test_a_launcher_needs_absolute_paths_in_one_line(path: str) -> None:
    with pytest.raises(DeployError, match="absolute path"):
        launcher(Path(path), Path("/m"))
    with pytest.raises(DeployError, match="absolute path"):
        launcher(Path("/p"), Path(path))


def test_a_launcher_is_known_by_its_manifest(tmp_path: Path) -> None:
    made = tmp_path / "xio-resume"
    made.write_text(launcher(Path("/p"), Path("/etc/a.json")))
    assert launches(made, Path("/etc/a.json"))
    assert not launches(made, Path("/etc/a"))
    assert not launches(tmp_path / "none", Path("/etc/a.json"))
