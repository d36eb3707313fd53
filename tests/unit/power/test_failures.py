"""What an error of the EMS means, whatever it looks like."""

import json
from typing import Final, get_args

import pytest

from xio_slurm.ems.answers import refusal
from xio_slurm.ems.transport import Answer
from xio_slurm.errors import CertificateError, EmsError, EmsRefused, EmsUnreachable, EmsUnreadable
from xio_slurm.power.breaker import Cause
from xio_slurm.power.failures import TREATMENTS, Kind, Node, Scope, kind_of

NGINX: Final = (
    "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
    "<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>"
)
HAPROXY: Final = (
    "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n"
)


def refused(status: int, body: str) -> EmsRefused:
    """The error as the client makes it of an answer."""
    return refusal(Answer(status, body.encode()), "create the node")


def error(text: str) -> str:
    """A body of the EMS's own."""
    return json.dumps({"Error": text})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, error("no capacity in us-east-2b"), Kind.CAPACITY),
        (503, error("try again later"), Kind.CAPACITY),
        (503, "", Kind.CAPACITY),
        (503, NGINX, Kind.TRANSIENT),
        (503, HAPROXY, Kind.TRANSIENT),
        (503, "<!DOCTYPE html><p>down for maintenance</p>", Kind.TRANSIENT),
        (400, error("An error occurred (InsufficientInstanceCapacity) when calling RunInstances"), Kind.CAPACITY),
        (500, error("We currently do not have sufficient c6a.large capacity in us-east-2b"), Kind.CAPACITY),
        (500, error("Profile amd: not enough controllers"), Kind.CAPACITY),
        (409, error("no free workers"), Kind.CAPACITY),
        (400, error("(VcpuLimitExceeded): more vCPU capacity than your limit of 32 allows"), Kind.CAPACITY),
        (400, error("(MaxSpotInstanceCountExceeded): Max spot instance count exceeded"), Kind.CAPACITY),
        (404, error("image rhel8 not found"), Kind.REJECTED),
        (404, error("pool big-capacity not found"), Kind.REJECTED),
        (400, error("ProfileName is missing"), Kind.REJECTED),
        (401, error("not licensed"), Kind.REJECTED),
        (403, error("the user has insufficient permissions"), Kind.REJECTED),
        (409, error("the node exists"), Kind.REJECTED),
        (422, "", Kind.REJECTED),
        (408, "", Kind.TRANSIENT),
        (429, error("Rate limit exceeded"), Kind.TRANSIENT),
        (400, error("An error occurred (RequestLimitExceeded): Request limit exceeded."), Kind.TRANSIENT),
        (429, "", Kind.TRANSIENT),
        (500, error("Internal Server Error"), Kind.TRANSIENT),
        (500, "", Kind.TRANSIENT),
        (502, NGINX.replace("503", "502"), Kind.TRANSIENT),
        (504, "", Kind.TRANSIENT),
        (102, "", Kind.TRANSIENT),
        (301, NGINX, Kind.UNKNOWN),
        (204, "", Kind.UNKNOWN),
        (204, "capacity", Kind.UNKNOWN),
        (501, "", Kind.UNKNOWN),
    ],
)
def test_what_a_refusal_means(status: int, body: str, kind: Kind) -> None:
    assert kind_of(refused(status, body)) is kind


@pytest.mark.parametrize(
    ("failed", "kind"),
    [
        (EmsUnreachable("connection refused", sent=False), Kind.UNREACHABLE),
        (EmsUnreachable("no answer within 30 s", sent=True), Kind.UNREACHABLE),
        (CertificateError("/etc/ssl/x.pem: expired"), Kind.UNREACHABLE),
        (EmsUnreadable("the EMS answered 200 with something that is no JSON"), Kind.TRANSIENT),
        (EmsError("of a kind that nobody knows yet"), Kind.UNKNOWN),
    ],
)
def test_what_no_answer_means(failed: EmsError, kind: Kind) -> None:
    assert kind_of(failed) is kind


def test_every_status_means_something() -> None:
    assert {kind_of(refused(status, "")) for status in range(100, 600)} <= set(Kind)


def test_every_kind_that_a_reason_can_begin_with_has_a_treatment() -> None:
    assert {kind.value for kind in Kind} - set(TREATMENTS) == {"transient", "unknown"}  # both are told as "ems"
    assert all(treatment.why and treatment.delay >= 0 for treatment in TREATMENTS.values())


def test_what_closes_pools_is_a_cause_of_a_breaker() -> None:
    closing = {code for code, treatment in TREATMENTS.items() if treatment.closes is not Scope.NONE}
    assert closing == set(get_args(Cause)) - {"", "administrator"}


def test_an_outage_is_no_failed_start() -> None:
    outages = [treatment for treatment in TREATMENTS.values() if treatment.closes is Scope.ALL]
    assert outages
    assert not any(treatment.counts for treatment in outages)


def test_a_node_that_is_free_at_once_is_not_tried_again_at_once() -> None:
    """Its job would take the same node again, and fail as it did."""
    freed = [treatment for treatment in TREATMENTS.values() if treatment.node is Node.FREE]
    assert freed
    assert all(treatment.delay > 0 for treatment in freed)
