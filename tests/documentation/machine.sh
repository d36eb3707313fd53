#!/bin/sh
# Runs a command on a machine of its own: this one, but that what it changes is gone with it, and that it has no
# network besides loopback. So the documentation's commands run as they stand, and touch nothing of the real one.
#
#   unshare --mount --net --pid --fork --kill-child machine.sh TREE COMMAND...
#
# TREE, the checkout, can be written there, too.
set -eu

tree=$1
shift
root=/mnt/root

copy_on_write() {
    mkdir -p "/mnt/$2/changes" "/mnt/$2/work" "$root$1"
    mount -t overlay -o "lowerdir=$1,upperdir=/mnt/$2/changes,workdir=/mnt/$2/work" overlay "$root$1"
}

mount -t tmpfs -o mode=755 machine /mnt
copy_on_write / all
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 machine "$root/tmp"
mount -t tmpfs -o mode=755 machine "$root/run"
copy_on_write "$tree" tree
mkdir -p "$root/run/systemd/system"

# What an administrator of a fresh machine doesn't have.
for place in /etc/slurm /etc/xio /opt/slurm /opt/xio /opt/parallelcluster /var/lib/xio /var/log/xio; do
    rm -rf "$root$place"
done
exec chroot "$root" /usr/bin/env -C "$tree" "$@"
