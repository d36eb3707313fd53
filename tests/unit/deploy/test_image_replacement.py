"""The next step of a replacement, for everything that a killed run can leave behind."""

from itertools import product

import pytest

from xio_slurm.images.replacement import (
    UNTOLD,
    Action,
    Delete,
    Finish,
    Move,
    Parse,
    Refuse,
    Role,
    Standing,
    Wait,
    next_action,
)

NEW, OLD = "ami-2", "ami-1"
AMIS = (None, NEW, OLD, UNTOLD)


@pytest.mark.parametrize(
    ("image", "next_", "previous", "with_rename", "without"),
    [
        # nothing, or the leftovers of another run
        (None, None, None, Parse("image"), Parse("image")),
        (None, OLD, None, Parse("image"), Parse("image")),
        (None, NEW, None, Move("next", "image"), Parse("image")),
        # killed between the two moves
        (None, NEW, OLD, Move("next", "image"), Parse("image")),
        # killed there, and wanted with another AMI now: the old image first
        (None, OLD, OLD, Move("previous", "image"), Parse("image")),
        (None, None, OLD, Move("previous", "image"), Parse("image")),
        (None, None, NEW, Move("previous", "image"), Parse("image")),
        # done, but for what is beside it
        (NEW, None, None, Finish(), Finish()),
        (NEW, NEW, OLD, Delete("next"), Delete("next")),
        (NEW, OLD, None, Delete("next"), Delete("next")),
        (NEW, None, OLD, Delete("previous"), Delete("previous")),
        # on the way
        (OLD, None, None, Parse("next"), Parse("next")),
        (OLD, None, OLD, Parse("next"), Parse("next")),
        (OLD, OLD, None, Delete("next"), Delete("next")),
        (OLD, UNTOLD, None, Delete("next"), Delete("next")),
        (OLD, NEW, None, Move("image", "previous"), Delete("image")),
        (OLD, NEW, OLD, Delete("previous"), Delete("image")),
        (UNTOLD, NEW, None, Move("image", "previous"), Delete("image")),
    ],
)
def test_the_next_step_follows_from_what_there_is(
    image: str | None, next_: str | None, previous: str | None, with_rename: Action, without: Action
) -> None:
    there = Standing(image, next_, previous)
    assert next_action(there, NEW, replace=True, can_rename=True) == with_rename
    assert next_action(there, NEW, replace=True, can_rename=False) == without


@pytest.mark.parametrize("image", [OLD, UNTOLD])
@pytest.mark.parametrize("next_", AMIS)
@pytest.mark.parametrize("previous", AMIS)
def test_another_ami_is_replaced_only_if_asked(image: str, next_: str | None, previous: str | None) -> None:
    assert next_action(Standing(image, next_, previous), NEW, replace=False, can_rename=True) == Refuse()


@pytest.mark.parametrize("can_rename", [True, False])
def test_from_everything_the_steps_end_with_the_image_alone(can_rename: bool) -> None:
    for start in product(AMIS, repeat=3):
        there = Standing(*start)
        for _ in range(12):
            action = next_action(there, NEW, replace=True, can_rename=can_rename)
            if action == Finish():
                break
            there = _done(there, action)
        assert there == Standing(NEW, None, None), start


def test_an_image_is_only_given_up_for_one_that_has_parsed() -> None:
    for start, can_rename in product(product(AMIS, repeat=3), [True, False]):
        action = next_action(Standing(*start), NEW, replace=True, can_rename=can_rename)
        if action in (Delete("image"), Move("image", "previous")):
            assert start[1] == NEW


@pytest.mark.parametrize(
    ("there", "action"),
    [
        (Standing(NEW, under_way=frozenset({"image"})), Wait("image")),
        (Standing(OLD, under_way=frozenset({"image"})), Wait("image")),
        (Standing(OLD, NEW, under_way=frozenset({"next"})), Wait("next")),
        (Standing(None, NEW, OLD, under_way=frozenset({"next"})), Wait("next")),
        (Standing(OLD, OLD, under_way=frozenset({"next"})), Refuse()),
        (Standing(OLD, UNTOLD, under_way=frozenset({"next"})), Refuse()),
        (Standing(NEW, OLD, under_way=frozenset({"next"})), Finish()),
        (Standing(NEW, OLD, OLD, under_way=frozenset({"next"})), Delete("previous")),
        (Standing(NEW, failed=frozenset({"image"})), Parse("next")),
        (Standing(OLD, NEW, failed=frozenset({"next"})), Delete("next")),
        (Standing(NEW, NEW, failed=frozenset({"image", "next"})), Delete("next")),
    ],
)
def test_what_is_not_finished_is_waited_for_or_left_and_what_failed_goes(there: Standing, action: Action) -> None:
    assert next_action(there, NEW, replace=True, can_rename=True) == action


def test_what_is_not_finished_is_never_given_up_for_nor_moved() -> None:
    both: tuple[Role, ...] = ("image", "next")
    for start, can_rename, unfinished in product(product(AMIS, repeat=3), [True, False], both):
        for there in (
            Standing(*start, under_way=frozenset({unfinished})),
            Standing(*start, failed=frozenset({unfinished})),
        ):
            action = next_action(there, NEW, replace=True, can_rename=can_rename)
            if unfinished == "next" and there.next is not None:
                assert action not in (Move("next", "image"), Move("image", "previous"), Delete("image"))
            if unfinished == "image" and there.image is not None:
                assert action != Finish()


def test_without_replace_an_image_of_our_ami_is_waited_for_and_no_other() -> None:
    under_way: frozenset[Role] = frozenset({"image"})
    assert next_action(Standing(NEW, under_way=under_way), NEW, replace=False, can_rename=True) == Wait("image")
    assert next_action(Standing(OLD, under_way=under_way), NEW, replace=False, can_rename=True) == Refuse()
    assert next_action(Standing(NEW, failed=under_way), NEW, replace=False, can_rename=True) == Refuse()


def _done(there: Standing, action: Action) -> Standing:
    now = {"image": there.image, "next": there.next, "previous": there.previous}
    match action:
        case Parse(role):
            assert now[role] is None
            now[role] = NEW
        case Move(source, target):
            assert now[target] is None
            now[target], now[source] = now[source], None
        case Delete(role):
            assert now[role] is not None
            now[role] = None
        case _:
            raise AssertionError(action)
    return Standing(now["image"], now["next"], now["previous"])
