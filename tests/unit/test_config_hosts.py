"""Addresses in a configuration."""

from typing import Any

import pytest
from pydantic import ValidationError

from xio_slurm.config.schema import PluginKeys


@pytest.mark.parametrize("address", ["head_node.mycluster.pcluster", "head-node.lab", "10.0.0.1", "fe80::1"])
def test_a_head_node_may_have_a_name_of_parallelclusters(address: Any) -> None:
    assert PluginKeys.model_validate({"HeadAddress": address}).head_address == address


@pytest.mark.parametrize("address", ["_x", "head node", "a/b", "x_"])
def test_other_signs_are_no_address(address: Any) -> None:
    with pytest.raises(ValidationError):
        PluginKeys.model_validate({"HeadAddress": address})
