"""The commands of pages do what the pages say: the README."""

from tests.documentation.running import group_test

test_every_command_does_what_the_page_says = group_test("readme")
