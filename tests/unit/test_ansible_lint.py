"""The role is what ansible-lint asks of one that is published."""

import subprocess
import sys
from pathlib import Path

from tests.slurm.ansible import PLAYBOOKS, environment


def test_the_role_and_its_playbooks_are_fit_for_production(tmp_path: Path) -> None:
    lint = Path(sys.executable).parent / "ansible-lint"
    ended = subprocess.run(
        (lint, "--offline", "--nocolor", "--profile", "production", PLAYBOOKS),
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Profile 'production' was required, and it passed." in ended.stderr
