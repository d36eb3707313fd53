"""Every rule of the configuration: a sound file, one change to it, and what is said about it."""

import copy
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from xio_slurm.config import load
from xio_slurm.errors import ConfigError, Problem

DROP: Final = "<dropped>"

SOUND: Final[dict[str, Any]] = {
    "slurm": {
        "ClusterName": "hpc-1",
        "Xio": {
            "ManagementServerIp": "10.0.0.10",
            "PartitionName": "xio",
            "DefaultImageName": "rhel8-x86",
            "Images": [{"ImageName": "rhel8-x86", "ImageId": "ami-0123456789abcdef0", "VolumeSize": 20}],
            "Profiles": [
                {"ProfileName": "amd", "InstanceTypes": ["c6a", "m6a"], "SpotFleetTypes": ["c6a", "m6a"]},
                {"ProfileName": "intel", "InstanceTypes": ["c6i", "m6i"], "SpotFleetTypes": ["c6i", "m6i"]},
            ],
            "Pools": [
                {"PoolName": "amd-32g-4c", "ProfileName": "amd", "CPUs": 4, "MaxMemory": 28000},
                {"PoolName": "intel-64g-8c", "ProfileName": "intel", "CPUs": 8, "InstanceMemory": 65536},
            ],
            "Plugin": {"SlurmBinDir": "/usr/bin"},
        },
        "storage": {"ExtraMounts": [{"dest": "/home", "src": "fs:/home", "type": "nfs", "options": "rw"}]},
    }
}

Change = dict[str, Any]
"""Dotted path under ``slurm.Xio`` (or from the top, with a dot before it) → new value, or DROP."""


def _write(tmp_path: Path, change: Change) -> Path:
    document = copy.deepcopy(SOUND)
    for path, value in change.items():
        steps = path.removeprefix(".").split(".")
        node: Any = document if path.startswith(".") else document["slurm"]["Xio"]
        for step in steps[:-1]:
            node = node[int(step) if step.isdecimal() else step]
        last: Any = int(steps[-1]) if steps[-1].isdecimal() else steps[-1]
        if value is DROP:
            del node[last]
        elif isinstance(node, list) and last == len(node):
            node.append(value)
        else:
            node[last] = value
    file = tmp_path / "xio.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return file


def _problems(file: Path) -> tuple[Problem, ...]:
    try:
        return load(file).warnings
    except ConfigError as error:
        return error.problems


def _told(tmp_path: Path, change: Change, severity: str, key: str, words: str) -> None:
    file = _write(tmp_path, change)
    problems = _problems(file)
    found = [p for p in problems if (p.severity, p.key.removeprefix("slurm.Xio.")) == (severity, key)]
    assert len(found) == 1, problems
    assert words in found[0].what + " " + found[0].remedy
    assert found[0].file == str(file)
    assert found[0].line > 0
    assert found[0].remedy


def test_the_sound_file_is_sound(tmp_path: Path) -> None:
    assert load(_write(tmp_path, {})).warnings == ()


POOL: Final = {"PoolName": "other", "ProfileName": "amd", "CPUs": 1, "MaxMemory": 2000}

ERRORS: Final[list[tuple[Change, str, str]]] = [
    # references, uniqueness, what must be there
    ({"Pools.0.ProfileName": "amdd"}, "Pools[0].ProfileName", "did you mean amd?"),
    ({"Pools.0.ProfileName": "zzz"}, "Pools[0].ProfileName", "profiles are amd, intel"),
    ({"Pools.2": {**POOL, "PoolName": "amd-32g-4c"}}, "Pools[2].PoolName", "is there twice"),
    ({"Pools.2": {**POOL, "PoolName": "AMD-32g-4c"}}, "Pools[2].PoolName", "only in case"),
    ({"Profiles.1.ProfileName": "amd"}, "Profiles[1].ProfileName", "is there twice"),
    ({"Images.1": {"ImageName": "rhel8-x86", "ImageId": "ami-0"}}, "Images[1].ImageName", "is there twice"),
    ({"DefaultImageName": DROP}, "Pools[0].ImageName", "no DefaultImageName"),
    ({"Pools.0.MaxMemory": DROP}, "Pools[0].MaxMemory", "so is InstanceMemory"),
    ({"Pools.0.CPUs": DROP}, "Pools[0].CPUs", "is missing"),
    ({"Pools.0.PoolName": DROP}, "Pools[0].PoolName", "is missing"),
    ({"Pools.0.ProfileName": DROP}, "Pools[0].ProfileName", "is missing"),
    ({"Profiles.0.ProfileName": DROP}, "Profiles[0].ProfileName", "is missing"),
    ({"Pools": []}, "Pools", "there is no pool"),
    ({"Pools": DROP, "Profiles": DROP}, "Pools", "there is no pool"),
    ({"ManagementServerIp": DROP}, "ManagementServerIp", "nothing says where the EMS is"),
    # CPU vendors
    (
        {"Profiles.0.InstanceTypes.2": "c6i:3"},
        "Profiles[0].InstanceTypes[2]",
        "CPUs of intel, and this profile is of amd",
    ),
    ({"Profiles.0.SpotFleetTypes.2": "c6i"}, "Profiles[0].SpotFleetTypes[2]", "move it to a profile of intel"),
    ({"Profiles.0.CpuVendor": "intel"}, "Profiles[0].InstanceTypes[0]", "CPUs of amd, and this profile is of intel"),
    ({"Profiles.0.CpuVendor": "arm"}, "Profiles[0].CpuVendor", "must be 'amd' or 'intel'"),
    ({"Profiles.0.InstanceTypes.2": "m7g"}, "Profiles[0].InstanceTypes[2]", "isn't x86_64"),
    ({"Profiles.0.SpotFleetTypes.2": "c6gn.large:1"}, "Profiles[0].SpotFleetTypes[2]", "isn't x86_64"),
    ({"InstanceTypes": ["m7g"]}, "InstanceTypes[0]", "isn't x86_64"),
    # instance entries
    ({"Profiles.0.InstanceTypes.0": "c6a:high"}, "Profiles[0].InstanceTypes[0]", "<family or type>[:priority]"),
    ({"Profiles.0.InstanceTypes.0": "C6A"}, "Profiles[0].InstanceTypes[0]", "write 'c6a'"),
    ({"Profiles.0.InstanceTypes.0": 6}, "Profiles[0].InstanceTypes[0]", "put it in quotes: '6'"),
    ({"Profiles.0.InstanceTypes": "c6a"}, "Profiles[0].InstanceTypes", "write a list: [c6a]"),
    (
        {"Profiles.0.InstanceTypes": [], "Profiles.0.SpotFleetTypes": []},
        "Profiles[0].InstanceTypes",
        "without any instance type",
    ),
    (
        {"Profiles.0.InstanceTypes": ["zz"], "Profiles.0.SpotFleetTypes": ["hpc6a"]},
        "Profiles[0].InstanceTypes",
        "any instance",
    ),
    # names
    ({"Profiles.0.ProfileName": "amd-1"}, "Profiles[0].ProfileName", "letters and digits only"),
    ({"Pools.0.PoolName": "a b"}, "Pools[0].PoolName", "letters, digits"),
    ({"Pools.0.PoolName": "a[1-2]"}, "Pools[0].PoolName", "letters, digits"),
    ({"Pools.0.PoolName": "a,b"}, "Pools[0].PoolName", "letters, digits"),
    ({"Pools.0.PoolName": "-a"}, "Pools[0].PoolName", "begins with"),
    ({"Pools.0.PoolName": "pool\n"}, "Pools[0].PoolName", "letters, digits"),
    ({"Pools.0.PoolName": "größe"}, "Pools[0].PoolName", "letters, digits"),
    ({"Pools.0.PoolName": "DEFAULT"}, "Pools[0].PoolName", "to Slurm"),
    ({"Pools.0.PoolName": "x" * 52}, "Pools[0].PoolName", "shorten it by 1"),
    ({"Pools.0.PoolName": "x" * 50, "Pools.0.PoolSize": 1000}, "Pools[0].PoolName", "has 64 characters"),
    ({"Plugin.NodePrefix": "n" * 60}, "Pools[0].PoolName", "shorten it by"),
    ({"PartitionName": "Default"}, "PartitionName", "to Slurm"),
    ({"PartitionName": "ALL"}, "PartitionName", "to Slurm"),
    ({"PartitionName": "a b"}, "PartitionName", "letters, digits"),
    ({".slurm.ClusterName": "a/b"}, "slurm.ClusterName", "letters, digits"),
    ({".slurm.ClusterName": 17}, "slurm.ClusterName", "put it in quotes: '17'"),
    ({"VmRootPasswordSecret": "two words"}, "VmRootPasswordSecret", "without spaces write one such as Exostellar"),
    ({"DefaultImageName": "two words"}, "DefaultImageName", "write one such as rhel8-x86"),
    ({"Workers": {"SecurityGroupIds": ["a b"]}}, "Workers.SecurityGroupIds[0]", "such as sg-0123456789abcdef0"),
    ({"Plugin.LogDir": "log"}, "Plugin.LogDir", "write one such as /var/log/xio"),
    # numbers
    ({"Pools.0.CPUs": 0}, "Pools[0].CPUs", "at least 1"),
    ({"Pools.0.CPUs": 5000}, "Pools[0].CPUs", "at most 4096"),
    ({"Pools.0.CPUs": 1.5}, "Pools[0].CPUs", "must be a whole number, not 1.5"),
    ({"Pools.0.CPUs": True}, "Pools[0].CPUs", "must be a whole number, not true"),
    ({"Pools.0.PoolSize": "10"}, "Pools[0].PoolSize", "write 10 without quotes"),
    ({"Pools.0.PoolSize": -1}, "Pools[0].PoolSize", "at least 1"),
    ({"Pools.0.PoolSize": 65537}, "Pools[0].PoolSize", "at most 65536"),
    ({"PoolSize": 0}, "PoolSize", "at least 1"),
    ({"MaxControllers": 0}, "MaxControllers", "at least 1"),
    ({"Profiles.0.MaxControllers": 0}, "Profiles[0].MaxControllers", "at least 1"),
    ({"Pools.0.MaxMemory": 0}, "Pools[0].MaxMemory", "at least 1"),
    ({"Pools.0.MinMemory": 0}, "Pools[0].MinMemory", "at least 1"),
    ({"Pools.0.MinMemory": 28001}, "Pools[0].MinMemory", "more than the 28000 of MaxMemory"),
    ({"Pools.1.MinMemory": 60513}, "Pools[1].MinMemory", "write 60512 or less"),
    ({"Pools.1.InstanceMemory": 4096}, "Pools[1].InstanceMemory", "the hypervisor needs all of that"),
    ({"Pools.0.VolumeSize": 0}, "Pools[0].VolumeSize", "at least 1"),
    ({"DefaultVolumeSize": 0}, "DefaultVolumeSize", "at least 1"),
    ({"Pools.0.Weight": 2**32}, "Pools[0].Weight", "at most"),
    ({"Pools.0.CPUs": 10**30}, "Pools[0].CPUs", "too large"),
    # keys
    ({"Pools.0.PoolSiz": 10}, "Pools[0].PoolSiz", "did you mean PoolSize?"),
    ({"Pools.0.cpus": 10}, "Pools[0].cpus", "did you mean CPUs?"),
    ({"Profile": []}, "Profile", "did you mean Profiles?"),
    ({"qwertz": 1}, "qwertz", "unknown key"),
    ({"Plugin.EmsUrls": "http://x"}, "Plugin.EmsUrls", "did you mean EmsUrl?"),
    ({"Controllers": {"ImageID": "ami-1"}}, "Controllers.ImageID", "did you mean ImageId?"),
    ({".slurm.Xwo": {"PartitionName": "xwo"}}, "slurm.Xwo", "only one of them"),
    # wrong kinds of values
    ({"Pools": "amd"}, "Pools", "must be a list, not 'amd'"),
    ({"Pools.0": "amd"}, "Pools[0]", "must be a mapping of keys, not 'amd'"),
    ({"Pools.0.CPUs": None}, "Pools[0].CPUs", "has no value"),
    ({"Pools": None}, "Pools", "has no value"),
    ({"Workers": None}, "Workers", "has no value"),
    ({"DefaultImageName": None}, "DefaultImageName", "has no value"),
    ({"DefaultImageName": ""}, "DefaultImageName", "is empty"),
    ({"DefaultImageName": ["a"]}, "DefaultImageName", "must be text, not a list"),
    ({"Images": {"ImageName": "a"}}, "Images", "must be a list"),
    ({"EnableHyperthreading": "no"}, "EnableHyperthreading", "must be true or false, not 'no'"),
    ({"Profiles.0.EnableHyperthreading": 1}, "Profiles[0].EnableHyperthreading", "must be true or false, not 1"),
    ({"Pools": {"p": {**POOL, "PoolName": "q"}}}, "Pools.p.PoolName", "another name"),
    # where the EMS is, and the plugin
    ({"ManagementServerIp": "10.0.0.300"}, "ManagementServerIp", "no IP address"),
    ({"ManagementServerIp": "a/b"}, "ManagementServerIp", "must be an IP address or a host's name"),
    ({"Plugin.EmsUrl": "ftp://10.0.0.10"}, "Plugin.EmsUrl", "no http or https URL"),
    ({"Plugin.EmsUrl": "10.0.0.10:5000"}, "Plugin.EmsUrl", "no http or https URL"),
    ({"Plugin.EmsUrl": "http://"}, "Plugin.EmsUrl", "no http or https URL"),
    ({"Plugin.EmsUrl": "http://x:99999"}, "Plugin.EmsUrl", "is no URL"),
    ({"Plugin.EmsUrl": "http://x/?a=b"}, "Plugin.EmsUrl", "more than an address"),
    ({"Plugin.EmsProxy": "10.0.0.20:3128"}, "Plugin.EmsProxy", "is no http or https URL"),
    ({"Plugin.EmsProxy": "http://me:hunter2@x:3128"}, "Plugin.EmsProxy", "holds a user or password"),
    ({"Plugin.EmsClientKey": "/etc/key.pem"}, "Plugin.EmsClientKey", "stands without EmsClientCertificate"),
    ({".slurm.ClusterName": DROP, "Plugin.PrefixProfiles": True}, "Plugin.PrefixProfiles", "needs the cluster's name"),
    ({"Plugin.VmRootPasswordCommand": ["pass", "x"]}, "Plugin.VmRootPasswordCommand", "isn't an absolute path"),
    (
        {"VmRootPasswordSecret": "s", "Plugin.VmRootPasswordFile": "/etc/p"},
        "Plugin.VmRootPasswordFile",
        "stands beside VmRootPasswordSecret",
    ),
    ({"Plugin.EmsUrl": "http://me:hunter2@x"}, "Plugin.EmsUrl", "holds a user or password"),
    ({"Plugin.StateDir": "var/lib"}, "Plugin.StateDir", "absolute path"),
    ({"Plugin.LogDir": "/var/log/my logs"}, "Plugin.LogDir", "absolute path"),
    ({"Plugin.ProgramDir": "/opt/$(id)"}, "Plugin.ProgramDir", "absolute path"),
    ({"Plugin.DelegateResumeProgram": "slurm_resume"}, "Plugin.DelegateResumeProgram", "absolute path"),
    ({"Plugin.MaxConcurrentRequests": 0}, "Plugin.MaxConcurrentRequests", "at least 1"),
    ({"Plugin.ConnectTimeout": 0}, "Plugin.ConnectTimeout", "more than 0"),
    ({"Plugin.ReadTimeout": "30"}, "Plugin.ReadTimeout", "write 30 without quotes"),
    ({"Plugin.ResumeTimeout": 70000}, "Plugin.ResumeTimeout", "at most 65533"),
    ({"Plugin.SuspendTime": -1}, "Plugin.SuspendTime", "at least 1"),
    ({"Plugin.SuspendRate": -1}, "Plugin.SuspendRate", "at least 0"),
    ({"Plugin.RetrySeconds": -1}, "Plugin.RetrySeconds", "at least 0"),
    ({"Plugin.BootTimeout": 0}, "Plugin.BootTimeout", "at least 1"),
    ({"Plugin.BootTimeout": 600}, "Plugin.BootTimeout", "must be less than ResumeTimeout (600 s)"),
    (
        {"Plugin.BootTimeout": 300, "Plugin.ResumeTimeout": 300},
        "Plugin.BootTimeout",
        "write less than 300, or take it out",
    ),
    ({"Plugin.CloseSeconds": 0}, "Plugin.CloseSeconds", "at least 1"),
    ({"Plugin.CloseSeconds": 901}, "Plugin.CloseSeconds", "must be at most LongestCloseSeconds (900 s)"),
    (
        {"Plugin.LongestCloseSeconds": 30},
        "Plugin.CloseSeconds",
        "write at most 30, or at least 60 for LongestCloseSeconds",
    ),
    ({"Plugin.LongestCloseSeconds": 86401}, "Plugin.LongestCloseSeconds", "at most 86400"),
    ({"Plugin.BootFailures": 0}, "Plugin.BootFailures", "at least 1"),
    ({"Plugin.FailedStarts": -1}, "Plugin.FailedStarts", "at least 0"),
    ({"Plugin.ReleaseSurplusNodes": "no"}, "Plugin.ReleaseSurplusNodes", "true or false"),
    ({"Plugin.OrphanGrace": 0}, "Plugin.OrphanGrace", "at least 1"),
    ({"Plugin.SyncInterval": 0.5}, "Plugin.SyncInterval", "at least 1"),
    ({"Plugin.MostDeletes": 0}, "Plugin.MostDeletes", "at least 1"),
    # beside Xio
    ({".slurm.storage.ExtraMounts.0.dest": "home"}, "slurm.storage.ExtraMounts[0].dest", "absolute path"),
    ({".slurm.storage.ExtraMounts.0.src": DROP}, "slurm.storage.ExtraMounts[0].src", "is missing"),
    ({".slurm.storage.ExtraMounts.0.fstype": "nfs"}, "slurm.storage.ExtraMounts[0].fstype", "unknown key"),
    (
        {".slurm.storage.ExtraMounts.1": {"dest": "/home/", "src": "b:/", "type": "nfs", "options": "rw"}},
        "slurm.storage.ExtraMounts[1].dest",
        "mounted twice",
    ),
    # two spellings of one thing
    (
        {"Controllers": {"ImageId": "ami-1"}, "ControllerImageId": "ami-2"},
        "ControllerImageId",
        "something else than Controllers.ImageId",
    ),
    (
        {"Workers": {"SecurityGroupIds": ["sg-1"]}, "WorkerSecurityGroupIds": ["sg-2"]},
        "WorkerSecurityGroupIds",
        "take WorkerSecurityGroupIds out",
    ),
    # derived pools
    ({"DefaultImageName": DROP, "InstanceTypes": ["m6a"]}, "DefaultImageName", "need an image"),
    ({"Pools": DROP, "Profiles": DROP, "InstanceTypes": ["m6a.xlarge"]}, "Pools", "at least 32 GiB"),
]

WARNINGS: Final[list[tuple[Change, str, str]]] = [
    ({"Profiles.0.InstanceTypes.2": "xidn"}, "Profiles[0].InstanceTypes[2]", "did you mean 'x2idn'?"),
    ({"Profiles.0.InstanceTypes.2": "c6a.5xlarge"}, "Profiles[0].InstanceTypes[2]", "no EC2 type c6a.5xlarge"),
    ({"Profiles.0.SpotFleetTypes.2": "hpc6a:3"}, "Profiles[0].SpotFleetTypes[2]", "no spot price"),
    ({"Profiles.0.InstanceTypes.2": "c6a:3"}, "Profiles[0].InstanceTypes[2]", "the same as 'c6a'"),
    ({"Profiles.0.SpotFleetTypes": ["c6a"]}, "Profiles[0].SpotFleetTypes", "fewer than 2 spot capacity pools"),
    ({"Profiles.0.SpotFleetTypes": DROP}, "Profiles[0].SpotFleetTypes", "no spot capacity pool"),
    ({"Profiles.0.SpotFleetTypes": ["c6a", "hpc7a"]}, "Profiles[0].SpotFleetTypes", "fewer than 2"),
    ({"Pools.0.CPUs": 24}, "Pools[0].CPUs", "speaks of 4"),
    ({"Pools.0.MaxMemory": 16000}, "Pools[0].MaxMemory", "speaks of 32 GB"),
    ({"Pools.0.MaxMemory": 40000}, "Pools[0].MaxMemory", "speaks of 32 GB"),
    ({"Pools.1.InstanceMemory": 32768}, "Pools[1].InstanceMemory", "speaks of 64 GB"),
    ({"Pools.1.MaxMemory": 61000}, "Pools[1].MaxMemory", "leaves a guest 60512"),
    ({"Pools.2": {**POOL, "CPUs": 97}}, "Pools[2].CPUs", "more than any instance type of profile 'amd'"),
    ({"Pools.2": {**POOL, "MaxMemory": 800000}}, "Pools[2].MaxMemory", "the largest type of profile 'amd' leaves"),
    ({"Pools.0.VolumeSize": 19}, "Pools[0].VolumeSize", "needs 20"),
    ({"DefaultImageName": "<your-image>"}, "DefaultImageName", "placeholder"),
    ({"Images.0.ImageId": "ami-xxxxxxxxxxxxxxxxx"}, "Images[0].ImageId", "placeholder"),
    ({"ManagementServerImageId": "ami-1"}, "ManagementServerImageId", "is read by nothing"),
    ({"Plugin.ResumeTimeout": 35}, "Plugin.ResumeTimeout", "one request to the EMS may take 35 s"),
    ({"Plugin.ReadTimeout": 300}, "Plugin.SuspendTimeout", "may take 305 s"),
    (
        {"Pools.0.MaxMemory": 32},
        "Pools[0].MaxMemory",
        "is 32 MiB: too little to boot; memory is in MiB 32 GiB is 32768",
    ),
    ({"Pools.2": {**POOL, "MaxMemory": 511}}, "Pools[2].MaxMemory", "is 511 MiB: too little to boot"),
    (
        {"Pools.1.InstanceMemory": 5000},
        "Pools[1].InstanceMemory",
        "leaves a guest 361: too little to boot",
    ),
    (
        {"AvailabilityZone": "us-east-2"},
        "AvailabilityZone",
        "is no availability zone such as us-east-2b add the zone's",
    ),
    ({"AvailabilityZone": "garbage"}, "AvailabilityZone", "'garbage' is no availability zone such as us-east-2b"),
    ({"AvailabilityZone": "US-EAST-2B"}, "AvailabilityZone", "is no availability zone"),
    ({"Plugin.DelegateResumeProgram": "/pc/resume"}, "Plugin.DelegateResumeProgram", "without DelegateSuspendProgram"),
    ({"Plugin.DelegateSuspendProgram": "/pc/stop"}, "Plugin.DelegateSuspendProgram", "without DelegateResumeProgram"),
]

FINE: Final[list[Change]] = [
    {"Pools.0.PoolName": "x" * 51},
    {"Pools.0.PoolName": "amd_32.x-1"},
    {"Pools.2": {**POOL, "PoolName": "amd-32g-4c-1", "CPUs": 4, "MaxMemory": 28000}},
    {"Pools.0.PoolSize": 65536},
    {"Pools.0.MinMemory": 28000},
    {"Pools.0.VolumeSize": 20},
    {"Pools.0.MaxMemory": DROP, "Pools.0.InstanceMemory": 32768},
    {"Profiles.0.InstanceTypes.2": "hpc6a:0"},
    {"Profiles.0.InstanceTypes.2": "r6a.8xlarge:9"},
    {"Profiles.0.InstanceTypes": DROP},
    {"Profiles.0.CpuVendor": "amd"},
    {"Profiles.0.EnableHyperthreading": True, "Pools.0.CPUs": 8},
    {"ManagementServerStackName": "ems"},
    {"ManagementServerIp": DROP, "ManagementServerStackName": "ems", "Plugin.EmsUrl": "http://ems:5000"},
    {"ManagementServerIp": DROP, "Plugin.EmsUrl": "https://ems.example.com"},
    {"ManagementServerIp": "ems.example.com"},
    {"ManagementServerIp": "fd00::1"},
    {"PartitionName": DROP},
    {"Controllers": {"ImageId": "ami-1"}, "ControllerImageId": "ami-1"},
    {"Workers": {}},
    {"Plugin": {}},
    {"Images": []},
    {".slurm.storage": DROP},
    {".slurm.storage": {"Other": 1}},
    {".slurm.ClusterName": DROP},
    {".StackName": "x", ".slurm.SlurmUid": 401},
    {"InstanceTypes": ["m6a"], "SpotFleetTypes": ["m6a", "r6a"]},
    {"Plugin.ResumeRate": 0, "Plugin.ConnectTimeout": 0.25},
    {"Plugin.DelegateResumeProgram": "/pc/resume", "Plugin.DelegateSuspendProgram": "/pc/suspend"},
    {"Pools.2": {**POOL, "MaxMemory": 512}},
    *(
        {"AvailabilityZone": zone}
        for zone in (
            "us-east-2b",
            "us-gov-west-1a",
            "eusc-de-east-1a",
            "us-west-2-lax-1a",
            "us-east-1-wl1-bos-wlz-1",
        )
    ),
]


@pytest.mark.parametrize(("change", "key", "words"), ERRORS, ids=lambda value: str(value)[:60])
def test_a_broken_rule_is_an_error(tmp_path: Path, change: Change, key: str, words: str) -> None:
    _told(tmp_path, change, "error", key, words)
    with pytest.raises(ConfigError):
        load(tmp_path / "xio.yaml")


@pytest.mark.parametrize(("change", "key", "words"), WARNINGS, ids=lambda value: str(value)[:60])
def test_what_works_but_looks_wrong_is_a_warning(tmp_path: Path, change: Change, key: str, words: str) -> None:
    _told(tmp_path, change, "warning", key, words)
    assert load(tmp_path / "xio.yaml").config.pools


@pytest.mark.parametrize("change", FINE, ids=lambda value: str(value)[:60])
def test_what_breaks_no_rule_is_not_spoken_of(tmp_path: Path, change: Change) -> None:
    assert load(_write(tmp_path, change)).warnings == ()


def test_all_problems_are_told_at_once_and_in_order(tmp_path: Path) -> None:
    change = {
        "PoolSize": "10",
        "Profiles.0.InstanceTypes.0": "xidn",
        "Profiles.1.ProfileName": "in-tel",
        "Profiles.1.InstanceTypes.0": "m7g",
        "Pools.0.CPUs": 0,
        "Pools.1.MinMemory": 99999999,
    }
    problems = _problems(_write(tmp_path, change))
    assert {p.key.removeprefix("slurm.Xio.") for p in problems} >= {
        "PoolSize",
        "Profiles[0].InstanceTypes[0]",
        "Profiles[1].ProfileName",
        "Profiles[1].InstanceTypes[0]",
        "Pools[0].CPUs",
        "Pools[1].MinMemory",
    }
    assert [p.line for p in problems] == sorted(p.line for p in problems)


@pytest.mark.parametrize(
    "change", [{"ManagementServerIp": "10.0.0.300"}, {"ManagementServerIp": DROP, "Plugin.EmsUrl": "ems"}], ids=str
)
def test_a_wrong_address_is_not_told_as_missing_too(tmp_path: Path, change: Change) -> None:
    (problem,) = _problems(_write(tmp_path, {**change, "ManagementServerStackName": "ems"}))
    assert problem.severity == "error"


def test_a_wrong_delegate_is_not_told_as_missing_too(tmp_path: Path) -> None:
    change = {"Plugin.DelegateResumeProgram": "/pc/resume", "Plugin.DelegateSuspendProgram": "pc/suspend"}
    assert [p.key for p in _problems(_write(tmp_path, change))] == ["slurm.Xio.Plugin.DelegateSuspendProgram"]


def test_a_profile_with_a_problem_is_not_told_as_missing_too(tmp_path: Path) -> None:
    problems = _problems(_write(tmp_path, {"Profiles.0.MaxControllers": "ten"}))
    assert [p.key for p in problems] == ["slurm.Xio.Profiles[0].MaxControllers"]


def test_no_message_repeats_what_could_be_a_password(tmp_path: Path) -> None:
    change = {"Plugin.EmsUrl": "http://me:hunter2@x", "VmRootPasswordSecret": "hunter2 is it"}
    assert "hunter2" not in str(ConfigError(_problems(_write(tmp_path, change))))


def test_a_key_is_spelled_as_the_file_spells_it(tmp_path: Path) -> None:
    change = {"Pools": {"small": {"ProfileName": "amd", "CPUs": 0, "MaxMemory": 4000}}}
    assert [p.key for p in _problems(_write(tmp_path, change))] == ["slurm.Xio.Pools.small.CPUs"]
