"""The client of src/bin/send that is Python's smtplib: the same words, the same figures."""

import smtplib
import sys
import time

LINE = 76


def octets(size, kind):
    end = "\n" if kind == "LF" else "\r\n"
    head = f"Subject: Lunch?{end}{end}"
    line = ("." if kind == "dots" else "x") + "x" * (LINE - 1) + end
    return (head + line * max(1, (size - len(head)) // len(line))).encode()


def peak():
    with open("/proc/self/status") as status:
        return next(line.split()[1] for line in status if line.startswith("VmHWM:"))


address, size, kind, recipients, count, seconds = sys.argv[1:]
host, port = address.rsplit(":", 1)
to = [f"reader{number}@example.org" for number in range(1, int(recipients) + 1)]
message = octets(int(size), kind)
smtp = smtplib.SMTP(host, int(port), local_hostname="localhost")
smtp.sendmail("alice@example.com", to, message)
start, cpu, sent, limit = time.perf_counter(), time.process_time(), 0, float(seconds)
while sent < int(count) and not (limit > 0 and time.perf_counter() - start > limit):
    smtp.sendmail("alice@example.com", to, message)
    sent += 1
print(sent, time.perf_counter() - start, time.process_time() - cpu, peak())
smtp.quit()
