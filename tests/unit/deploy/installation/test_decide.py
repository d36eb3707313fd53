"""What is done about a file: every situation of what is there, what was put and what is wanted."""

import pytest

from xio_slurm.deploy.installation.decide import Action, Seen, digest, installing, uninstalling
from xio_slurm.deploy.installation.record import Installed, Put
from xio_slurm.deploy.installation.wanted import File, Installation

NEW, OURS, THEIRS, EDITED = (digest(word) for word in (b"new", b"ours", b"theirs", b"edited"))
WANTED = Installation((File("/f", b"new", 0o755),), (), ())


def record(ours: str | None, before: str | None) -> Installed:
    return Installed(
        layout="plain",
        version="1",
        code="",
        interpreter="",
        programs="",
        manifest="",
        slurm_conf="",
        slurm_bin_dir="",
        state_dir="",
        log_dir="",
        service=False,
        service_before=False,
        included=False,
        folders=(),
        files=(Put("/f", ours, before, "/b" if before else None),),
    )


@pytest.mark.parametrize(
    ("seen", "known", "action"),
    [
        (Seen(None), None, Action.CREATE),
        (Seen(THEIRS, 0o755), None, Action.REPLACE),
        (Seen(NEW, 0o755), None, Action.REPLACE),  # not ours, though it looks so: uninstall leaves it
        (Seen("link:/x", plain=False), None, Action.REPLACE),
        (Seen(NEW, 0o755), record(NEW, None), Action.SAME),
        (Seen(NEW, 0o777), record(NEW, None), Action.UPDATE),
        (Seen(NEW, 0o755, plain=False), record(NEW, None), Action.UPDATE),
        (Seen(OURS, 0o755), record(OURS, None), Action.UPDATE),
        (Seen(None), record(OURS, THEIRS), Action.CREATE),
        (Seen(THEIRS, 0o755), record(OURS, THEIRS), Action.REPLACE),  # killed before it was put
        (Seen(NEW, 0o755), record(OURS, THEIRS), Action.SAME),  # killed before the record
        (Seen(EDITED, 0o755), record(OURS, THEIRS), Action.EDITED),
        (Seen(EDITED, 0o755), record(NEW, None), Action.EDITED),
        (Seen(NEW, 0o755), record(NEW, NEW), Action.SAME),
    ],
)
def test_installing(seen: Seen, known: Installed | None, action: Action) -> None:
    assert [change.action for change in installing(WANTED, known, lambda _: seen)] == [action]


@pytest.mark.parametrize(
    ("seen", "known", "action"),
    [
        (Seen(OURS), record(OURS, None), Action.REMOVE),
        (Seen(OURS), record(OURS, THEIRS), Action.RESTORE),
        (Seen(None), record(OURS, THEIRS), Action.RESTORE),
        (Seen(None), record(OURS, None), Action.GONE),
        (Seen(THEIRS), record(OURS, THEIRS), Action.SAME),
        (Seen(EDITED), record(OURS, None), Action.EDITED),
        (Seen(EDITED), record(OURS, THEIRS), Action.EDITED),
        (Seen("link:/x"), record(OURS, "link:/x"), Action.SAME),
        (Seen(EDITED), record(None, None), Action.REMOVE),  # by 'xio apply'
        (Seen(EDITED), record(None, THEIRS), Action.RESTORE),
        (Seen(None), record(None, None), Action.GONE),
    ],
)
def test_uninstalling(seen: Seen, known: Installed, action: Action) -> None:
    assert [change.action for change in uninstalling(known, lambda _: seen)] == [action]


@pytest.mark.parametrize(("seen", "action"), [(OURS, Action.REMOVE), (EDITED, Action.EDITED)])
def test_what_isnt_wanted_any_more_goes(seen: str, action: Action) -> None:
    assert [
        change.action for change in installing(Installation((), (), ()), record(OURS, None), lambda _: Seen(seen))
    ] == [action]
