"""Each node of a lab gets a port of its own, and no two labs get the same."""

import socket
from contextlib import ExitStack, closing

from xio_slurm.lab import ports
from xio_slurm.slurm.hostlist import expand

DEFINITIONS = """\
# NodeName=comment-[1-9] is none
ResumeProgram=/usr/bin/true
NodeName=DEFAULT CPUs=2
NodeName=a-8-gb-[1-3] CPUs=24 RealMemory=6800 State=CLOUD
nodename=b-1 State=CLOUD
PartitionName=p Nodes=a-8-gb-[1-3],b-1
"""


def test_every_node_gets_the_next_port_and_nothing_else_changes() -> None:
    expected = DEFINITIONS.replace(
        "NodeName=a-8-gb-[1-3]", "NodeName=a-8-gb-[1-3] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[700-702]"
    ).replace("nodename=b-1", "NodeName=b-1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=703")
    assert ports.with_ports(DEFINITIONS, 700) == expected


def test_the_nodes_are_those_of_the_node_lines_alone() -> None:
    assert ports.nodes_in(DEFINITIONS) == (*expand("a-8-gb-[1-3]"), "b-1")


def test_claims_never_overlap_and_are_free_to_listen_on() -> None:
    with ExitStack() as claims:
        held = [claims.enter_context(closing(ports.claim(count))) for count in (1, 64, 65, 500, 3)]
        claimed = [port for claim in held for port in range(claim.first, claim.first + claim.count)]
        assert len(set(claimed)) == len(claimed) == 633
        with closing(socket.create_server(("", held[3].first + 499))):
            pass


def test_a_claim_avoids_ports_that_something_else_listens_on() -> None:
    with closing(ports.claim(1)) as first:
        place = first.first
    with closing(socket.create_server(("", place))):
        claims = [ports.claim(1) for _ in range(100)]
        for claim in claims:
            claim.close()
        assert place not in {claim.first for claim in claims}
