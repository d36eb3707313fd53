"""What is wrong is told when it begins and when it is over, not in every pass between."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

log = logging.getLogger("xio_slurm")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that hinders a pass, or a part of it.

    ``about`` tells whether it is the one of the pass before, ``text`` is the line. ``over``: what is said when it is
    over; empty: nothing.
    """

    about: str
    text: str
    over: str = ""


class Notices:
    """The problems that have been told."""

    def __init__(self) -> None:
        self._told: dict[str, Problem] = {}

    def tell(self, problems: Iterable[Problem], *, saw_all: bool = True) -> None:
        """Log those that are new. With ``saw_all``, those that aren't there any more are over."""
        now = {problem.about: problem for problem in problems}
        for about, problem in now.items():
            if about not in self._told:
                log.error("%s", problem.text)
        if saw_all:
            for about in self._told.keys() - now.keys():
                if over := self._told.pop(about).over:
                    log.info("%s", over)
        self._told |= now
