"""Reads messages with Python's email package, and writes down what they mean.

Standard input holds messages, each after its length in four octets. For each, the facts that tests/message/facts.rs
describes are written, first as the default policy reads them and then as compat32 does.
"""

import email
import email.policy
import inspect
import struct
import sys
from email.header import decode_header, make_header
from email.utils import getaddresses
from urllib.parse import quote

# Newer Pythons give a whole field up by default when anything in it is quoted that could deceive an older reader, such
# as an @ in a name.
LENIENT = {"strict": False} if "strict" in inspect.signature(getaddresses).parameters else {}
FIELDS = ["from", "sender", "to", "cc", "reply-to"]


def escape(value):
    return quote(value, safe="") if isinstance(value, (bytes, bytearray)) else quote(value.encode(), safe="")


def say(key, *values):
    print(" ".join([key, *map(escape, values)]))


def addresses_default(message):
    for field in FIELDS:
        header = message[field]
        for group in header.groups if header is not None else []:
            if group.display_name is not None:
                say("group", group.display_name)
            for address in group.addresses:
                say(field, address.display_name, address.addr_spec)


def addresses_compat32(message):
    for field in FIELDS:
        for name, address in getaddresses(message.get_all(field, []), **LENIENT):
            if address:
                say(field, decoded(name), address)


def decoded(value):
    unfolded = value.replace("\r\n", "").replace("\n", "")
    return str(make_header(decode_header(unfolded)))


def ids(message, field):
    return [part.strip("<>") for part in (message[field] or "").split()]


def read(message, compat32):
    (addresses_compat32 if compat32 else addresses_default)(message)
    say("message-id", *ids(message, "message-id"))
    if message["references"] is not None:
        say("references", *ids(message, "references"))
    for name, value in message.items():
        if name.lower() in ("subject", "other"):
            say(name.lower(), decoded(value) if compat32 else str(value))
    part(message, compat32)
    names = [name.lower() for name in message.keys()]
    say("names", " ".join(name for name in names if not name.startswith("content-")))


def part(entity, compat32):
    kind = entity.get_content_type()
    if kind == "message/rfc822":
        print("message")
        read(entity.get_payload(0), compat32)
    elif entity.is_multipart():
        for child in entity.get_payload():
            part(child, compat32)
    else:
        say("leaf", kind)
        if entity.get_content_disposition() is not None:
            say("file", entity.get_content_disposition(), entity.get_filename())
        if entity["content-id"] is not None:
            say("content-id", entity["content-id"].strip("<>"))
        say("data", entity.get_payload(decode=True))
    if not compat32 and entity.defects:
        say("defects", repr(entity.defects))


def main():
    source = sys.stdin.buffer
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    while length := source.read(4):
        octets = source.read(struct.unpack(">I", length)[0])
        for policy, compat32 in [(email.policy.default, False), (email.policy.compat32, True)]:
            read(email.message_from_bytes(octets, policy=policy), compat32)
            print(".")


main()
