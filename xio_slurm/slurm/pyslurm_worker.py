"""The process that has pyslurm: ``pyslurm_process`` starts it, writes it questions, and reads its answers.

Each is a line of JSON. It ends with its standard input.
"""

import json
import os
import sys
from typing import Any


def main() -> None:
    """Say that pyslurm is there, then answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever Slurm's library prints isn't an answer
    import pyslurm  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415  it may end us

    print(json.dumps({"answer": None}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            told: dict[str, Any] = {"answer": _answer(pyslurm, json.loads(line))}
        except Exception as error:
            told = {"error": " ".join(str(error).split()) or type(error).__name__}
        print(json.dumps(told), file=answers, flush=True)


def _answer(pyslurm: Any, question: dict[str, Any]) -> list[list[str]] | None:
    """Change nodes, or tell of every node its name, state, address and reason."""
    if changes := question.get("changes"):
        pyslurm.Node(question["nodes"]).modify(pyslurm.Node(**changes))
        return None
    return [[each.name, each.state, each.address or "", each.reason or ""] for each in pyslurm.Nodes.load().values()]


if __name__ == "__main__":
    main()
