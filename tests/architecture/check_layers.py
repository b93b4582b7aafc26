"""Includes obey proxy/LAYERS, which allows no more; programs stay apart; what is pure is pure."""

import os
import re

import source_tree

LIBRARY_HEADERS = (
    ("ares.h", "ares"), ("curl/", "curl"), ("ev.h", "ev"), ("jansson.h", "jansson"), ("libconfig.h", "libconfig"),
    ("llhttp.h", "llhttp"), ("microhttpd.h", "microhttpd"), ("nghttp2/", "nghttp2"),
    ("openssl/", "openssl"), ("pcre2.h", "pcre2"), ("pthread.h", "pthread"),
    ("sqlite3.h", "sqlite3"), ("xxhash.h", "xxhash"), ("zlib.h", "zlib"), ("brotli/", "brotli"),
)
LIBC_FOLDERS = ("arpa/", "linux/", "net/", "netinet/", "sys/")
LIBC_HEADERS = frozenset("""
    assert.h ctype.h dirent.h dlfcn.h endian.h err.h errno.h fcntl.h fenv.h float.h fnmatch.h ftw.h
    getopt.h glob.h grp.h ifaddrs.h inttypes.h langinfo.h libgen.h limits.h locale.h malloc.h math.h
    netdb.h poll.h pwd.h regex.h sched.h search.h semaphore.h setjmp.h signal.h spawn.h stdalign.h
    stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h
    strings.h syslog.h termios.h threads.h time.h uchar.h unistd.h wchar.h wctype.h
""".split())

# Folders whose functions get time and randomness as arguments and do no input or output.
PURE_FOLDERS = ("http", "routing")
IMPURE_CALLS = re.compile(r"(?<![\w.>])(accept4?|bind|clock|clock_gettime|connect|fopen|getenv|"
                          r"getrandom|gettimeofday|listen|nanosleep|open|openat|poll|rand|random|"
                          r"read|readv|recv|recvfrom|recvmsg|send|sendmsg|sendto|sleep|socket|time|"
                          r"usleep|write|writev)\s*\(")
ROUTING_MAY_NOT_INCLUDE = frozenset((
    "fcntl.h", "poll.h", "sys/epoll.h", "sys/socket.h", "sys/time.h", "sys/uio.h", "time.h",
    "unistd.h"))

SHARED_IN_EXTRACTED = ("service_kit", "application")


def read_layers(root):
    """Folders (and main.c) in order, each with the set of libraries that it may include."""
    layers = {}
    for line in source_tree.read(root, "proxy/LAYERS").splitlines():
        line = line.split("#")[0].strip()
        if line:
            folder, _, libraries = line.partition(":")
            layers[folder] = set(libraries.split())
    return layers


def library_of(header):
    """The library that a system header belongs to; None for libc, "?" for one nobody named."""
    for prefix, library in LIBRARY_HEADERS:
        if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
            return library
    if header in LIBC_HEADERS or header.startswith(LIBC_FOLDERS):
        return None
    return "?"


def project_path(path, name):
    """Where a quoted include points, from the root of the project."""
    return name if "/" in name and not name.startswith(".") else \
        os.path.normpath(os.path.join(os.path.dirname(path), name))


def system_include_fault(folder, layers, header):
    library = library_of(header)
    if library == "?":
        return f"<{header}> belongs to no library that tests/architecture/check_layers.py knows"
    if library is not None and library not in layers[folder]:
        return f"<{header}>: proxy/LAYERS does not give {library} to {folder}"
    if folder == "routing" and header in ROUTING_MAY_NOT_INCLUDE:
        return f"<{header}>: routing is pure"
    return None


def project_include_fault(folder, layers, target):
    parts = target.split("/")
    if parts[0] != "proxy" or len(parts) < 3:
        return f'"{target}" is outside the folders of proxy/'
    if parts[1] not in layers:
        return f'"{target}": {parts[1]} is not in proxy/LAYERS'
    order = list(layers)
    if order.index(parts[1]) > order.index(folder):
        return f'"{target}": {parts[1]} stands below {folder} in proxy/LAYERS'
    return None


def proxy_faults(root, layers):
    for path in source_tree.files_below(root, ("proxy",), (".c", ".h")):
        folder = path.split("/")[1]
        if folder not in layers:
            yield f"{path}:1: {folder} is not in proxy/LAYERS"
            continue
        for line, name, is_system in source_tree.includes(source_tree.read(root, path)):
            fault = system_include_fault(folder, layers, name) if is_system else \
                project_include_fault(folder, layers, project_path(path, name))
            if fault:
                yield f"{path}:{line}: {fault}"


def unused_faults(root, layers):
    """What proxy/LAYERS names and nobody has: a permission given in advance is none to rely on."""
    used = {folder: set() for folder in layers}
    for path in source_tree.files_below(root, ("proxy",), (".c", ".h")):
        for _, name, is_system in source_tree.includes(source_tree.read(root, path)):
            if is_system:
                used.setdefault(path.split("/")[1], set()).add(library_of(name))
    for folder, libraries in layers.items():
        if not os.path.exists(os.path.join(root, "proxy", folder)):
            yield f"proxy/LAYERS: there is no proxy/{folder}"
            continue
        for library in sorted(libraries - used[folder]):
            yield f"proxy/LAYERS: nothing in {folder} includes {library}"


def program_of(path):
    """The program that a source belongs to: a service of extracted/, or a folder at the top."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "extracted" and len(parts) > 2 else parts[0]


def forum_faults(root):
    """The forum's programs know nothing of the proxy nor of each other; services share one kit."""
    for path in source_tree.files_below(root, ("extracted", "monolith_stub"), (".c", ".h")):
        own = program_of(path)
        allowed = {own}
        if own.startswith("extracted"):
            allowed.update(f"extracted/{folder}" for folder in SHARED_IN_EXTRACTED)
        for line, name, is_system in source_tree.includes(source_tree.read(root, path)):
            target = project_path(path, name)
            if not is_system and program_of(target) not in allowed:
                yield f'{path}:{line}: "{name}": {own} may not include {program_of(target)}'


def purity_faults(root):
    folders = tuple(f"proxy/{folder}" for folder in PURE_FOLDERS)
    for path in source_tree.files_below(root, folders, (".c", ".h")):
        code = source_tree.code_only(source_tree.read(root, path))
        for match in IMPURE_CALLS.finditer(code):
            yield f"{path}:{source_tree.line_of(code, match.start())}: " \
                  f"{match.group(1)}() in a folder that has neither clock nor descriptors"


def find_faults(root):
    layers = read_layers(root)
    return [*proxy_faults(root, layers), *unused_faults(root, layers), *forum_faults(root),
            *purity_faults(root)]


if __name__ == "__main__":
    source_tree.run("layers", find_faults)
