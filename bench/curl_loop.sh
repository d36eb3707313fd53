#!/bin/sh
# Asks an EMS for VMs one after the other, as shell scripts for it do: a template, base64, curl.
#
#   curl_loop.sh create|delete URL TEMPLATE < NAMES
set -eu

while read -r node; do
    if [ "$1" = delete ]; then
        curl -sS -f -o /dev/null -X DELETE "$2/v1/xcompute/vm/$node" < /dev/null
        continue
    fi
    data=$(sed "1a XIO_NODE=$node" "$3" | base64 -w 0)
    curl -sS -f -o /dev/null -X POST -H 'Content-Type: application/json' --data-binary @- "$2/v1/xcompute/vm" <<END
{"NodeName": "$node", "PoolName": "p", "ProfileName": "amd",
 "VM": {"CPUs": 1, "ImageName": "image", "MaxMemory": 7200, "VolumeSize": 10, "UserData": "$data"}}
END
done
