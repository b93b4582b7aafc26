"""clang-format has nothing to change in any C file."""

import subprocess

import source_tree


def find_faults(root):
    files = source_tree.c_files(root)
    if not files:
        return []
    try:
        done = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], cwd=root,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ["clang-format is missing: run ./install.sh test"]
    if done.returncode == 0:
        return []
    places = [line for line in done.stderr.splitlines() if "error:" in line]
    return places or [done.stderr.strip() or f"clang-format exited with {done.returncode}"]


if __name__ == "__main__":
    source_tree.run("format", find_faults)
