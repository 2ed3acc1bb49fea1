#!/usr/bin/env python3
"""Fails when a function or a file outgrows the house rules (see CONTRIBUTING.md)."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_LINES = 60
FILE_LINES = 600
# rustfmt puts the closing brace of an item below its first column.
FUNCTION = re.compile(r'^( *)(?:pub(?:\([^)]*\))? )?(?:(?:const|async|extern "C") )*fn (\w+)')


def functions(lines):
    """Each function that has a body, with its first line and its length."""
    for first, line in enumerate(lines):
        if not (match := FUNCTION.match(line)):
            continue
        for length, end in enumerate(lines[first:], 1):
            if end.startswith(match[1] + "}") or end.endswith((" {}", " }")) and length == 1:
                yield first + 1, match[2], length
                break
            if end.endswith(";") and not end.startswith(match[1] + " "):
                break


def complaints(file, lines):
    if file.parts[0] == "src" and len(lines) > FILE_LINES:
        yield f"{file}: {len(lines)} lines, {FILE_LINES} at most"
    for first, name, length in functions(lines):
        if length > FUNCTION_LINES:
            yield f"{file}:{first}: fn {name} has {length} lines, {FUNCTION_LINES} at most"


found, files, longest = [], 0, (0, "")
for folder in ("src", "tests", "examples", "benches", "fuzz"):
    for path in sorted((ROOT / folder).rglob("*.rs")):
        file = path.relative_to(ROOT)
        if "target" in file.parts:
            continue
        lines = path.read_text().splitlines()
        files += 1
        found += complaints(file, lines)
        longest = max([longest, *((n, f"{file}: {name}") for _, name, n in functions(lines))])
if found:
    sys.exit("\n".join(found))
print(f"{files} files within the limits; the longest function: {longest[1]}, {longest[0]} lines")
