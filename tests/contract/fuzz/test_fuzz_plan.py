"""Whatever the EMS answers: a plan tells it in a line, and changes nothing."""

from tests.contract.fuzz.clusters import Clusters, options
from tests.contract.fuzz.judging import judge
from tests.contract.fuzz.runs import each_block, numbers, one_run


@each_block
def test_plan_tells_it_in_a_line_and_changes_nothing(cluster: Clusters, block: int) -> None:
    for number in numbers(block):
        with one_run("plan", number) as (random, told):
            cluster.begin(random)
            before = cluster.files()
            cluster.spoil(random)
            judge(told.add(cluster.call("plan", *options(random), terminal=random.random() < 0.3)), cluster.temporary)
            assert cluster.files() == before
            assert cluster.ems.writes() == []
            cluster.ems.mend()
