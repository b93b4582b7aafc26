"""Where the proxy's time goes with small requests, as a flame graph.

  bench/flame.py BUILD OUT.svg      (needs Linux' perf)

GET of 100 bytes over h2c, one connection with 100 streams; the wider a box, the more of the samples had
that function, called by the one below it. Colours say whose code it is.
"""

import os
import re
import subprocess
import sys
import tempfile
from html import escape

import load
import processes
import proxies

REQUESTS = 400000
WIDTH, ROW, LEAST = 1200, 15, 0.8
WORKLOAD = next(workload for workload in load.WORKLOADS if workload.name == "h2c-100-one")
COLOURS = (("kernel", "#d9a679"), ("nghttp2", "#8fb3d9"), ("library", "#b9a5cf"),
           ("strangler", "#9cc59a"))


class Box:
    def __init__(self, name, whose):
        self.name, self.whose, self.samples, self.above = name, whose, 0, {}

    def add(self, frames):
        box = self
        box.samples += 1
        for name, whose in frames:
            box = box.above.setdefault(name, Box(name, whose))
            box.samples += 1


def whose_is(file):
    if "kernel" in file or file.startswith("["):
        return "kernel"
    name = os.path.basename(file)
    if "nghttp2" in name:
        return "nghttp2"
    return "strangler" if "strangler" in name else "library"


def frames_of(text):
    """The frames of one sample of `perf script`, the outermost first."""
    frames = []
    for line in text.splitlines()[1:]:
        found = re.match(r"\s*[0-9a-f]+ (.+?) \((.+)\)$", line)
        if found:
            name = re.sub(r"\+0x[0-9a-f]+$", "", found.group(1))
            frames.append((re.sub(r"\.(lto_priv|constprop|isra|part|cold)\b.*", "", name),
                           whose_is(found.group(2))))
    return frames[::-1]


def draw_box(box, left, level, scale, lines):
    width = box.samples * scale
    if width < LEAST:
        return level
    colour = dict(COLOURS)[box.whose]
    text = escape(box.name[:int((width - 4) / 6.2)]) if width > 28 else ""
    lines.append(f'<g><title>{escape(box.name)}: {box.samples * scale / WIDTH * 100:.1f} %</title>'
                 f'<rect x="{left:.1f}" y="{-level * ROW}" width="{max(width - 0.4, 0.3):.1f}" '
                 f'height="{ROW - 1}" fill="{colour}"/>'
                 f'<text x="{left + 2:.1f}" y="{-level * ROW + 11}">{text}</text></g>')
    top = level
    for above in sorted(box.above.values(), key=lambda other: other.name):
        top = max(top, draw_box(above, left, level + 1, scale, lines))
        left += above.samples * scale
    return top


def draw(root):
    lines = []
    top = draw_box(root, 0, 0, WIDTH / root.samples, lines)
    height = (top + 1) * ROW
    legend = "".join(f'<tspan fill="{colour}">■</tspan> {name}  ' for name, colour in COLOURS)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height + 24}">'
            '<style>text{font:10px monospace;fill:#222}</style>'
            f'<rect width="{WIDTH}" height="{height + 24}" fill="#fff"/>'
            f'<text x="4" y="14">{legend}{root.samples} samples</text>'
            f'<g transform="translate(0,{height - ROW + 22})">' + "\n".join(lines) + "</g></svg>\n")


def sample(build, folder):
    """The text of `perf script` for the proxy under load."""
    log, data = os.path.join(folder, "log"), os.path.join(folder, "perf.data")
    port, = processes.free_ports(1)
    running = [processes.start([os.path.join(build, "bench/bench_backend"), str(port)],
                               processes.LOAD_CORE, log)]
    try:
        processes.wait_for_port(running[0], port, log)
        shared = dict(proxies.make_certificate(folder), backend_port=port, h2_backend_port=port)
        proxy = proxies.start("strangler", "strangler", os.path.join(build, "proxy/strangler"),
                              os.path.join(folder, "proxy"), shared)
        running.append(proxy.process)
        perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-g",
                                 "--call-graph", "dwarf,16384", "-p", str(proxy.process.pid),
                                 "-o", data])
        load.Bench(running[:1], folder).measure(proxy, WORKLOAD, REQUESTS)
        processes.stop(perf)
    finally:
        for process in reversed(running):
            processes.stop(process)
    return subprocess.run(["perf", "script", "--no-inline", "-F", "comm,ip,sym,dso", "-i", data],
                          capture_output=True, text=True, errors="replace", check=True).stdout


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="strangler-bench-") as folder:
        text = sample(sys.argv[1], folder)
    root = Box("strangler", "strangler")
    for one in text.split("\n\n"):
        frames = frames_of(one)
        if frames:
            root.add(frames)
    if root.samples == 0:
        sys.exit("flame.py: no samples")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(draw(root))


if __name__ == "__main__":
    main()
