"""What figures say beside each other."""

import pytest

from bench.ratio import Goal, growth, ratio


def test_a_ratio_needs_something_to_stand_against() -> None:
    assert ratio(3, 2) == 1.5
    assert ratio(3, 0) is None


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_growth_is_a_power_of_the_nodes_whatever_the_start_costs(power: float) -> None:
    # A thousandth of a second a node, after 0.3 s.
    taken = {nodes: 0.3 + (nodes**power) / 1000 for nodes in (1, 100, 1_000, 10_000)}
    assert growth(taken) == pytest.approx(power, abs=0.01)


def test_where_the_start_is_nearly_all_noise_is_no_growth() -> None:
    assert growth({1: 0.300, 1_000: 0.301, 10_000: 0.330}) == pytest.approx(0.04, abs=0.01)
    assert growth({1: 0.300, 1_000: 0.298, 10_000: 0.290}) == pytest.approx(-0.01, abs=0.01)
    assert growth({1: 0.300, 1_000: 0.500, 10_000: 0.290}) is not None


def test_two_numbers_say_nothing_about_growth() -> None:
    assert growth({1: 1.0, 10: 2.0}) is None


def test_a_goal_is_reached_at_its_limit() -> None:
    assert [Goal("", figure, 1.5).verdict for figure in (1.5, 1.51, None)] == [
        "reached",
        "**not reached**",
        "not measured",
    ]
