#!/usr/bin/env python3
"""Fails when the modules under src/ depend on each other in a circle, or against the layout.

The layout: a file at the root is a value, a folder is a room, and a module uses values and rooms
further up in ROOMS only. The one value that looks into rooms is `error`, which stands among them.

An edge is a path that begins with `crate::` (or `super::`, `self::`) outside of test modules and
comments. What a module re-exports counts for the module it comes from; `mod child;` is no edge.
`--print` shows all edges.
"""

import re
import sys
from pathlib import Path

ROOMS = "message protocol exchange auth config error places net connection mailer guide fuzzing".split()
# A value that has a folder beside its file.
VALUES_IN_PARTS = {"address", "reply"}
SOURCE = Path(__file__).resolve().parent.parent / "src"
PATH = re.compile(r"\b(crate|super|self)::((?:\w+::)*)(\{|\w+|\*)")
REEXPORT = re.compile(r"^pub(?:\([^)]*\))? use ([^;]*);", re.MULTILINE)


def module_of(file):
    parts = list(file.relative_to(SOURCE).with_suffix("").parts)
    return tuple(parts[:-1] if parts[-1] in ("mod", "lib") else parts)


def code_of(file):
    code = file.read_text().split("\n#[cfg(test)]\nmod ")[0]
    return re.sub(r"//.*", "", code)


def leaves(tree, prefix=()):
    """Every path of a use tree: `a::{b::C, d}` is `a::b::C` and `a::d`."""
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    if not brace:
        yield prefix + tuple(part.strip() for part in tree.split(" as ")[0].split("::"))
        return
    prefix += tuple(part.strip() for part in head.split("::") if part.strip())
    depth, start = 0, 0
    inner = rest.rpartition("}")[0]
    for at, char in enumerate(inner + ","):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            if inner[start:at].strip():
                yield from leaves(inner[start:at], prefix)
            start = at + 1


def absolute(path, module, modules):
    """The path from the crate's root, or None when it leads out of the crate."""
    if path[0] == "crate":
        return path[1:]
    while path and path[0] in ("self", "super"):
        module = module[:-1] if path[0] == "super" else module
        path = path[1:]
        if not path or path[0] != "super":
            return module + path
    return module + path if module + path[:1] in modules else None


def uses(code):
    """Every path in the code that names its place in the crate."""
    flat = re.sub(r"\s+", " ", code)
    for match in PATH.finditer(flat):
        if match[3] != "{":
            yield tuple(match[0].split("::"))
            continue
        depth, end = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(flat[end], 0)
            end += 1
        yield from leaves(flat[match.start() : end])


def home(path, modules, aliases):
    """The module that defines what a path names."""
    for _ in range(len(path) + 8):
        for length in range(len(path), 0, -1):
            if path[:length] in aliases:
                path = aliases[path[:length]] + path[length:]
                break
        else:
            break
    return max((path[:n] for n in range(len(path) + 1) if path[:n] in modules), key=len)


def graph():
    files = (file for file in sorted(SOURCE.rglob("*.rs")) if file.name != "tests.rs")
    sources = {module_of(file): code_of(file) for file in files}
    aliases = {}
    for module, code in sources.items():
        for match in REEXPORT.finditer(code):
            for leaf in leaves(match[1]):
                target = absolute(leaf, module, sources)
                if target and target != module + target[-1:]:
                    aliases[module + target[-1:]] = target
    edges = {}
    for module, code in sources.items():
        code = REEXPORT.sub("", code)
        targets = (absolute(path, module, sources) for path in uses(code))
        homes = {home(target, sources, aliases) for target in targets if target is not None}
        # A child named by its parent without `self::`: `plain::Plain` in auth/mod.rs.
        for child in sources:
            if child[:-1] == module and child and re.search(rf"(?<![\w:]){child[-1]}::", code):
                homes.add(child)
        edges[module] = sorted(homes - {module})
    return edges


def reachable(module, edges):
    """The module itself only if a way leads back to it."""
    found, rest = set(), [module]
    while rest:
        new = set(edges[rest.pop()]) - found
        found |= new
        rest += new
    return found


def circles(edges):
    """Groups of modules that all depend on each other."""
    beyond = {module: reachable(module, edges) for module in edges}
    groups = {
        frozenset(other for other in beyond[module] if module in beyond[other])
        for module in edges
        if module in beyond[module]
    }
    return sorted(sorted(group) for group in groups)


def rank(module):
    """0 for the values, then the rooms from the top."""
    return ROOMS.index(module[0]) + 1 if module and module[0] in ROOMS else 0


def against_the_layout(edges):
    """Edges that lead from a module further up to one further down; `lib` re-exports all."""
    return [
        (module, target)
        for module, targets in edges.items()
        for target in targets
        if module and rank(module) < rank(target)
    ]


def name(module):
    return "::".join(module) or "lib"


folders = {path.name for path in SOURCE.iterdir() if path.is_dir()}
if unknown := folders - set(ROOMS) - VALUES_IN_PARTS:
    sys.exit(f"rooms without a place in the layout: {', '.join(sorted(unknown))}")
edges = graph()
if "--print" in sys.argv:
    for module, targets in edges.items():
        print(name(module), "->", *map(name, targets))
for group in (found := circles(edges)):
    print("modules that depend on each other:", *map(name, group), file=sys.stderr)
for module, target in (wrong := against_the_layout(edges)):
    print(f"{name(module)} must not use {name(target)}", file=sys.stderr)
if found or wrong:
    sys.exit(1)
print(f"{len(edges)} modules, no circle, and all arrows point one way")
