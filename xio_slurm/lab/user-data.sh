#!/bin/sh
# What a VM of a lab does at boot: what a real one does, as far as one machine can show it.
#
# xio-resume puts XIO_NODE before this, the emulator gives XIO_EMULATOR_ADDRESS, the lab PATH, SLURM_CONF and
# XIO_LAB_UNSHARE: the arguments with which unshare gives this process a host name of its own, so that a job's
# 'hostname' prints the node's name. They are empty where this machine doesn't allow that.
set -eu

attempt=0
until scontrol update "NodeName=$XIO_NODE" "NodeAddr=$XIO_EMULATOR_ADDRESS"; do
    attempt=$((attempt + 1))
    [ "$attempt" -lt 60 ] || { echo "Slurm can't be told the address: slurmd is not started" >&2; exit 1; }
    sleep 1
done

# -b: slurmctld waits for a newer boot time than the last, and this host's doesn't change.
if [ -z "$XIO_LAB_UNSHARE" ]; then
    exec slurmd -D -b -N "$XIO_NODE"
fi
# shellcheck disable=SC2016,SC2086  # the inner shell expands; the arguments are words
exec unshare $XIO_LAB_UNSHARE sh -c '
    hostname "$1"
    [ "$(id -u)" = 0 ] || set -- "$1" setpriv --inh-caps=-all --ambient-caps=-all
    name=$1
    shift
    exec "$@" slurmd -D -b -N "$name"
' vm "$XIO_NODE"
