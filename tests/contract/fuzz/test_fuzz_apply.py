"""Whatever the EMS answers: an apply tells it in a line, leaves nothing half done, and can be run again."""

from tests.contract.fuzz.clusters import Clusters, options
from tests.contract.fuzz.judging import judge
from tests.contract.fuzz.runs import each_block, numbers, one_run


@each_block
def test_apply_tells_it_in_a_line_leaves_nothing_half_done_and_can_be_run_again(cluster: Clusters, block: int) -> None:
    for number in numbers(block):
        with one_run("apply", number) as (random, told):
            cluster.begin(random)
            before = cluster.files()
            cluster.spoil(random)
            chosen = options(random)
            called = told.add(cluster.call("apply", "--yes", *chosen, terminal=random.random() < 0.3))
            judge(called, cluster.temporary)
            cluster.judge_files()
            cluster.ems.mend()
            is_as_it_was = cluster.ems.writes() == [] and cluster.files() == before
            if random.random() < (0.95 if is_as_it_was else 0.8 if called.code == 0 else 0.0):
                continue  # there is little to learn
            again = told.add(cluster.call("apply", "--yes"))
            assert again.code == 0
            cluster.judge_files()
            done, files = len(cluster.ems.writes()), cluster.files()
            assert told.add(cluster.call("apply", "--yes")).code == 0
            assert len(cluster.ems.writes()) == done
            assert cluster.files() == files
