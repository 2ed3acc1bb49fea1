"""aiosmtpd for the tests: keeps the exact octets of every message, and how they came.

    aiosmtpd_server.py DIRECTORY

DIRECTORY holds certificate.pem and key.pem. Prints "ready" and three ports on 127.0.0.1: SMTP with
STARTTLS, SMTP over implicit TLS, LMTP; LMTP listens on DIRECTORY/lmtp.sock too. Stops, removing
DIRECTORY, at the end of its own input: when the test closes the pipe, or dies in whatever way. Each
message is stored for each of its recipients as DIRECTORY/mail/NAME/N.eml, its envelope in one line
as N.json.
"""

import asyncio
import base64
import json
import logging
import shutil
import signal
import ssl
import sys
from itertools import count
from pathlib import Path

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import MISSING, SMTP, AuthResult, LoginPassword

DIRECTORY = Path(sys.argv[1])
LOGIN = LoginPassword(b"alice@example.test", b"wonderland")
TOKEN = "ya29.dHJhbnNpZW50"
SIZE_LIMIT = 4_194_304
numbers = count(1)


class Handler:
    """Refuses `nobody` at RCPT and, over LMTP, `full` after the data; stores the rest."""

    def __init__(self, reply_per_recipient):
        self.reply_per_recipient = reply_per_recipient

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return f"550 5.1.1 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_RSET(self, server, session, envelope):
        session.resets = getattr(session, "resets", 0) + 1
        return "250 2.0.0 OK"

    async def handle_DATA(self, server, session, envelope):
        replies = [self.deliver(address, session, envelope) for address in envelope.rcpt_tos]
        # RFC 2033, 4.2: LMTP answers once for each accepted recipient, SMTP once for them all.
        return "\r\n".join(replies) if self.reply_per_recipient else "250 2.0.0 stored"

    def deliver(self, address, session, envelope):
        name = address.partition("@")[0]
        if self.reply_per_recipient and name == "full":
            return f"552 5.2.2 <{address}>: mailbox full"
        path = DIRECTORY / "mail" / name / f"{next(numbers):06}"
        path.parent.mkdir(parents=True, exist_ok=True)
        facts = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "tls": session.ssl is not None,
            "login": session.auth_data.login.decode() if session.authenticated else None,
            "resets": getattr(session, "resets", 0),
        }
        path.with_suffix(".json").write_text(json.dumps(facts, ensure_ascii=False))
        path.with_suffix(".eml").write_bytes(envelope.original_content)
        return f"250 2.0.0 <{address}>: stored"

    async def auth_XOAUTH2(self, server, args):
        expected = ["user=alice@example.test", f"auth=Bearer {TOKEN}", "", ""]
        refusal = '{"status":"401","schemes":"bearer","scope":"https://mail.example.test/"}'
        return await bearer(server, args, expected, refusal)

    async def auth_OAUTHBEARER(self, server, args):
        expected = ["n,a=alice@example.test,", f"auth=Bearer {TOKEN}", "", ""]
        return await bearer(server, args, expected, '{"status":"invalid_token"}')


async def bearer(server, args, expected, refusal):
    """Both bearer mechanisms: a refusal is a challenge first, and 535 only after its answer."""
    if len(args) == 2:
        response = base64.b64decode(args[1], validate=True)
    else:
        response = await server.challenge_auth("")
        if response is MISSING:
            return AuthResult(success=False)
    fields = response.decode().split("\x01")
    # RFC 7628, 3.1: host and port are the client's to add.
    if [field for field in fields if not field.startswith(("host=", "port="))] == expected:
        return AuthResult(success=True, auth_data=LOGIN)
    if await server.challenge_auth(refusal) is MISSING:
        return AuthResult(success=False)
    return AuthResult(success=False, handled=False)


def check_password(server, session, envelope, mechanism, data):
    return AuthResult(success=data == LOGIN, handled=False, auth_data=data)


def smtp(tls):
    return SMTP(
        Handler(reply_per_recipient=False),
        hostname="mail.example.test",
        enable_SMTPUTF8=True,
        data_size_limit=SIZE_LIMIT,
        tls_context=tls,
        # Over implicit TLS aiosmtpd itself never learns that the connection is encrypted.
        auth_require_tls=tls is not None,
        authenticator=check_password,
    )


def lmtp():
    return LMTP(
        Handler(reply_per_recipient=True),
        hostname="mail.example.test",
        enable_SMTPUTF8=True,
        data_size_limit=SIZE_LIMIT,
    )


async def serve():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(DIRECTORY / "certificate.pem", DIRECTORY / "key.pem")
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda: smtp(tls), "127.0.0.1", 0),
        await loop.create_server(lambda: smtp(None), "127.0.0.1", 0, ssl=tls),
        await loop.create_server(lmtp, "127.0.0.1", 0),
    ]
    await loop.create_unix_server(lmtp, DIRECTORY / "lmtp.sock")
    print("ready", *(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


# What it logs, failed handshakes for instance, is what the tests are about.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
# The keyboard's interrupt reaches the whole process group; the test decides when it is over.
signal.signal(signal.SIGINT, signal.SIG_IGN)
try:
    asyncio.run(serve())
finally:
    shutil.rmtree(DIRECTORY)
