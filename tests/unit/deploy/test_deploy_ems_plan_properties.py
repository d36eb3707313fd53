"""What holds of every plan, whatever documents the EMS has."""

import copy
from dataclasses import replace
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.deploy.conftest import a_config, a_plugin, a_pool
from tests.unit.deploy.ems_documents import HEAD, SERVERS_OWN, TEMPLATE, carried_out, changes, plan
from xio_slurm.config.model import Config, Controllers, Image, Profile, Workers
from xio_slurm.ems.documents import Document
from xio_slurm.emulator.lost_keys import lost
from xio_slurm.plan.change import Verb
from xio_slurm.plan.ems_observation import Observed
from xio_slurm.plan.ems_plan import EmsPlan

BUSY: Final = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
"""The machine may be busy."""


def json_with(*keys: str) -> st.SearchStrategy[Any]:
    """Any JSON, whose objects have some of these keys."""
    return st.recursive(
        st.none() | st.booleans() | st.integers(-3, 9999) | st.floats(allow_nan=False) | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner, max_size=3),
        max_leaves=8,
    )


JSON = json_with("Key", "Value", "PoolName", "UserData", "VM")
EXTRA = st.dictionaries(
    st.sampled_from(["ExtraA", "ExtraB", "SubnetID"]), json_with("Extra", "Value", "UserData"), max_size=2
)
NAMES = st.sampled_from(["a", "b", "c", "amd", "intel"])
CLUSTERS = st.sampled_from(["lab", "other"])
TAGS = st.lists(
    st.builds(
        lambda key, value, extra: {"Key": key, "Value": value, **extra},
        st.sampled_from(["Name", "xio-slurm.cluster", "Cost", "exostellar.xspot-role"]),
        CLUSTERS,
        EXTRA,
    ),
    max_size=4,
    unique_by=lambda tag: tag["Key"],
)
GROUPS = st.lists(st.sampled_from(["sg-1", "sg-2", "sg-3"]), max_size=3)
ROLES = st.sampled_from([{}, {"IdentityRole": "r"}, {"IamInstanceProfile": "r"}, {"IdentityRole": None}])
CONFIGS = st.builds(
    lambda pools, controllers, workers, images, prefixed: a_config(
        *pools,
        profiles=(
            Profile("amd", "amd", "amd", 10, ("c5a:1", "m5a"), ("c5a",), False),
            Profile("intel", "group", "intel", 3, ("m5",), (), True),
        ),
        controllers=controllers,
        workers=workers,
        images=images,
        plugin=replace(a_plugin(), prefix_profiles=prefixed),
    ),
    st.lists(
        st.builds(
            lambda name, profile, least: a_pool(name, profile=profile, min_memory=least),
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(["amd", "intel"]),
            st.sampled_from([None, 7000]),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda pool: pool.name,
    ),
    st.sampled_from([Controllers(None, (), None, None), Controllers("ami-c", ("sg-3", "sg-4"), "role", "c6i.large")]),
    st.sampled_from([Workers(None, (), None), Workers("ami-w", ("sg-4",), "role")]),
    st.sampled_from([(), (Image("rhel8", "ami-1", None),)]),
    st.booleans(),
)


def section(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Document]:
    """An open object: some of these fields, and some that nobody knows."""
    return st.builds(lambda known, extra: {**extra, **known}, st.fixed_dictionaries({}, optional=fields), EXTRA)


ROLE_PARTS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "InstanceTags": TAGS | st.none(),
    "SecurityGroupIds": GROUPS | st.none(),
    "ImageId": st.sampled_from(["ami-1", "ami-2"]),
    "InstanceTypes": st.just(["m5a", "c5a:1"]) | st.just(["m5:0"]) | st.none(),
}
ROLE_SECTION = st.builds(lambda role, known: {**role, **known}, ROLES, section(ROLE_PARTS))
PROFILES = st.builds(
    lambda name, known, own: {**known, **own, "ProfileName": name, "Id": f"id-{name}"},
    st.sampled_from(["amd", "intel", "labamd", "theirs"]),
    section(
        {
            "Controller": ROLE_SECTION | st.none(),
            "Worker": ROLE_SECTION,
            "Xspot": section({"EnableHyperthreading": st.booleans()}) | st.none(),
            "MaxControllers": st.integers(1, 20),
        }
    ),
    st.sampled_from([{}, SERVERS_OWN]),
)
POOL_VMS = section(
    {"CPUs": st.integers(1, 9), "MinMemory": st.sampled_from([None, 0, 500, 9000]), "UserData": st.just("x")}
)
POOLS = st.builds(
    lambda name, profile, known: {**known, "PoolName": name, "ProfileName": profile},
    NAMES,
    NAMES,
    section({"VM": POOL_VMS | st.none(), "PoolSize": st.integers(0, 9)}),
)
ENVIRONMENTS = st.builds(
    lambda name, known: {**known, "EnvName": name, "Id": f"id-{name}"},
    st.sampled_from(["lab", "other", "third"]),
    section(
        {
            "Pools": st.lists(POOLS, max_size=4, unique_by=lambda pool: pool["PoolName"]) | st.none(),
            "Slurm": section({"BinPath": st.just("/usr/bin")}) | st.none(),
            "HeadAddress": st.sampled_from([HEAD.address, "elsewhere", None]),
        }
    ),
)
IMAGES = st.builds(
    lambda name, ami: {"ImageName": name, **ami},
    st.sampled_from(["rhel8", "theirs"]),
    st.sampled_from([{}, {"ImageId": "ami-1"}, {"ImageId": "ami-2"}, {"ImageId": None}]),
)
VMS = st.frozensets(st.sampled_from(["xspot-vm-a-1", "xspot-vm-c-3", "xwo-b-1", "b-2", "nonsense"]), max_size=3)


def on_the_ems(
    profiles: st.SearchStrategy[Document], environments: st.SearchStrategy[Document]
) -> st.SearchStrategy[Observed]:
    """Everything that an EMS may have, az1 among it."""
    return st.builds(
        lambda some_profiles, some_environments, images, vms: Observed(
            profiles=(TEMPLATE, *some_profiles),
            environments=tuple(some_environments),
            images=tuple(images),
            vms=vms,
            version=None,
        ),
        st.lists(profiles, max_size=3, unique_by=lambda profile: profile["ProfileName"]),
        st.lists(environments, max_size=3, unique_by=lambda environment: environment["EnvName"]),
        st.lists(IMAGES, max_size=2, unique_by=lambda image: image["ImageName"]),
        VMS,
    )


def documents(observed: Observed) -> dict[tuple[str, str], Document]:
    return {
        (kind, document[key]): document
        for kind, key, all_of_it in (
            ("profile", "ProfileName", observed.profiles),
            ("environment", "EnvName", observed.environments),
        )
        for document in all_of_it
    }


def extras(document: Any) -> list[tuple[str, Any]]:
    """What nobody knows: every ``Extra…`` with its value, wherever it is."""
    if isinstance(document, list):
        return [extra for each in document for extra in extras(each)]
    if not isinstance(document, dict):
        return []
    own = [(key, value) for key, value in document.items() if key.startswith("Extra")]
    return own + [extra for key, value in document.items() if not key.startswith("Extra") for extra in extras(value)]


def check_again(config: Config, planned: EmsPlan, observed: Observed, *, adopt: bool, prune: bool) -> None:
    """After the plan was carried out, nothing is left of it but what was refused."""
    refused = {(each.kind, each.name) for each in changes(planned) if each.refusals}
    for change in changes(plan(config, carried_out(planned, observed), adopt=adopt, prune=prune)):
        if (change.kind, change.name) not in refused:
            assert change.verb is Verb.UNCHANGED, change.fields
            assert change.document is None


@BUSY
@given(CONFIGS, on_the_ems(PROFILES, ENVIRONMENTS), st.booleans(), st.booleans())
def test_nothing_is_lost_no_input_is_changed_and_a_second_plan_finds_nothing_to_do(
    config: Config, observed: Observed, adopt: bool, prune: bool
) -> None:
    before = copy.deepcopy(observed)
    planned = plan(config, observed, adopt=adopt, prune=prune)
    assert observed == before
    there = documents(observed)
    for change in changes(planned):
        assert change.verb is not Verb.UNCHANGED or (change.fields == () and change.document is None)
        if change.document is None or change.verb is not Verb.UPDATE:
            continue
        old = {key: value for key, value in there[change.kind, change.name].items() if key not in SERVERS_OWN}
        assert change.document["Id"] == old["Id"]
        assert not SERVERS_OWN.keys() & change.document.keys()
        assert lost(old, change.document) == []
        if not prune:
            assert [extra for extra in extras(old) if extra not in extras(change.document)] == []
    check_again(config, planned, observed, adopt=adopt, prune=prune)


ODD_PROFILES = st.builds(
    lambda known: {**known, "ProfileName": "amd", "Id": "7"},
    st.dictionaries(st.sampled_from(["Controller", "Worker", "Xspot", "Id", "MaxControllers"]), JSON, max_size=4),
)
ODD_ENVIRONMENTS = st.builds(
    lambda name, known: {**known, "EnvName": name, "Id": "8"},
    CLUSTERS,
    st.dictionaries(st.sampled_from(["Pools", "Slurm", "HeadAddress", "Type"]), JSON | st.lists(POOLS), max_size=4),
)


@BUSY
@given(
    CONFIGS,
    on_the_ems(ODD_PROFILES, ODD_ENVIRONMENTS),
    st.dictionaries(st.sampled_from(["Controller", "Worker", "Xspot", "AvailabilityZone"]), JSON, max_size=2),
    st.booleans(),
    st.booleans(),
)
def test_documents_of_any_form_are_planned_or_refused_in_printable_lines(
    config: Config, observed: Observed, odd: Document, adopt: bool, prune: bool
) -> None:
    observed = replace(observed, profiles=({**TEMPLATE, **odd}, *observed.profiles[1:]))
    before = copy.deepcopy(observed)
    planned = plan(config, observed, adopt=adopt, prune=prune)
    assert observed == before
    for change in changes(planned):
        texts = [field for each in change.fields for field in (each.path, each.old or "", each.new or "")]
        lines = [*texts, *change.notes, *change.refusals]
        assert all(line.isprintable() and len(line) < 500 for line in lines)
    assert all(line.isprintable() for line in planned.mentions)
    check_again(config, planned, observed, adopt=adopt, prune=prune)
