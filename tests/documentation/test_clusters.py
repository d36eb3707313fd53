"""The commands of pages do what the pages say: clusters that become ours, and are looked at."""

from tests.documentation.running import group_test

test_every_command_does_what_the_page_says = group_test("clusters")
