"""What would change on the EMS, whose things are whose, and what a person is told."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.deploy.ems_documents import HEAD, NOTHING, TEMPLATE, carried_out, changes, environment, plan, pool
from xio_slurm.config.model import Config, Image
from xio_slurm.ems.documents import Document
from xio_slurm.plan.change import Change, Verb
from xio_slurm.plan.ems_observation import Observed
from xio_slurm.plan.ems_plan import EmsPlan
from xio_slurm.plan.image_change import image_change
from xio_slurm.plan.planning import Planning
from xio_slurm.plan.profile_document import OWNER_TAG

AMD: Document = copy.deepcopy(TEMPLATE) | {"Id": "id-amd", "ProfileName": "amd"}
"""A profile that bears nobody's tag."""


def tagged(profile: Document, cluster: str) -> Document:
    """The profile with a cluster's tag."""
    marked = copy.deepcopy(profile)
    for part in ("Controller", "Worker"):
        marked[part]["InstanceTags"].append({"Key": OWNER_TAG, "Value": cluster})
    return marked


def observed(*profiles: Document, environments: tuple[Document, ...] = (), **further: Any) -> Observed:
    return replace(NOTHING, profiles=(TEMPLATE, *profiles), environments=environments, **further)


def applied(config: Config) -> Observed:
    """An EMS that has the configuration already."""
    return carried_out(plan(config), NOTHING)


def ours(*pools: Document, **further: Any) -> Document:
    """Our environment, as it may be on the EMS."""
    return environment(HEAD.cluster, *pools, **{"HeadAddress": HEAD.address, **further})


def the_profile(plan: EmsPlan) -> Change:
    [profile] = plan.profiles
    return profile


def the_environment(plan: EmsPlan) -> Change:
    assert plan.environment is not None
    return plan.environment


def test_on_a_fresh_ems_everything_is_made(make: Any) -> None:
    made = plan(make.config(images=(Image("rhel8", "ami-1", None),)))
    assert [(each.kind, each.name, each.verb) for each in changes(made)] == [
        ("image", "rhel8", Verb.CREATE),
        ("profile", "amd", Verb.CREATE),
        ("environment", "lab", Verb.CREATE),
    ]
    assert made.mentions == ()
    assert all(each.refusals == each.notes == () for each in changes(made))
    assert all("Id" not in each.document for each in changes(made) if each.document is not None)


def test_what_is_there_already_is_unchanged_and_nothing_of_it_is_sent(make: Any) -> None:
    config = make.config(images=(Image("rhel8", "ami-1", None),))
    again = plan(config, applied(config))
    assert {each.verb for each in changes(again)} == {Verb.UNCHANGED}
    assert all(each.document is None and each.fields == () for each in changes(again))


def test_a_changed_value_is_one_field_of_one_document(make: Any) -> None:
    config = make.config(make.pool("a"), make.pool("b"))
    changed = plan(make.config(make.pool("a", cpus=8), make.pool("b")), applied(config))
    assert [each.verb for each in changes(changed)] == [Verb.UNCHANGED, Verb.UPDATE]
    [field] = the_environment(changed).fields
    assert (field.path, field.old, field.new) == ("Pools[a].VM.CPUs", "24", "8")
    assert (the_environment(changed).document or {})["Id"] == "id-lab"


def test_without_az1_there_is_one_refusal_and_nothing_is_made(make: Any) -> None:
    config = make.config(images=(Image("rhel8", "ami-1", None),))
    refused = plan(config, replace(NOTHING, profiles=()))
    [change] = changes(refused)
    assert change.name == "az1"
    assert change.document is None
    assert len(change.refusals) == 1
    assert "contact Exostellar support" in change.refusals[0]


def test_a_profile_cannot_be_called_as_the_template(make: Any) -> None:
    config = make.config(profiles=(replace(make.config().profiles[0], name="az1"),))
    change = the_profile(plan(config, adopt=True))
    assert change.document is None
    assert "choose another ProfileName" in change.refusals[0]


def test_a_profile_that_cannot_be_edited_is_refused_and_the_others_are_not(make: Any) -> None:
    profile = make.config().profiles[0]
    config = make.config(profiles=(profile, replace(profile, name="other")))
    broken = tagged(AMD, "lab") | {"Worker": "?"}
    first, second = plan(config, observed(broken)).profiles
    assert "Worker is a text" in first.refusals[0]
    assert first.document is None
    assert second.verb is Verb.CREATE
    assert second.refusals == ()


USES_AMD = pool("p", "amd")


@pytest.mark.parametrize(
    ("profile", "environments", "words"),
    [
        (tagged(AMD, "other"), (), "cluster other's"),
        (tagged(tagged(AMD, "lab"), "other"), (), "cluster other's"),
        (AMD, (environment("other", USES_AMD),), "environment other uses it"),
        (AMD, (ours(USES_AMD), environment("other", USES_AMD)), "environment other uses it"),
        (AMD, (ours(USES_AMD, HeadAddress="elsewhere"),), "head node elsewhere"),
        (tagged(AMD, "lab"), (ours(USES_AMD, HeadAddress="elsewhere"),), "head node elsewhere"),
        (AMD, (ours(),), "who made it is unknown"),
        (AMD, (environment("other", pool("p", "intel")),), "who made it is unknown"),
    ],
)
def test_a_profile_that_is_not_ours_is_refused_and_can_be_adopted(
    make: Any, profile: Document, environments: tuple[Document, ...], words: str
) -> None:
    there = observed(profile, environments=environments)
    refused = the_profile(plan(make.config(), there))
    assert refused.document is None
    [line] = refused.refusals
    assert words in line
    assert all(way in line for way in ("PrefixProfiles", "ProfileName", "--adopt"))
    adopted = the_profile(plan(make.config(), there, adopt=True))
    assert adopted.refusals == ()
    assert adopted.verb is Verb.UPDATE
    assert adopted.document is not None
    assert adopted.document["Id"] == "id-amd"
    assert words in adopted.notes[0]


@pytest.mark.parametrize(
    ("profile", "environments"),
    [
        (tagged(AMD, "lab"), ()),
        (tagged(AMD, "lab"), (ours(USES_AMD),)),
        (AMD, (ours(USES_AMD),)),
        (AMD, (ours(USES_AMD, HeadAddress="HEAD.example.com"),)),
        (AMD, (ours(USES_AMD, HeadAddress=""),)),
        (AMD, (ours(USES_AMD, EnvName="LAB"),)),
        (AMD, (ours(USES_AMD, HeadAddress="head"),)),
        (AMD, (ours(USES_AMD), environment("other", pool("p", "intel")))),
    ],
)
def test_a_profile_that_is_ours_is_changed(make: Any, profile: Document, environments: tuple[Document, ...]) -> None:
    change = the_profile(plan(make.config(), observed(profile, environments=environments)))
    assert (change.verb, change.refusals, change.notes) == (Verb.UPDATE, (), ())
    assert change.document is not None


def test_a_profile_of_ours_that_others_use_too_says_so(make: Any) -> None:
    there = observed(tagged(AMD, "lab"), environments=(environment("x", USES_AMD), environment("y", USES_AMD)))
    change = the_profile(plan(make.config(), there))
    assert change.notes == ("is used by other environments too: x, y",)
    assert change.refusals == ()


def test_a_prefixed_profile_leaves_the_other_of_its_name_alone(make: Any) -> None:
    config = make.config(plugin=replace(make.plugin(), prefix_profiles=True))
    planned = plan(config, observed(tagged(AMD, "other")))
    assert (the_profile(planned).name, the_profile(planned).verb) == ("labamd", Verb.CREATE)
    assert (the_environment(planned).document or {})["Pools"][0]["ProfileName"] == "labamd"


def test_a_changed_profile_on_which_vms_run_says_so_and_an_unchanged_one_does_not(make: Any) -> None:
    config = make.config(make.pool("a"), make.pool("b", profile="intel"))
    vms = frozenset({"xspot-vm-a-1", "xspot-vm-a-2", "xspot-vm-b-1", "xwo-a-1", "xspot-vm-other-1"})
    there = replace(applied(config), vms=vms)
    changed = replace(config, profiles=(replace(config.profiles[0], max_controllers=3),))
    assert "2 VMs run on it" in the_profile(plan(changed, there)).notes[0]
    assert the_profile(plan(config, there)).notes == ()
    assert Planning(config, HEAD, there, adopt=False).running_on("amd") == ("xspot-vm-a-1", "xspot-vm-a-2")


def test_a_profile_of_the_former_scripts_gets_its_tag_only_when_no_vm_runs_on_it(make: Any) -> None:
    config = make.config()
    made = applied(config)
    (profile,) = (each for each in made.profiles if each["ProfileName"] == "amd")
    untagged = copy.deepcopy(profile)
    for part in ("Controller", "Worker"):
        untagged[part]["InstanceTags"] = [
            tag for tag in untagged[part]["InstanceTags"] if tag["Key"] != "xio-slurm.cluster"
        ]
    there = replace(made, profiles=tuple(untagged if each is profile else each for each in made.profiles))
    assert the_profile(plan(config, there)).verb is Verb.UPDATE
    held = replace(there, vms=frozenset({"xspot-vm-amd-8-gb-1-cores-1"}))
    later = the_profile(plan(config, held))
    assert (later.verb, later.document) == (Verb.UNCHANGED, None)
    assert later.notes == ("gets its tag xio-slurm.cluster when no VM runs on it",)
    changed = replace(config, profiles=(replace(config.profiles[0], max_controllers=3),))
    assert the_profile(plan(changed, held)).verb is Verb.UPDATE


def test_vms_run_on_the_profile_that_their_pool_has_in_the_file(make: Any) -> None:
    there = observed(tagged(AMD, "lab"), vms=frozenset({"xspot-vm-a-1"}))
    assert "1 VM runs on it" in the_profile(plan(make.config(make.pool("a")), there)).notes[0]


def test_vms_run_on_the_profile_that_their_pool_had(make: Any) -> None:
    before = applied(make.config(make.pool("a")))
    there = replace(before, vms=frozenset({"xspot-vm-a-1"}))
    profile = make.config().profiles[0]
    moved = make.config(
        make.pool("a", profile="new"), profiles=(replace(profile, max_controllers=3), replace(profile, name="new"))
    )
    assert "1 VM runs on it" in plan(moved, there).profiles[0].notes[0]


def test_an_environment_of_another_head_node_is_refused_and_can_be_adopted(make: Any) -> None:
    there = observed(environments=(ours(HeadAddress="elsewhere"),))
    refused = the_environment(plan(make.config(), there))
    assert refused.document is None
    assert "elsewhere" in refused.refusals[0]
    assert "--adopt" in refused.refusals[0]
    adopted = the_environment(plan(make.config(), there, adopt=True))
    assert (adopted.document or {})["HeadAddress"] == HEAD.address
    assert adopted.notes == ("is taken over from the head node elsewhere",)


def test_pools_that_are_gone_from_the_file_are_kept_and_named_until_they_are_pruned(make: Any) -> None:
    there = applied(make.config(make.pool("a"), make.pool("b"), make.pool("c")))
    config = make.config(make.pool("b"))
    kept = the_environment(plan(config, replace(there, vms=frozenset({"xspot-vm-a-1"}))))
    assert (kept.verb, kept.document, kept.refusals) == (Verb.UNCHANGED, None, ())
    assert kept.notes == ("keeps the pools that the file no longer has, unless told to --prune: a, c",)
    pruned = the_environment(plan(config, there, prune=True))
    assert pruned.verb is Verb.UPDATE
    assert pruned.notes == ()
    assert [each["PoolName"] for each in (pruned.document or {})["Pools"]] == ["b"]


@pytest.mark.parametrize("vm", ["xspot-vm-a-1", "xwo-a-77", "mine-a-1", "a-1", "anotherprefixa-3"])
def test_a_pool_whose_vms_may_run_is_not_pruned_and_the_rest_is_done(make: Any, vm: str) -> None:
    there = replace(applied(make.config(make.pool("a"), make.pool("b"), make.pool("c"))), vms=frozenset({vm}))
    config = make.config(make.pool("b"), plugin=replace(make.plugin(), node_prefix="mine-"))
    change = the_environment(plan(config, there, prune=True))
    assert [each["PoolName"] for each in (change.document or {})["Pools"]] == ["a", "b"]
    assert len(change.refusals) == 1
    assert "pool a stays" in change.refusals[0]
    assert vm in change.refusals[0]


@pytest.mark.parametrize(
    "vm",
    [
        "mine-ba-1",
        "xspot-vm-ba-1",
        "xwo-new-a-1",
        "xspot-vm-theirs-a-1",
        "xspot-vm-a-0",
        "xspot-vm-a",
        "xspot-vm-a-b",
    ],
)
def test_a_vm_of_another_pool_does_not_hold_one(make: Any, vm: str) -> None:
    there = applied(make.config(make.pool("a"), make.pool("ba")))
    there = replace(
        there, vms=frozenset({vm}), environments=(*there.environments, environment("x", pool("theirs-a", "p")))
    )
    plugin = replace(make.plugin(), node_prefix="mine-")
    change = the_environment(plan(make.config(make.pool("ba"), make.pool("new-a"), plugin=plugin), there, prune=True))
    assert change.refusals == ()
    assert [each["PoolName"] for each in (change.document or {})["Pools"]] == ["ba", "new-a"]


def test_where_only_a_held_pool_would_go_nothing_is_sent(make: Any) -> None:
    there = replace(applied(make.config(make.pool("a"), make.pool("b"))), vms=frozenset({"xspot-vm-a-1"}))
    change = the_environment(plan(make.config(make.pool("b")), there, prune=True))
    assert (change.verb, change.document, len(change.refusals)) == (Verb.UNCHANGED, None, 1)


def test_a_min_memory_that_the_file_no_longer_has_is_told(make: Any) -> None:
    there = applied(make.config(make.pool("a", min_memory=7000)))
    change = the_environment(plan(make.config(make.pool("a")), there))
    assert change.verb is Verb.UNCHANGED
    assert change.notes == ("keeps the MinMemory of pools for which the file has none: a",)


def test_an_environment_that_cannot_be_edited_is_refused(make: Any) -> None:
    change = the_environment(plan(make.config(), observed(environments=(ours(Pools={}),))))
    assert change.document is None
    assert "Pools is an object" in change.refusals[0]


@pytest.mark.parametrize(
    ("existing", "verb", "fields", "note"),
    [
        (None, Verb.CREATE, [("ImageId", None, "ami-1")], ""),
        ({"ImageName": "i", "ImageId": "ami-1"}, Verb.UNCHANGED, [], ""),
        ({"ImageName": "i", "ImageId": "ami-0"}, Verb.REPLACE, [("ImageId", "ami-0", "ami-1")], ""),
        ({"ImageName": "i"}, Verb.UNCHANGED, [], "xio image create --ami ami-1 --name i --replace"),
        ({"ImageName": "i", "ImageId": ""}, Verb.UNCHANGED, [], "doesn't tell its AMI"),
        ({"ImageName": "i", "ImageId": 7}, Verb.UNCHANGED, [], "doesn't tell its AMI"),
    ],
)
def test_an_image_is_made_replaced_or_left(existing: Document | None, verb: Verb, fields: Any, note: str) -> None:
    change = image_change(Image("i", "ami-1", None), existing, (), adopt=False)
    assert change.verb is verb
    assert [(field.path, field.old, field.new) for field in change.fields] == fields
    assert note in " ".join(change.notes)
    assert len(change.notes) == bool(note)


def test_pools_whose_image_nobody_makes_are_mentioned_with_the_command(make: Any) -> None:
    config = make.config(make.pool("a"), make.pool("b"), make.pool("c", image="made"), make.pool("d", image="there"))
    config = replace(config, images=(Image("made", "ami-1", None),))
    [line] = plan(config, observed(images=({"ImageName": "there"},))).mentions
    assert line == (
        "there is no image rhel8, and without it no VM starts in a, b: xio image create --ami <AMI> --name rhel8"
    )


def test_another_zone_than_the_templates_is_mentioned(make: Any) -> None:
    config = make.config(make.pool("a"), images=(Image("rhel8", "ami-1", None),))
    assert plan(config).mentions == ()
    assert plan(replace(config, availability_zone=None)).mentions == ()
    [line] = plan(replace(config, availability_zone="us-east-2a")).mentions
    assert "us-east-2a" in line
    assert "us-east-2b" in line


def test_pools_of_the_same_name_elsewhere_are_mentioned_where_our_prefix_is_everybodys(make: Any) -> None:
    config = make.config(make.pool("a"), make.pool("b"), images=(Image("rhel8", "ami-1", None),))
    there = observed(environments=(ours(pool("a", "amd")), environment("x", pool("a", "p"), pool("z", "p"))))
    lines = [line for line in plan(config, there).mentions if "NodePrefix" in line]
    assert len(lines) == 1
    assert "environment x" in lines[0]
    assert "xspot-vm-a-1" in lines[0]
    own = replace(config, plugin=replace(make.plugin(), node_prefix="mine-"))
    assert not [line for line in plan(own, there).mentions if "NodePrefix" in line]


def test_what_is_in_no_configuration_is_mentioned_a_line_each_kind_and_never_changed(make: Any) -> None:
    config = make.config(make.pool("a"), images=(Image("made", "ami-1", None),))
    names = [f"other{number:02}" for number in range(40)]
    there = replace(
        observed(*({**AMD, "ProfileName": name} for name in names)),
        environments=(environment("x"), ours()),
        images=({"ImageName": "rhel8"}, {"ImageName": "theirs\x1b[2J"}),
    )
    planned = plan(config, there, prune=True, adopt=True)
    assert {each.name for each in changes(planned)} == {"made", "amd", "lab"}
    profiles, environments, images = planned.mentions
    assert profiles.startswith("profiles that this file doesn't have, left as they are: other00, other01")
    assert profiles.endswith("more")
    assert environments.endswith(": x")
    assert "theirs" in images
    assert "rhel8" not in images
    assert all(line.isprintable() and len(line) < 140 for line in planned.mentions)


def test_no_document_shows_in_a_repr(make: Any) -> None:
    config = make.config()
    secret = observed(images=({"ImageName": "rhel8", "Own": "hunter2"},), environments=(ours(Own="hunter2"),))
    assert "hunter2" not in repr(secret)
    planned = plan(config, secret)
    assert (the_environment(planned).document or {})["Own"] == "hunter2"
    assert "hunter2" not in repr(planned)


@pytest.mark.parametrize(
    ("there", "ours_is", "other"),
    [
        ("head", "head.example.com", False),
        ("Head.Example.COM.", "head", False),
        ("head2", "head.example.com", True),
        ("head.example.org", "head.example.com", True),
        ("10.0.0.1", "10.0.0.10", True),
        ("10", "10.0.0.1", True),
    ],
)
def test_a_head_node_is_another_only_if_its_name_is(make: Any, there: str, ours_is: str, other: bool) -> None:
    seen = observed(environments=(ours(HeadAddress=there),))
    planning = Planning(make.config(), replace(HEAD, address=ours_is), seen, adopt=False)
    assert (planning.other_head is not None) == other


def test_an_environment_whose_name_the_ems_keeps_in_other_capitals_is_ours_and_stays_so(make: Any) -> None:
    config = make.config()
    there = applied(config)
    kept = replace(there, environments=tuple({**each, "EnvName": "LAB"} for each in there.environments))
    planned = plan(config, kept)
    assert the_environment(planned).verb is Verb.UNCHANGED
    assert the_profile(planned).notes == ()
    assert not [line for line in planned.mentions if "environments" in line]
    both = replace(kept, environments=(*kept.environments, *there.environments))
    assert "environments that this file doesn't have, left as they are: LAB" in plan(config, both).mentions


def test_the_way_out_of_two_clusters_of_one_prefix_is_not_the_prefix(make: Any) -> None:
    config = make.config(plugin=replace(make.plugin(), prefix_profiles=True))
    [line] = the_profile(plan(config, observed(tagged({**AMD, "ProfileName": "labamd"}, "l-ab")))).refusals
    assert "PrefixProfiles" not in line
    assert "choose another ProfileName, or take it over with --adopt" in line


def test_an_untagged_profile_may_be_of_an_environment_that_the_ems_does_not_tell(make: Any) -> None:
    config = make.config(images=(Image("rhel8", "ami-2", None),))
    there = observed(AMD, environments=(ours(USES_AMD),), images=({"ImageName": "rhel8", "ImageId": "ami-1"},))
    planned = plan(config, replace(there, unread=("x",)))
    assert "the environment x may use it" in the_profile(planned).refusals[0]
    assert "the environment x uses it, or may" in planned.images[0].refusals[0]
    assert "the EMS doesn't tell which profiles and images these environments use: x" in planned.mentions
    assert plan(config, replace(there, unread=("x",)), adopt=True).images[0].refusals == ()
