"""Reads messages with Python's email package, and writes the names of their header fields.

Standard input holds messages, each after its length in four octets. For each come two lines: the names as the default
policy finds them, and as compat32 does.
"""

import email
import email.policy
import struct
import sys

source = sys.stdin.buffer
while length := source.read(4):
    octets = source.read(struct.unpack(">I", length)[0])
    for policy in [email.policy.default, email.policy.compat32]:
        message = email.message_from_bytes(octets, policy=policy)
        list(message.walk())
        print(" ".join(name.lower() for name in message.keys()))
