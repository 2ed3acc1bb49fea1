"""The messages of src/main.rs composed by Python's email package."""

import os
import time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid


def message(text):
    built = EmailMessage(policy=SMTP)
    built["From"] = "Alice <alice@example.com>"
    built["To"] = "Bob <bob@example.org>"
    built["Subject"] = "Lunch?"
    built["Date"] = formatdate()
    built["Message-ID"] = make_msgid(domain="example.com")
    built.set_content(text)
    return built


def attachment(data):
    built = message("attached\n")
    built.add_attachment(data, maintype="application", subtype="octet-stream", filename="noise.bin")
    return built


def median(name, count, compose):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        compose().as_bytes()
        times.append(time.perf_counter() - start)
    print(f"{name:<50}{sorted(times)[count // 2] * 1e6:>12.1f} us")


line = "The quick brown fox jumps over the lazy dog, again.\n"
accents = "Die Bürger der Städte trafen sich am Abend und sprachen über alles.\n"
median("small text message", 500, lambda: message("Noon at the usual place?\n"))
for length in (100 * 1024, 10 * 1024 * 1024):
    data = os.urandom(length)
    median(f"attachment of {length // 1024} KiB", 5, lambda: attachment(data))
for length in (100 * 1024, 1024 * 1024, 4 * 1024 * 1024):
    text = line * (length // len(line))
    median(f"text with LF line ends, {length // 1024} KiB", 3, lambda: message(text))
text = accents * (100 * 1024 // len(accents.encode()))
median("text with 5 % accents, 100 KiB", 5, lambda: message(text))
