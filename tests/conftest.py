"""No test asks AWS, or the metadata service of the machine that it runs on, but a server of its own on loopback.

And each can be interrupted, and its processes too: a shell starts what runs in its background deaf to Ctrl-C.
"""

import os
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)

for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ |= {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "TERM": "xterm",  # tests make terminals; that of whoever started them may be dumb, or none
}
