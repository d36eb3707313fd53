"""How much of a VM's memory Slurm may give to jobs."""

_KERNEL_SHARE = 50
_KERNEL_FIXED = 256


def real_memory(max_memory: int) -> int:
    """RealMemory (MiB) for a VM that is given ``max_memory`` (MiB).

    A guest sees less than its VM has: the kernel keeps 1/64 for its page table entries (64 bytes for each page of
    4096), its own code, and on Red Hat's kernels 160 to 512 MiB for the crash kernel. So 2 % and 256 MiB stay with
    the guest; the peers leave 5 % (ParallelCluster) or 400 MB and 3 % (slurm-gcp).

    RealMemory = MaxMemory would be wrong twice: a node that registers with less than ``node_reg_mem_percent`` of it
    (90 for CLOUD nodes since 21.08, 100 where an administrator wishes) is drained with "Low RealMemory", and a job
    that is given all of it meets the guest's OOM killer. That tolerance remains for a guest that keeps more.
    """
    return max(max_memory - max_memory // _KERNEL_SHARE - _KERNEL_FIXED, max_memory // 2, 1)
