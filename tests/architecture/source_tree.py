"""What the architecture checks have in common: finding sources, reading them, reporting faults."""

import os
import re
import sys

C_FOLDERS = ("proxy", "monolith_stub", "extracted", "tests", "bench")

_LITERAL_OR_COMMENT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)


def files_below(root, folders, endings):
    """Paths relative to root, sorted, of the files in these folders that end so."""
    found = []
    for folder in folders:
        for place, inner, names in os.walk(os.path.join(root, folder)):
            inner[:] = [name for name in inner if not name.startswith(".")]
            found += [os.path.relpath(os.path.join(place, name), root)
                      for name in names if name.endswith(endings)]
    return sorted(found)


def c_files(root):
    return files_below(root, C_FOLDERS, (".c", ".h"))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def code_only(text):
    """The text without comments and without what stands in literals; lines keep their numbers."""
    def blank(match):
        found = match.group()
        return found[0] + found[0] if found[0] in "\"'" else " " + "\n" * found.count("\n")
    return _LITERAL_OR_COMMENT.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def includes(text):
    """(line, name, is_system) for every include."""
    return [(line_of(text, match.start()), match.group(1) or match.group(2),
             match.group(2) is not None) for match in _INCLUDE.finditer(text)]


def report(check, faults):
    """Prints the faults and returns the exit status."""
    for fault in faults:
        print(fault)
    print(f"{check}: {len(faults)} faults" if faults else f"{check}: ok")
    return 1 if faults else 0


def run(check, find_faults):
    """A check's main: find_faults(root) gives lines of text; the root is the only argument."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} ROOT")
    sys.exit(report(check, find_faults(sys.argv[1])))
