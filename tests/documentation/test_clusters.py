"""The commands of pages do what the pages say: clusters that become ours, and are looked at."""

import pytest

from tests.documentation.running import of_group, run_page


@pytest.mark.parametrize("page", of_group("clusters"))
def test_every_command_does_what_the_page_says(page: str) -> None:
    wrong = run_page(page)
    assert not wrong, wrong
