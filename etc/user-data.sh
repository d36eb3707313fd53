#!/bin/bash
# What a VM does at boot, as root. A site can replace it (slurm: Xio: Plugin: UserDataTemplate).
#
# xio-resume puts these assignments after the first line, so this is plain shell and not a template language:
#   XIO_NODE         the node's name in Slurm
#   XIO_POOL         its pool
#   XIO_CLUSTER      the cluster's name; empty where slurm.conf gives none
#   XIO_MOUNTS       one file system a line: type, source, mount point, options, with tabs between
#   XIO_HOOK_SCRIPT  a script of the site's, as the VM sees it after the mounts; empty for none
#   XIO_ROOT_PASSWORD_HASH  root's password as crypt(5) has it; empty to leave root's as the image has it
#
# A step that the node can't do without ends the boot: slurmd isn't started, and Slurm gives up at ResumeTimeout.
set -u
export PATH=/opt/slurm/bin:/opt/slurm/sbin:/usr/sbin:/usr/bin:/sbin:/bin

say() { echo "xio user data: $*"; logger -t xio-user-data -- "$*" 2>/dev/null; }
fail() { say "$*: slurmd is not started"; exit 1; }

# Through a pipe: every user sees a command's arguments. A trace (bash -x) ends in the console's log: not this one.
set_root_password() {
    local failed=
    {
        [ -z "${XIO_ROOT_PASSWORD_HASH:-}" ] || printf 'root:%s\n' "$XIO_ROOT_PASSWORD_HASH" | chpasswd -e 2>&3 ||
            failed=yes
        unset XIO_ROOT_PASSWORD_HASH
    } 3>&2 2>/dev/null
    [ -z "$failed" ] || say "root's password can't be set"
}

# EMS gives the interface two addresses: the first is the worker's, the second the VM's. Without promote_secondaries
# Linux would take the second away with the first.
keep_own_address() {
    local device=eth0 first
    ip -4 -o addr show dev "$device" | grep -q secondary || return 0
    sysctl -q -w "net.ipv4.conf.$device.promote_secondaries=1"
    first=$(ip -4 -o addr show dev "$device" | grep -v secondary | awk '{print $4; exit}')
    ip addr del "$first" dev "$device" || fail "the worker's address $first can't be removed from $device"
}

mount_one() {
    local type=$1 source=$2 point=$3 options=$4 attempt
    mkdir -p "$point"
    mountpoint -q "$point" && return 0
    for attempt in 1 2 3 4 5; do
        mount -t "$type" -o "$options" "$source" "$point" && return 0
        say "mounting $point failed (attempt $attempt of 5)"
        sleep "$attempt"
    done
    fail "$source can't be mounted at $point"
}

# On ParallelCluster, Slurm itself lies on the head node; where the site mounts it otherwise, that is enough.
mount_slurm() {
    local head=head_node.$XIO_CLUSTER.pcluster
    case "$XIO_MOUNTS" in *"	/opt/slurm	"*) return 0 ;; esac
    getent hosts "$head" >/dev/null || return 0
    mount_one nfs "$head:/opt/slurm" /opt/slurm defaults
}

mount_site() {
    local type source point options
    while IFS='	' read -r type source point options; do
        [ -z "$type" ] || mount_one "$type" "$source" "$point" "$options"
    done <<<"$XIO_MOUNTS"
}

create_users() {
    local program=/opt/slurm/config/bin/create_users_groups.py file=/opt/slurm/config/users_groups.json
    [ -x "$program" ] && [ -r "$file" ] || return 0
    "$program" -i "$file" || say "$program failed: some users or groups may be missing"
}

run_hook() {
    [ -n "$XIO_HOOK_SCRIPT" ] || return 0
    [ -x "$XIO_HOOK_SCRIPT" ] || fail "the hook script $XIO_HOOK_SCRIPT isn't there or isn't executable"
    "$XIO_HOOK_SCRIPT" || fail "the hook script $XIO_HOOK_SCRIPT ended with $?"
}

name_host() {
    hostnamectl set-hostname "$XIO_NODE" 2>/dev/null || hostname "$XIO_NODE"
}

tell_slurm_address() {
    local address attempt
    address=$(hostname -I | awk '{print $1}')
    for attempt in 1 2 3 4 5; do
        scontrol update "NodeName=$XIO_NODE" "NodeAddr=$address" "NodeHostname=$XIO_NODE" && return 0
        say "telling Slurm the address failed (attempt $attempt of 5)"
        sleep "$attempt"
    done
    say "Slurm doesn't know the address $address: slurmd's registration has to bring it"
}

start_slurmd() {
    local file
    for file in /etc/sysconfig/slurmd /etc/default/slurmd; do
        [ -d "${file%/*}" ] && echo "SLURMD_OPTIONS='-N $XIO_NODE'" > "$file"
    done
    systemctl restart slurmd || fail "the slurmd service doesn't start"
}

set_root_password
keep_own_address
mount_slurm
mount_site
create_users
run_hook
name_host
tell_slurm_address
start_slurmd
say "$XIO_NODE is up"
