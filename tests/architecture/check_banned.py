"""Functions and words that no C source of the project uses, and words that no file is named by."""

import re

import source_tree

BANNED_CALLS = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|strtok|atoi|gets|alloca|system)\s*\(")
BANNED_WORDS = ("upstream", "downstream")
BANNED_FILE_WORDS = BANNED_WORDS + ("helper", "manager", "util")
_WORD = re.compile(r"\w*(?:" + "|".join(BANNED_WORDS) + r")\w*", re.IGNORECASE)


def code_faults(root):
    for path in source_tree.c_files(root):
        code = source_tree.code_only(source_tree.read(root, path))
        for match in BANNED_CALLS.finditer(code):
            yield f"{path}:{source_tree.line_of(code, match.start())}: {match.group(1)}() is banned"
        for match in _WORD.finditer(code):
            yield f"{path}:{source_tree.line_of(code, match.start())}: " \
                  f"{match.group()}: say client or backend"


def name_faults(root):
    for path in source_tree.files_below(root, source_tree.C_FOLDERS, ""):
        name = path.split("/")[-1].lower()
        for word in BANNED_FILE_WORDS:
            if word in name and not name.endswith(".pyc"):
                yield f"{path}: a file name says what is in it; \"{word}\" does not"


def find_faults(root):
    return [*code_faults(root), *name_faults(root)]


if __name__ == "__main__":
    source_tree.run("banned", find_faults)
