"""Reads metrics as OpenMetrics has them, by a library that isn't ours."""

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families


def families_of(text: str) -> list[Metric]:
    """The families of the text. Raises ValueError where it isn't OpenMetrics."""
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
