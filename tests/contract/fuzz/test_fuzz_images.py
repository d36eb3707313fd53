"""Whatever the EMS answers to the commands about images: a line, and an image stays or its going is told."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.contract.fuzz.heads import IMAGE, Head, head, maybe
from tests.contract.fuzz.judging import judge
from tests.contract.fuzz.mangler import IMAGES
from tests.contract.fuzz.runs import each_block, numbers, one_run

LOOKS = ("GET */images", "GET */envs", "GET /v1/image/*")
OLD, NEW, OTHER = "ami-01d", "ami-0e3", "ami-077"


@pytest.fixture(scope="module")
def node(quick_folder: Path) -> Iterator[Head]:
    with head(quick_folder, {IMAGE: OLD, "theirs": "ami-9"}) as made:
        yield made


def before(random: Random, node: Head) -> None:
    """A run begins with our image, with none, or with what a broken-off replacement has left."""
    node.begin(random)
    if random.random() < 0.2:
        node.ems.ask("DELETE", f"/v1/image/{IMAGE}")
    for suffix in ("-xio-next", "-xio-previous"):
        if random.random() < 0.1:
            left = {"ImageName": IMAGE + suffix, "ImageId": random.choice((OLD, NEW, OTHER))}
            node.ems.ask("POST", "/v1/image", left)
    node.vary(random)


@each_block
@pytest.mark.parametrize("command", ["list", "show"])
def test_looking_tells_it_in_a_line_and_changes_nothing(node: Head, command: str, block: int) -> None:
    for number in numbers(block):
        with one_run(f"image {command}", number) as (random, told):
            before(random, node)
            node.spoil(random, LOOKS)
            name = (random.choice((IMAGE, IMAGE, "none")),) if command == "show" else ()
            arguments = ("image", command, *name, *maybe(random, "--json"))
            judge(told.add(node.call(*arguments, terminal=random.random() < 0.4)), node.temporary)
            node.ems.mend()
            assert node.ems.writes() == []


@each_block
def test_a_deletion_is_done_or_told_in_a_line(node: Head, block: int) -> None:
    for number in numbers(block):
        with one_run("image delete", number) as (random, told):
            before(random, node)
            others = {name: ami for name, ami in node.images().items() if name != IMAGE}
            node.spoil(random, IMAGES)
            arguments = ("image", "delete", IMAGE, "--yes", *maybe(random, "--force", "--force"))
            called = told.add(node.call(*arguments, terminal=random.random() < 0.3))
            judge(called, node.temporary)
            lied = node.ems.mend()
            images = node.images()
            assert {name: ami for name, ami in images.items() if name != IMAGE} == others
            assert called.code == 1 or IMAGE not in images or lied or says_404(node)


def says_404(node: Head) -> bool:
    """Whether some look was told that there is no such image: it may have been a lie."""
    return node.mangled or any(each.status == 404 for each in node.ems.emulator.requests("GET"))


@each_block
def test_an_image_is_made_or_what_there_is_is_told(node: Head, block: int) -> None:
    create = ("image", "create", "--ami", NEW, "--name", IMAGE, "--no-aws-checks")
    for number in numbers(block):
        with one_run("image create", number) as (random, told):
            replace = random.random() < 0.7
            command = (*create, "--replace") if replace else create
            before(random, node)
            had = node.images()
            node.ems.emulator.change(image_fields=random.choice((["ami"], ["ami"], [])))
            node.spoil(random, IMAGES)
            timeout = ("--timeout", random.choice(("1", "20", "100")))
            called = told.add(node.call(*command, *timeout, *maybe(random, "--json"), terminal=random.random() < 0.3))
            judge(called, node.temporary)
            node.ems.mend()
            images = node.images()
            assert images["theirs"] == "ami-9"
            assert {*images} <= {IMAGE, f"{IMAGE}-xio-next", f"{IMAGE}-xio-previous", "theirs"}
            if not replace and IMAGE in had:
                assert images[IMAGE] == had[IMAGE]
            if IMAGE in had and IMAGE not in images:
                assert f"there is no {IMAGE}, and no VM can start from it" in called.err or "; before, " in called.err
            if called.code == 0:
                continue
            node.ems.emulator.change(image_rename="allow", image_delete="allow")
            again = told.add(node.call(*create, "--replace"))
            assert again.code == 0
            assert node.images()[IMAGE] == NEW
