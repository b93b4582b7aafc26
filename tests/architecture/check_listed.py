"""Every C file is named in a CMakeLists.txt of its own folder or of one above it; no globbing."""

import os
import re

import source_tree


def build_words(root, folder):
    """The words of a folder's CMakeLists.txt without its comments."""
    path = os.path.join(folder, "CMakeLists.txt")
    if not os.path.exists(os.path.join(root, path)):
        return frozenset()
    text = re.sub(r"#[^\n]*", "", source_tree.read(root, path))
    return frozenset(re.split(r"[\s()\";]+", text))


def is_listed(root, path):
    folder = os.path.dirname(path)
    while True:
        words = build_words(root, folder)
        name = os.path.relpath(path, folder or ".")
        if name in words or any(word.endswith("}/" + path) or word.endswith("}/" + name)
                                for word in words):
            return True
        if not folder:
            return False
        folder = os.path.dirname(folder)


def find_faults(root):
    faults = [f"{path}: no CMakeLists.txt names it"
              for path in source_tree.files_below(root, source_tree.C_FOLDERS, ".c")
              if not is_listed(root, path)]
    for path in source_tree.files_below(root, source_tree.C_FOLDERS, "CMakeLists.txt"):
        if re.search(r"\bfile\s*\(\s*GLOB", source_tree.read(root, path)):
            faults.append(f"{path}: lists its sources by a pattern, not by name")
    return faults


if __name__ == "__main__":
    source_tree.run("listed", find_faults)
