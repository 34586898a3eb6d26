#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C API's reference, made from the headers and their comments, as Markdown on standard output.

usage: api-reference.py runtime/include/burin
"""
import pathlib
import re
import sys

COMMENT = r"/\*((?:(?!\*/).)*)\*/"


def clean(comment):
    """A comment's text; lines that are indented behind their star are code, the others flow."""
    text = ""
    in_code = False
    for raw in (comment or "").split("\n"):
        line = re.sub(r"^\s*\*? ?", "", raw).rstrip() if "*" in raw else raw.strip()
        is_code = line.startswith("  ") if line else in_code
        if is_code != in_code:
            text = text.rstrip("\n ") + ("\n\n```c\n" if is_code else "\n```\n\n")
            in_code = is_code
        if not line:
            text = text.rstrip(" ") + ("\n" if in_code else "\n\n")
        else:
            text += line[2:] + "\n" if in_code else line.strip() + " "
    return (text.rstrip("\n ") + ("\n```" if in_code else "")).strip()


def cell(text):
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def squeeze(code):
    return re.sub(r"\s+", " ", re.sub(COMMENT, "", code, flags=re.S)).strip()


def members(body):
    """(declaration, comment) of each field: the comment before it, or behind it on its line."""
    pattern = rf"(?:{COMMENT}\s*)?([^;/]+);(?:[ \t]*{COMMENT})?"
    for before, declaration, behind in re.findall(pattern, body, flags=re.S):
        yield squeeze(declaration), clean(before or behind)


def enum(name, comment, body):
    print(f"### `{name}`\n")
    if comment:
        print(comment + "\n")
    print("| name | value | |\n|---|---|---|")
    pattern = rf"(BURIN_\w+)\s*=\s*(\d+)[ \t]*,?[ \t]*(?:{COMMENT})?"
    for constant, value, text in re.findall(pattern, body, flags=re.S):
        print(f"| `{constant}` | {value} | {cell(clean(text))} |")
    print()


def struct(name, comment, body):
    print(f"### `{name}`\n")
    if comment:
        print(comment + "\n")
    fields = [member for member in members(body) if "(*" not in member[0]]
    if fields:
        print("| field | |\n|---|---|")
        for declaration, text in fields:
            print(f"| `{cell(declaration)}` | {cell(text)} |")
        print()
    for declaration, text in members(body):
        slot = re.search(r"\(\*(\w+)\)", declaration)
        if slot:
            print(f"#### `{name}.{slot.group(1)}`\n\n```c\n{declaration};\n```\n")
            if text:
                print(text + "\n")


def document(path):
    text = path.read_text()
    start = re.match(rf"\s*{COMMENT}", text, flags=re.S)
    intro = clean(start.group(1).split("\n *\n", 1)[-1])
    print(f"## `burin/{path.name}`\n\n{intro}\n")
    text = text[start.end():]
    declaration = re.compile(
        rf"(?:{COMMENT}\n)?(?:"
        r"typedef enum (?P<enum>\w+) \{(?P<values>.*?)\n\} \w+;|"
        r"(?:typedef )?struct (?P<struct>\w+) \{(?P<fields>.*?)\n\}(?: \w+)?;|"
        r"static inline (?P<function>[^;{]*?\))\s*\{.*?\n\}|"
        r"(?P<type>typedef [^{}]*?\(.*?\);)|"
        r"#define (?P<macro>BURIN_\w+) (?P<value>[^\n{]+)\n)", flags=re.S)
    for found in declaration.finditer(text):
        comment = clean(found.group(1))
        if found["enum"]:
            enum(found["enum"], comment, found["values"])
        elif found["struct"]:
            struct(found["struct"], comment, found["fields"])
        elif found["function"]:
            name = re.search(r"(\w+)\(", found["function"]).group(1)
            if comment:
                print(f"### `{name}`\n\n```c\n{squeeze(found['function'])};\n```\n\n{comment}\n")
        elif found["type"]:
            name = re.search(r"\(\*(\w+)\)", found["type"]).group(1)
            print(f"### `{name}`\n\n```c\n{squeeze(found['type'])}\n```\n")
            if comment:
                print(comment + "\n")
        elif not found["macro"].startswith("BURIN_ELF"):
            print(f"### `{found['macro']}`\n\n{found['value'].strip()}"
                  f"{'. ' + comment if comment else ''}\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    print("<!-- Made by tools/api-reference.py -->\n# The C API\n")
    print("What a program that uses a compiled model includes. The C++ wrapper `burin/burin.hpp` has "
          "the same calls\nas classes and says so at each; a model's own header has its constants "
          "and typed entry points\n([guide](../guide.md)). [abi.md](../abi.md) says what the "
          "version promises.\n")
    for name in ("burin.h", "load.h"):
        document(folder / name)


if __name__ == "__main__":
    main()
