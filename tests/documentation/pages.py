"""Which page presumes which surroundings. A page with commands that isn't here fails its test."""

from collections.abc import Mapping
from typing import Final

from tests.documentation import clusters, surroundings
from tests.documentation.deeds import ctrl_c, typed
from tests.documentation.reading import Page
from tests.documentation.troubles import no_capacity_for

RESTART: Final = typed("systemctl restart slurmctld")
"""What apply has told."""
JOB: Final = typed("srun -p xio-amd-8-gb-1-cores hostname")
"""So that something has happened."""

_BACK: Final = "cp -a /opt/slurm/etc/slurm.conf.scripts /opt/slurm/etc/slurm.conf && systemctl start slurmctld"

PAGES: Final[Mapping[str, Page]] = {
    "README.md": Page(
        "readme",
        clusters.from_a_clone,
        before={
            "xio image create --ami ami-0123456789abcdef0 --name rhel8-x86": RESTART,
            "xio explain 4711": no_capacity_for(4711, "amd-8-gb-1-cores"),
        },
        answers={"xio apply -c xio.yaml": "y"},
        not_run={"bin/test     # everything that must hold": "it is what runs this"},
    ),
    "docs/configure-xio.md": Page(
        "clusters",
        clusters.plain_with_aws,
        answers={"xio apply": "y"},
        before={"srun -p xio-amd-8-gb-1-cores hostname": RESTART},
    ),
    "docs/monitoring.md": Page(
        "clusters",
        clusters.at_work,
        before={
            "xio metrics --output /var/lib/prometheus/node-exporter/xio.prom": typed(
                "mkdir -p /var/lib/prometheus/node-exporter"
            )
        },
    ),
    "docs/doctor.md": Page("clusters", clusters.at_work_without_its_image, codes={"xio doctor": 1}),
    "docs/events.md": Page(
        "clusters",
        clusters.at_work,
        before={"jq -c 'select(.event == \"refused\")' /var/log/xio/events.jsonl": JOB},
    ),
    "docs/a-job-hangs.md": Page(
        "troubles",
        clusters.at_work,
        before={"xio explain 4711": no_capacity_for(4711, "amd-8-gb-1-cores")},
    ),
    "docs/parallelcluster.md": Page("troubles", clusters.at_work_on_parallelcluster),
    "docs/two-controllers.md": Page("troubles", clusters.plain),
    "etc/ansible/README.md": Page(
        "ansible",
        clusters.by_ansible,
        not_run={
            "ansible-playbook -i hosts vm-image.yml -e xio_slurm_munge_key=munge.key": "its packages come from a "
            "network, and it is another machine's: tests/slurm/test_ansible.py plays it"
        },
    ),
    "docs/tutorial.md": Page("tutorial", surroundings.checkout),
    "docs/from-the-ansible-scripts.md": Page(
        "scripts",
        clusters.as_the_scripts_left_it,
        codes={"xio plan -c /etc/xio/xio.yaml --slurm-conf /opt/slurm/etc/slurm.conf": 1},
        answers={
            "xio apply -c /etc/xio/xio.yaml --slurm-conf /opt/slurm/etc/slurm.conf && systemctl start slurmctld": "y"
        },
        before={_BACK: typed("cp -a /opt/slurm/etc/slurm.conf /tmp/applied && systemctl stop slurmctld")}
        | {
            "xio vm list     # VMs of running jobs are not in the ledger until their node's first suspend, or a new "
            "resume": typed(
                "systemctl stop slurmctld && cp -a /tmp/applied /opt/slurm/etc/slurm.conf && systemctl start slurmctld"
            )
        },
        stays=frozenset({"tail -f /var/log/xio/xio.log"}),
    ),
    "docs/upgrade.md": Page("upgrade", clusters.at_work_and_a_clone),
    "docs/lab.md": Page(
        "lab",
        surroundings.checkout,
        before={"xio lab up --delegated-nodes 3": typed("xio lab down")},
    ),
    "docs/emulator.md": Page(
        "emulator",
        surroundings.emulator,
        before={"xio emulator --tls certs": ctrl_c("xio emulator")},
        stays=frozenset({"xio emulator", "xio emulator --tls certs"}),
    ),
}
