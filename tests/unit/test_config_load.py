"""Files of all three generations load into one model."""

from dataclasses import replace
from pathlib import Path

import pytest

from xio_slurm.config import Config, load
from xio_slurm.config.address import url_of
from xio_slurm.config.model import Controllers, Image, Pool, Profile, Workers
from xio_slurm.manifest import Delegates, Mount, RootPassword, Tls
from xio_slurm.naming import Product

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "config"


def _config(name: str) -> Config:
    return load(DATA / name).config


def test_the_users_sample_loads_with_warnings_only() -> None:
    loaded = load(DATA / "users-sample.yaml")
    assert [warning.severity for warning in loaded.warnings] == ["warning"] * 13
    assert [(pool.name, pool.cpus, pool.max_memory, pool.size) for pool in loaded.config.pools] == [
        ("amd-8-gb-1-cores", 24, 7200, 10),
        ("amd-16-gb-2-cores", 24, 15000, 10),
        ("amd-32-gb-4-cores", 24, 30000, 10),
        ("amd-64-gb-8-cores", 24, 60000, 10),
        ("intel-24core-350G", 24, 350000, 10),
    ]
    assert loaded.config.pools[0] == Pool(
        name="amd-8-gb-1-cores",
        profile="amd",
        image="res-demo-pc-3-10-1-rhel8-x86",
        size=10,
        cpus=24,
        min_memory=7200,
        max_memory=7200,
        volume_size=10,
        weight=24 * 45 + 21,
    )


@pytest.mark.parametrize(
    ("line", "key", "remedy"),
    [
        (6, "slurm.Xio.DefaultImageName", "take the key out"),
        (39, "slurm.Xio.Profiles[0].SpotFleetTypes[12]", "SpotFleetTypes"),
        (74, "slurm.Xio.Profiles[1].InstanceTypes[28]", "did you mean 'x2idn'?"),
        (109, "slurm.Xio.Profiles[1].SpotFleetTypes[30]", "did you mean 'x2iezn'?"),
        (117, "slurm.Xio.Pools[0].CPUs", "CPUs: 1"),
        (138, "slurm.Xio.Pools[3].CPUs", "CPUs: 8"),
    ],
)
def test_the_users_sample_is_warned_for_where_it_is_wrong(line: int, key: str, remedy: str) -> None:
    found = [warning for warning in load(DATA / "users-sample.yaml").warnings if warning.key == key]
    assert [warning.line for warning in found] == [line]
    assert remedy in found[0].remedy


def test_families_without_spot_price_stay_on_demand_in_the_users_sample() -> None:
    amd, intel = _config("users-sample.yaml").profiles
    assert amd.instance_types[-2:] == ("hpc6a", "hpc7a")
    assert amd.spot_fleet_types == amd.instance_types[:-2]
    assert not {"xidn", "xiedn", "xiezn"} & set(intel.instance_types)


def test_an_old_file_says_the_same_in_its_own_spelling() -> None:
    oldest, by_name = _config("oldest.yaml"), _config("by-name.yaml")
    assert replace(oldest, file="") == replace(by_name, file="")


def test_everything_that_a_file_says_is_in_the_model() -> None:
    config = _config("oldest.yaml")
    group = "sg-00000000000000001"
    assert (config.product, config.cluster, config.partition) == ("xio", "hpc-1", "xio")
    assert config.controllers == Controllers("ami-00000000000000001", (group,), None, None)
    assert config.workers == Workers("ami-00000000000000002", (group, "sg-00000000000000002"), None)
    assert config.mounts == (Mount("/home", "fs.example.com:/home", "nfs4", "rw,hard"),)
    assert config.plugin.ems_url == "http://10.0.0.10:5000"
    assert config.profiles[1] == Profile(
        "intel", "intel", "intel", 5, ("r6i", "r5.4xlarge"), ("r6i", "r5.4xlarge"), enable_hyperthreading=True
    )
    assert config.pools[1] == Pool("big", "intel", "rhel8-large", 5, 16, None, 100000, 10, 7)


def test_profiles_and_pools_follow_from_the_instance_types() -> None:
    config = _config("newest.yaml")
    assert [(p.name, p.node_group_name, p.cpu_vendor, p.max_controllers) for p in config.profiles] == [
        ("hpc1amd", "hpc1amd", "amd", 3),
        ("hpc1intel", "hpc1intel", "intel", 3),
    ]
    assert config.profiles[0].instance_types == ("c5a.8xlarge:1", "m5a.2xlarge:2", "m5a.xlarge", "r7a.xlarge")
    assert config.profiles[1].spot_fleet_types == ("x2idn.16xlarge", "c6i.8xlarge")
    # m5a.xlarge has 16 GiB: too small; m5a.2xlarge and r7a.xlarge are of one size.
    assert config.pools == (
        Pool("amd-32g-4c", "hpc1amd", "rhel8-x86", 4, 4, None, 27952, 30, 4 * 45 + 96),
        Pool("amd-64g-16c", "hpc1amd", "rhel8-x86", 4, 16, None, 60512, 30, 16 * 45 + 192),
        Pool("intel-64g-16c", "hpc1intel", "rhel8-x86", 4, 16, None, 60512, 30, 16 * 78 + 192),
        Pool("intel-1024g-32c", "hpc1intel", "rhel8-x86", 4, 32, None, 1037312, 30, 32 * 78 + 3072),
    )
    assert config.images == (Image("rhel8-x86", "ami-0123456789abcdef0", 30),)


def test_xwo_has_its_own_address_and_names() -> None:
    config = _config("newest.yaml")
    assert config.product == "xwo"
    assert (config.plugin.ems_url, config.plugin.node_prefix) == ("https://10.0.0.10", "xwo-")
    assert config.root_password == RootPassword("ExostellarVmRootPassword", None, None, None)


def _edited(tmp_path: Path, name: str, old: str, new: str) -> Config:
    text = (DATA / name).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "edited.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return load(path).config


def test_with_hyperthreading_a_derived_pool_counts_threads(tmp_path: Path) -> None:
    config = _edited(tmp_path, "newest.yaml", "EnableHyperthreading: false", "EnableHyperthreading: true")
    # r7a has no hyperthreading: 4 vCPUs are 4 cores.
    assert [(pool.name, pool.cpus) for pool in config.pools] == [
        ("amd-32g-4c", 4),
        ("amd-32g-8c", 8),
        ("amd-64g-32c", 32),
        ("intel-64g-32c", 32),
        ("intel-1024g-64c", 64),
    ]


def test_profiles_and_pools_of_the_file_win_over_derived_ones(tmp_path: Path) -> None:
    own = """PoolSize: 4
    Profiles: {hpc1amd: {InstanceTypes: [m6a, r6a], SpotFleetTypes: [m6a, r6a]}}
    Pools:
      - {PoolName: intel-64g-16c, ProfileName: hpc1intel, CPUs: 16, MaxMemory: 50000}"""
    config = _edited(tmp_path, "newest.yaml", "PoolSize: 4", own)
    assert config.profiles[0].instance_types == ("m6a", "r6a")
    assert [(pool.name, pool.max_memory) for pool in config.pools] == [
        ("intel-64g-16c", 50000),
        ("intel-1024g-32c", 1037312),
    ]


def test_the_plugin_has_a_default_for_everything() -> None:
    plugin = _config("users-sample.yaml").plugin
    assert plugin.ems_url is None
    assert (plugin.state_dir, plugin.log_dir, plugin.slurm_bin_dir) == ("/var/lib/xio", "/var/log/xio", "/usr/bin")
    assert (plugin.program_dir, plugin.node_prefix, plugin.max_concurrent_requests) == (None, "xspot-vm-", 32)
    assert (plugin.connect_timeout, plugin.read_timeout) == (5.0, 30.0)
    assert (plugin.resume_timeout, plugin.suspend_timeout, plugin.suspend_time) == (600, 120, 350)
    assert (plugin.resume_rate, plugin.suspend_rate) == (None, None)
    assert plugin.delegates == Delegates(None, None, None)


def test_the_plugin_takes_every_key(tmp_path: Path) -> None:
    keys = """Plugin:
      EmsUrl: https://ems.example.com:8443/
      StateDir: /shared/xio
      SlurmBinDir: /opt/slurm/bin
      SlurmBackend: scontrol
      ProgramDir: /opt/xio/bin
      NodePrefix: n-
      ConnectTimeout: 0.5
      ResumeRate: 0
      VmHookScript: /opt/slurm/hook.sh
      DelegateResumeProgram: /opt/pc/resume
      DelegateSuspendProgram: /opt/pc/suspend
      DelegateResumeFailProgram: /opt/pc/suspend
    PartitionName: xio"""
    plugin = _edited(tmp_path, "oldest.yaml", "PartitionName: xio", keys).plugin
    assert plugin.ems_url == "https://ems.example.com:8443"
    assert (plugin.node_prefix, plugin.connect_timeout, plugin.resume_rate) == ("n-", 0.5, 0)
    assert plugin.slurm_backend == "scontrol"
    assert plugin.delegates == Delegates("/opt/pc/resume", "/opt/pc/suspend", "/opt/pc/suspend")


def test_anchors_and_merged_keys_are_followed(tmp_path: Path) -> None:
    merged = """- &small
        PoolName: amd-32g-4c
        ProfileName: amd
        CPUs: 4
        MaxMemory: 28000
      - <<: *small
        PoolName: amd-32g-4c-more
        PoolSize: 3
      - PoolName: again"""
    config = _edited(tmp_path, "oldest.yaml", "- PoolName: amd-32g-4c", merged)
    assert [(pool.name, pool.size, pool.cpus) for pool in config.pools][:3] == [
        ("amd-32g-4c", 10, 4),
        ("amd-32g-4c-more", 3, 4),
        ("again", 20, 4),
    ]


def test_our_own_sample_has_nothing_to_warn_for() -> None:
    loaded = load(ROOT / "etc" / "xio.yaml")
    assert loaded.warnings == ()
    assert [pool.cpus for pool in loaded.config.pools] == [1, 2, 4, 8, 24]
    assert {"x2idn:1", "x2iedn:1", "x2iezn:1"} <= set(loaded.config.profiles[1].instance_types)


def test_our_own_sample_has_the_users_pools() -> None:
    users, ours = _config("users-sample.yaml"), load(ROOT / "etc" / "xio.yaml").config
    assert [(p.name, p.profile, p.image, p.size, p.max_memory) for p in ours.pools] == [
        (p.name, p.profile, p.image, p.size, p.max_memory) for p in users.pools
    ]


def test_what_our_own_sample_shows_commented_out_is_right_as_well(tmp_path: Path) -> None:
    lines = (ROOT / "etc" / "xio.yaml").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.endswith("# Controllers:"))
    # From there on a comment is prose if it begins with an upper-case sentence that ends in a full stop.
    shown = [line.replace("# ", "", 1) if not line.endswith((".", ". It")) else line for line in lines[start:]]
    path = tmp_path / "shown.yaml"
    path.write_text("\n".join(lines[:start] + shown) + "\n", encoding="utf-8")
    config = load(path).config
    assert config.plugin.vm_hook_script == "/opt/slurm/config/bin/vm-hook.sh"
    assert config.controllers.identity_role == "my-controller-role"
    assert config.mounts[0].dest == "/home"


@pytest.mark.parametrize(
    ("product", "address", "url"),
    [
        ("xio", "10.0.0.1", "http://10.0.0.1:5000"),
        ("xwo", "10.0.0.1", "https://10.0.0.1"),
        ("xio", "fd00::1", "http://[fd00::1]:5000"),
        ("xio", "ems.example", "http://ems.example:5000"),
    ],
)
def test_the_ems_is_found_by_its_address(product: Product, address: str, url: str) -> None:
    assert url_of(address, product) == url


def test_xwo_knows_its_certificates_and_another_place_can_be_given(tmp_path: Path) -> None:
    assert _config("newest.yaml").plugin.tls == Tls(
        "/etc/ssl/certs/ExostellarRootCA.crt", "/etc/ssl/certs/ExostellarClient.pem", None, "ExostellarHeadNode"
    )
    assert _config("oldest.yaml").plugin.tls == Tls(None, None, None, None)


def test_profiles_bear_the_clusters_name_on_the_ems_where_the_file_asks_for_it() -> None:
    config = _config("oldest.yaml")
    prefixed = replace(config, cluster="eda-2", plugin=replace(config.plugin, prefix_profiles=True))
    assert (config.ems_profile("amd"), prefixed.ems_profile("amd")) == ("amd", "eda2amd")
    assert prefixed.ems_profile("eda2intel") == "eda2intel"  # so called by the newest generation's files
