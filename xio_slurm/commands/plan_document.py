"""A plan as a JSON document, for programs. Pure; what could be a secret is masked already."""

from typing import Any

from xio_slurm.plan.change import Change, Verb
from xio_slurm.plan.include_line import include_line
from xio_slurm.plan.plan import Plan
from xio_slurm.plan.slurm_files import SlurmFiles


def plan_document(plan: Plan) -> dict[str, Any]:
    """The document's keys, without what the configuration's check had to say."""
    return {
        "cluster": plan.head.cluster,
        "ems_url": plan.config.plugin.ems_url,
        "complete": plan.problem is None,
        "changes": plan.changes,
        "documents": [_document(change) for change in plan.ems_changes],
        "files": _files(plan.slurm),
        "include": _include(plan.slurm),
        "mentions": list(plan.mentions),
        "next": list(plan.slurm.forgotten_steps),
        "warnings": list(plan.warnings),
        "refusals": list(plan.refusals),
        "problem": plan.problem,
    }


def _document(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "name": change.name,
        "action": change.verb.value,
        "fields": [{"path": field.path, "old": field.old, "new": field.new} for field in change.fields],
        "notes": list(change.notes),
        "refusals": list(change.refusals),
    }


def _files(slurm: SlurmFiles) -> dict[str, Any]:
    generation = slurm.generation
    verb = Verb.CREATE if generation.difference.first else Verb.UPDATE
    delegates = generation.config.plugin.delegates
    return {
        "folder": str(generation.folder),
        "action": (verb if slurm.writes_files else Verb.UNCHANGED).value,
        "changes": [{"kind": change.kind.value, "text": change.text} for change in generation.difference.changes],
        "delegates": {
            "resume": delegates.resume,
            "suspend": delegates.suspend,
            "resume_fail": delegates.resume_fail,
        },
    }


def _include(slurm: SlurmFiles) -> dict[str, Any]:
    conf = slurm.generation.conf
    return {
        "slurm_conf": None if conf is None else conf.path,
        "state": slurm.include.value,
        "action": "add" if slurm.puts_include else "unchanged",
        "line": include_line(slurm.node_definitions) if not slurm.refusals else None,
    }
