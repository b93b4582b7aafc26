"""One picture of a session: the subject's CPU a request as a share of each other proxy's."""

import statistics
from html import escape

ROW, BAR, LEFT, WIDTH, TOP = 15, 11, 330, 420, 56
COLOURS = ("#3b6fb6", "#c8553d", "#5a9367", "#8e6c8a", "#b08a3e")
SCALE = 1.5  # the ratio at the right edge


def style():
    return ("<style>text{font:11px sans-serif;fill:#333}.h{font-weight:bold;font-size:13px}"
            ".n{fill:#777}@media(prefers-color-scheme:dark){text{fill:#ddd}.n{fill:#aaa}}</style>")


def x_of(ratio):
    return LEFT + WIDTH * min(ratio, SCALE) / SCALE


def bars(results, workload, top):
    """A bar for each proxy that can do the workload."""
    lines, others = [], results.measured(workload)[1:]
    for i, label in enumerate(others):
        values = results.cpu_ratios(workload, label)
        if not values:
            continue
        ratio, y = statistics.median(values), top + i * ROW
        colour = COLOURS[results.labels.index(label) % len(COLOURS)]
        lines.append(f'<rect x="{LEFT}" y="{y}" width="{x_of(ratio) - LEFT:.1f}" height="{BAR}" '
                     f'fill="{colour}"/>')
        lines.append(f'<text x="{x_of(ratio) + 5:.1f}" y="{y + 9}">{ratio:.2f} '
                     f'<tspan class="n">of {escape(label)}</tspan></text>')
    return lines, len(others) * ROW


def draw(results):
    """An SVG; shorter bars are better for the subject, the line is one."""
    body, y = [], TOP
    for workload in results.workloads:
        lines, height = bars(results, workload, y)
        if not lines:
            continue
        body.append(f'<text x="{LEFT - 10}" y="{y + height / 2 + 3:.0f}" text-anchor="end">'
                    f'{escape(workload.text)}</text>')
        body += lines
        y += height + 9
    body.append(f'<line x1="{x_of(1):.1f}" x2="{x_of(1):.1f}" y1="{TOP - 6}" y2="{y - 4}" '
                'stroke="#888" stroke-dasharray="3 3"/>')
    title = f"CPU a request: {results.labels[0]} as a share of each of the others"
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 130} {y + 8}">'
            f'{style()}<text class="h" x="10" y="20">{escape(title)}</text>'
            f'<text class="n" x="10" y="38">median of the ratios of each run; '
            'left of the line is cheaper</text>')
    return "\n".join([head, *body, "</svg>\n"])
