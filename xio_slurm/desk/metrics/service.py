"""The metrics of ``xio sync``: after each pass its events are counted, and what it saw is served."""

import time
from collections.abc import Iterator

from xio_slurm.desk.metrics.endpoint import Endpoint
from xio_slurm.desk.metrics.exposition import exposition
from xio_slurm.desk.metrics.families import families
from xio_slurm.desk.metrics.store import totals_now
from xio_slurm.desk.status import status_of
from xio_slurm.desk.status_look import look_of
from xio_slurm.manifest import Manifest
from xio_slurm.power.sync.notices import Notices, Problem
from xio_slurm.power.sync.one_pass import Passed


class MetricsService:
    """What a service does after its passes. It asks neither Slurm nor the EMS."""

    def __init__(self) -> None:
        self._notices = Notices()
        self._endpoint: Endpoint | None = None
        self._address: str | None = None

    def after_pass(self, manifest: Manifest, passed: Passed) -> None:
        """Count what has happened since the last pass, also where nothing is served: files of events go away."""
        totals, unread = totals_now(manifest, time.time())
        problems = [Problem(f"totals {text}", f"{text}: some events aren't counted in the metrics") for text in unread]
        problems += self._listen(manifest.metrics_address)
        if self._endpoint is not None:
            found = families(manifest, status_of(manifest, look_of(passed), {}), totals)
            self._endpoint.publish(exposition(found), exposition(found, typed=True))
        self._notices.tell(problems)

    def _listen(self, address: str | None) -> Iterator[Problem]:
        """Be where the manifest says; tried again after each pass."""
        if self._endpoint is not None and address != self._address:
            self._endpoint.close()
            self._endpoint = None
        self._address = address
        if address is not None and self._endpoint is None:
            try:
                self._endpoint = Endpoint(address)
            except OSError as error:
                why = error.strerror or str(error)
                yield Problem("address", f"MetricsAddress {address}: can't listen: {why}", "metrics are served")
