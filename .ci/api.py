#!/usr/bin/env python3
"""Lists the public items of the crate with their signatures, from the JSON that rustdoc writes.

    .ci/api.py > .ci/public-api.txt

`.ci/run` compares the two. With all features but `vendored`, which adds no item. The guide is left out.
Names of the prelude stand alone. Other paths of the standard library are cut to two names and the last,
so that it can move things about within itself.

The form of the JSON may change with each compiler. Where this script does not understand it, or rustdoc
gives none, it says so and returns 2.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AUTO_TRAITS = "Send", "Sync", "Unpin"
PRELUDE = set(
    "AsMut AsRef Box Clone Copy Debug Default DoubleEndedIterator Drop Eq ExactSizeIterator Extend Fn FnMut"
    " FnOnce From FromIterator Hash Into IntoIterator Iterator Option Ord PartialEq PartialOrd Result Send"
    " String Sync ToOwned ToString TryFrom TryInto Unpin Vec".split()
)


def cargo(*words, **options):
    found = subprocess.run(["cargo", *words], cwd=ROOT, text=True, check=False, **options)
    if found.returncode:
        give_up(f"`cargo {words[0]}` gave nothing")
    return found.stdout


def give_up(why):
    print(why, file=sys.stderr)
    sys.exit(2)


def read_crate():
    """What rustdoc knows; a stable compiler wants to be asked twice for JSON."""
    metadata = json.loads(cargo("metadata", "--no-deps", "--format-version=1", stdout=subprocess.PIPE))
    [features] = [package["features"] for package in metadata["packages"] if package["name"] == "smtplib"]
    features = features.keys() - {"default", "vendored"}
    target = Path(metadata["target_directory"]) / "api"
    options = f"--lib --quiet --locked --target-dir {target} --features {','.join(sorted(features))}"
    cargo(
        "rustdoc", *options.split(), "--", *"-Z unstable-options --output-format json".split(),
        env=os.environ | {"RUSTC_BOOTSTRAP": "1"},
    )  # fmt: skip
    return json.loads((target / "doc/smtplib.json").read_text(encoding="utf-8"))


CRATE = read_crate()
INDEX, PATHS = CRATE["index"], CRATE["paths"]
PUBLIC, SEEN = {}, set()


def look_up(table, number):
    return table.get(str(number))


def kind_of(item):
    """Each item has one key that names its kind."""
    return next(iter(item["inner"].items()))


# --- where things stand ----------------------------------------------------------------------------


def public_items(module, path):
    """Every item with its public path. The guide is no code."""
    for number in module["inner"]["module"]["items"]:
        item = look_up(INDEX, number)
        if item is None or item["visibility"] != "public":
            continue
        kind, inner = kind_of(item)
        name = item["name"]
        if kind == "use":
            number, name = inner["id"], inner["name"]
            item = look_up(INDEX, number)
            if item is None or inner["is_glob"]:
                sys.exit(f"{path}: what `use {inner['source']}` shows cannot be listed")
        if "module" in item["inner"]:
            if name != "guide":
                yield from public_items(item, f"{path}::{name}")
        else:
            yield number, f"{path}::{name}", item


def path_of(number, otherwise):
    if number in PUBLIC:
        return PUBLIC[number]
    known = look_up(PATHS, number)
    if known is None:
        return otherwise
    names = known["path"]
    first = "std" if names[0] in ("alloc", "core") else names[0]
    # Not `std::io::Result`, which is another one.
    if first == "std" and names[-1] in PRELUDE and names[1] != "io":
        return names[-1]
    return "::".join([first, *names[1:-1][:1], names[-1]])


# --- types -----------------------------------------------------------------------------------------


def joined(parts, before, after):
    return before + ", ".join(parts) + after if parts else ""


def argument(it):
    kind, inner = next(iter(it.items())) if isinstance(it, dict) else (it, None)
    return inner if kind == "lifetime" else type_of(inner) if kind == "type" else str(inner or kind)


def arguments(args):
    if not args:
        return ""
    kind, inner = next(iter(args.items()))
    if kind == "parenthesized":
        return joined(map(type_of, inner["inputs"]), "(", ")") + result_of(inner["output"])
    parts = [argument(it) for it in inner["args"]]
    for constraint in inner["constraints"]:
        how, what = next(iter(constraint["binding"].items()))
        value = " = " + argument(what) if how == "equality" else ": " + bounds_of(what)
        parts.append(constraint["name"] + value)
    return joined(parts, "<", ">")


def path(inner):
    return path_of(inner["id"], inner["path"]) + arguments(inner["args"])


def bounds_of(bounds):
    parts = []
    for bound in bounds:
        kind, inner = next(iter(bound.items()))
        if kind == "trait_bound":
            mark = "?" if inner["modifier"] == "maybe" else ""
            parts.append(mark + higher(inner["generic_params"]) + path(inner["trait"]))
        elif kind == "outlives":
            parts.append(inner)
        else:
            parts.append(f"use<{', '.join(argument(it) for it in inner)}>")
    return " + ".join(parts)


def higher(params):
    return joined([param["name"] for param in params], "for<", "> ")


def result_of(output):
    return f" -> {type_of(output)}" if output else ""


def pointer(inner):
    signature = inner["sig"]
    inputs = ", ".join(type_of(each) for _, each in signature["inputs"])
    return f"{higher(inner['generic_params'])}fn({inputs}){result_of(signature['output'])}"


def dynamic(inner):
    parts = [higher(it["generic_params"]) + path(it["trait"]) for it in inner["traits"]]
    return "dyn " + " + ".join(parts + [inner["lifetime"]] * bool(inner["lifetime"]))


def reference(inner):
    words = [inner["lifetime"], "mut" if inner["is_mutable"] else None]
    return "&" + "".join(word + " " for word in words if word) + type_of(inner["type"])


def qualified(inner):
    owner, trait = type_of(inner["self_type"]), inner["trait"]
    plain = "generic" in inner["self_type"] or trait is None
    owner = owner if plain else f"<{owner} as {path(trait)}>"
    return f"{owner}::{inner['name']}{arguments(inner['args'])}"


TYPES = {
    "array": lambda it: f"[{type_of(it['type'])}; {it['len']}]",
    "borrowed_ref": reference,
    "dyn_trait": dynamic,
    "function_pointer": pointer,
    "generic": str,
    "impl_trait": lambda it: "impl " + bounds_of(it),
    "primitive": lambda it: "!" if it == "never" else it,
    "qualified_path": qualified,
    "resolved_path": path,
    "slice": lambda it: f"[{type_of(it)}]",
    "tuple": lambda it: f"({', '.join(map(type_of, it))}{',' * (len(it) == 1)})",
}


def type_of(it):
    kind, inner = next(iter(it.items())) if isinstance(it, dict) else (it, None)
    return TYPES[kind](inner)


# --- signatures ------------------------------------------------------------------------------------


def parameters(generics):
    parts = []
    for param in generics["params"]:
        kind, inner = next(iter(param["kind"].items()))
        if kind == "lifetime":
            parts.append(param["name"] + joined(inner["outlives"], ": ", ""))
        elif kind == "const":
            parts.append(f"const {param['name']}: {type_of(inner['type'])}")
        # What `impl Trait` stands for is in the signature.
        elif not inner["is_synthetic"]:
            bounds = bounds_of(inner["bounds"])
            default = f" = {type_of(inner['default'])}" if inner["default"] else ""
            parts.append(param["name"] + (f": {bounds}" if bounds else "") + default)
    return joined(parts, "<", ">")


def conditions(generics):
    parts = []
    for predicate in generics["where_predicates"]:
        kind, inner = next(iter(predicate.items()))
        if kind == "bound_predicate":
            who = higher(inner["generic_params"]) + type_of(inner["type"])
            parts.append(f"{who}: {bounds_of(inner['bounds'])}")
        elif kind == "lifetime_predicate":
            parts.append(f"{inner['lifetime']}: {' + '.join(inner['outlives'])}")
    return joined(parts, " where ", "")


def receiver(name, kind):
    shorthand = {"generic": "self", "borrowed_ref": "&self"}
    form, inner = next(iter(kind.items()))
    if name != "self" or form not in shorthand or type_of(kind).split()[-1].lstrip("&") != "Self":
        return f"{name}: {type_of(kind)}"
    return type_of(kind).replace("Self", "self") if form == "borrowed_ref" else "self"


def function(place, inner, suffix=""):
    signature, header, generics = inner["sig"], inner["header"], inner["generics"]
    words = [word for word in ("const", "async", "unsafe") if header[f"is_{word}"]]
    inputs = ", ".join(receiver(*each) for each in signature["inputs"])
    return (
        " ".join(["pub", *words, "fn", place]) + f"{parameters(generics)}({inputs})"
        f"{result_of(signature['output'])}{conditions(generics)}{suffix}"
    )


def marks(item):
    """`#[non_exhaustive]` is a promise, and so is a warning that something is on its way out."""
    yes = {"non_exhaustive": any("non_exhaustive" in str(it) for it in item["attrs"])}
    yes["deprecated"] = bool(item["deprecation"])
    return "".join(f"#[{mark}] " for mark, is_set in yes.items() if is_set)


def fields(place, struct):
    """The public fields of a struct or a variant, wherever `kind` has them."""
    kind = struct["kind"]
    if not isinstance(kind, dict):
        return
    form, inner = next(iter(kind.items()))
    numbers = inner["fields"] if form in ("plain", "struct") else inner
    for number in filter(None, numbers):
        field = look_up(INDEX, number)
        yield f"pub {place}::{field['name']}: {type_of(field['inner']['struct_field'])}"
    if None in numbers or form in ("plain", "struct") and inner["has_stripped_fields"]:
        yield f"{place} has private fields"


def member(place, item):
    kind, inner = kind_of(item)
    if kind == "function":
        return function(place, inner)
    value = inner.get("value")
    if kind == "assoc_const":
        return f"pub const {place}: {type_of(inner['type'])}"
    return f"type {place}" + (f" = {type_of(inner['type'])}" if inner.get("type") else str(value or ""))


def implementation(impl):
    """What an `impl` block adds."""
    items = [look_up(INDEX, number) for number in impl["items"]]
    items = [item for item in items if item]
    if impl["trait"] is None:
        owner, generics = type_of(impl["for"]), impl["generics"]
        for item in items:
            yield member(f"{owner}::{item['name']}", item) + conditions(generics)
        return
    types = [member(item["name"], item) for item in items if "assoc_type" in item["inner"]]
    generics = impl["generics"]
    yield (
        f"impl{parameters(generics)} {path(impl['trait'])} for {type_of(impl['for'])}"
        f"{conditions(generics)}{joined(types, ' { ', ' }')}"
    )


def implementations(place, numbers):
    """Each once: what converts one type of the crate into another belongs to both."""
    found = set()
    for number in numbers:
        impl = look_up(INDEX, number)["inner"]["impl"]
        name = impl["trait"]["path"].rpartition("::")[2] if impl["trait"] else None
        if impl["is_synthetic"] and not impl["is_negative"]:
            found.add(name)
        # How the compiler notes that `==` was derived.
        is_noise = impl["is_synthetic"] or impl["blanket_impl"] or name == "StructuralPartialEq"
        if not is_noise and number not in SEEN:
            SEEN.add(number)
            yield from implementation(impl)
    yield f"{place} is " + (" + ".join(it for it in AUTO_TRAITS if it in found) or "tied to its thread")


def lines(place, item):
    kind, inner = kind_of(item)
    generics = inner.get("generics", {"params": [], "where_predicates": []})
    head = f"{marks(item)}pub {kind} {place}{parameters(generics)}"
    if kind == "type_alias":
        yield f"{head} = {type_of(inner['type'])}"
        return
    if kind == "function":
        yield function(place, inner)
        return
    bounds = bounds_of(inner.get("bounds", []))
    yield head + (f": {bounds}" if bounds else "") + conditions(generics)
    if kind == "trait":
        for member_item in filter(None, (look_up(INDEX, number) for number in inner["items"])):
            has_default = member_item["inner"].get("function", {}).get("has_body")
            suffix = " { … }" if has_default else ""
            yield member(f"{place}::{member_item['name']}", member_item) + suffix
        for number in set(inner["implementations"]) - SEEN:
            SEEN.add(number)
            yield from implementation(look_up(INDEX, number)["inner"]["impl"])
        return
    if kind == "struct":
        yield from fields(place, inner)
    for number in inner.get("variants", []):
        variant = look_up(INDEX, number)
        yield f"{marks(variant)}pub {place}::{variant['name']}"
        yield from fields(f"{place}::{variant['name']}", variant["inner"]["variant"])
    yield from implementations(place, inner["impls"])


def main():
    root = look_up(INDEX, CRATE["root"])
    items = list(public_items(root, root["name"]))
    for number, place, _ in items:
        if number in PUBLIC:
            sys.exit(f"{place} is public as {PUBLIC[number]}, too")
        PUBLIC[number] = place
    # Traits last: with a trait stands who has it, unless that is a type of the crate.
    items.sort(key=lambda it: "trait" in it[2]["inner"])
    found = {place: list(lines(place, item)) for _, place, item in items}
    for place, (first, *rest) in sorted(found.items()):
        print(first, *sorted(set(rest)), sep="\n    ")


try:
    main()
except (AttributeError, LookupError, TypeError, ValueError) as error:
    give_up(f"rustdoc's JSON, format {CRATE.get('format_version')}, is not understood: {error!r}")
