"""The table of EC2 families, against figures that AWS publishes."""

import pytest

from xio_slurm.config.families import Family, find_family, suggest_family


def _family(name: str) -> Family:
    family = find_family(name)
    assert family is not None
    return family


@pytest.mark.parametrize(
    ("instance", "vcpus", "cores", "gib"),
    [
        ("c5.9xlarge", 36, 18, 72),
        ("c5n.large", 2, 1, 5.25),
        ("c5n.18xlarge", 72, 36, 192),
        ("c7a.medium", 1, 1, 2),
        ("m5zn.12xlarge", 48, 24, 192),
        ("m6a.metal", 192, 96, 768),
        ("m7i.metal-24xl", 96, 48, 384),
        ("r5.24xlarge", 96, 48, 768),
        ("r7a.48xlarge", 192, 192, 1536),
        ("x2idn.32xlarge", 128, 64, 2048),
        ("x2iedn.xlarge", 4, 2, 128),
        ("z1d.3xlarge", 12, 6, 96),
        ("x1.32xlarge", 128, 64, 1952),
        ("hpc6a.48xlarge", 96, 96, 384),
        ("hpc7a.12xlarge", 24, 24, 768),
        ("t3.nano", 2, 1, 0.5),
    ],
)
def test_a_type_has_the_size_that_aws_gives_it(instance: str, vcpus: int, cores: int, gib: float) -> None:
    family, _, name = instance.partition(".")
    size = next(size for size in _family(family).sizes if size.name == name)
    assert (size.vcpus, size.cores, size.memory) == (vcpus, cores, gib * 1024)


@pytest.mark.parametrize(
    ("name", "vendor", "spot"),
    [
        ("c5a", "amd", True),
        ("c5", "intel", True),
        ("m8i-flex", "intel", True),
        ("hpc6a", "amd", False),
        ("hpc7a", "amd", False),
        ("hpc6id", "intel", False),
        ("u-6tb1", "intel", False),
        ("m7g", "arm", False),
        ("x2gd", "arm", False),
    ],
)
def test_a_family_has_its_vendor_and_market(name: str, vendor: str, spot: bool) -> None:
    family = _family(name)
    assert (family.vendor, family.spot) == (vendor, spot)


@pytest.mark.parametrize(("wrong", "right"), [("xidn", "x2idn"), ("xiedn", "x2iedn"), ("xiezn", "x2iezn")])
def test_a_family_that_does_not_exist_is_told_with_the_nearest(wrong: str, right: str) -> None:
    assert find_family(wrong) is None
    assert suggest_family(wrong) == right


def test_nothing_is_suggested_for_what_is_near_to_nothing() -> None:
    assert suggest_family("qqqqqq") is None
