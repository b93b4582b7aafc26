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
    text = re.sub(r"\$\{CMAKE_CURRENT_(?:FUNCTION_LIST|LIST|SOURCE)_DIR\}/", "", text)
    return frozenset(re.split(r"[\s()\";]+", text))


def names_it(words, name):
    """Whether a word is this name, or becomes it when a variable is another word of the file."""
    if name in words:
        return True
    for word in words:
        if "${" in word:
            pattern = "(.*)".join(re.escape(part) for part in re.split(r"\$\{\w+\}", word))
            found = re.fullmatch(pattern, name)
            if found and all(value in words for value in found.groups()):
                return True
    return False


def is_listed(root, path):
    folder = os.path.dirname(path)
    while True:
        if names_it(build_words(root, folder), os.path.relpath(path, folder or ".")):
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
