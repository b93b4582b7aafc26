"""The samples of a session, and what they say: medians, ratios paired by run, the standing."""

import statistics

NOTHING_TO_SPEAK_OF = 0.10
AGAIN = " again"  # the second of the same name


def labels_for(names):
    """Two of the same name can be told apart."""
    return [name if name not in names[:i] else name + AGAIN for i, name in enumerate(names)]


def ratio_text(own, other):
    values = ratios(own, other)
    if not values:
        return "–"
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def ratios(own, other):
    """Run by run; a run too short to cost a tick of the clock has none."""
    return [a / b for a, b in zip(own, other) if b > 0]


class Results:
    """By workload and proxy: a sample a run. The first label is the subject of every ratio."""

    def __init__(self, workloads, labels):
        self.workloads = workloads
        self.labels = labels
        self._samples = {(w.name, label): [] for w in workloads for label in labels}
        self._errors = dict.fromkeys(self._samples, 0)

    def add(self, workload, proxy, sample):
        self._samples[workload.name, proxy.label].append(sample)

    def count_errors(self, workload, proxy, errors):
        self._errors[workload.name, proxy.label] += errors

    def errors(self):
        return sum(self._errors.values())

    def _cpu(self, workload, label):
        return [sample.cpu_us for sample in self._samples[workload.name, label]]

    def _rate(self, workload, label):
        return [sample.rate for sample in self._samples[workload.name, label]]

    def measured(self, workload):
        return [label for label in self.labels if self._samples[workload.name, label]]

    def cpu_ratios(self, workload, label):
        """The subject's CPU a request by this proxy's, run by run."""
        return ratios(self._cpu(workload, self.labels[0]), self._cpu(workload, label))

    def as_data(self):
        """All samples: workload, proxy, then lists with a figure a run."""
        return {workload.name: {label: {
            "cpu_us": self._cpu(workload, label),
            "requests_a_second": self._rate(workload, label),
            "errors": self._errors[workload.name, label],
        } for label in self.measured(workload)} for workload in self.workloads}

    def _row(self, workload, label):
        cpu, rate = self._cpu(workload, label), self._rate(workload, label)
        subject = self.labels[0]
        paired = ("", "") if label == subject else (
            ratio_text(self._cpu(workload, subject), cpu),
            ratio_text(self._rate(workload, subject), rate))
        return (workload.text, label, f"{statistics.median(rate):.0f}",
                f"{statistics.median(cpu):.1f} ({min(cpu):.1f})", *paired,
                str(self._errors[workload.name, label]))

    def print_table(self):
        subject = self.labels[0]
        print(f"| workload | proxy | requests/s | CPU s a million requests (least) "
              f"| {subject} ÷ it, CPU | {subject} ÷ it, requests/s | errors |")
        print("|---|---|---:|---:|---:|---:|---:|")
        for workload in self.workloads:
            for label in self.measured(workload):
                print("| " + " | ".join(self._row(workload, label)) + " |")

    def _standing(self, workload, others):
        others = [label for label in others if label in self.measured(workload)]
        if not others:
            return "no other can do it"
        best = min(others, key=lambda label: statistics.median(self._cpu(workload, label)))
        values = ratios(self._cpu(workload, self.labels[0]), self._cpu(workload, best))
        if not values:
            return "too short to say"
        ratio = statistics.median(values)
        if abs(ratio - 1) < NOTHING_TO_SPEAK_OF:
            return f"level with {best} (ratio {ratio:.2f}; under 10 % is nothing)"
        return f"{abs(ratio - 1) * 100:.0f} % {'less' if ratio < 1 else 'more'} CPU a request " \
               f"than {best}, the best of the others"

    def print_standing(self):
        others = [label for label in self.labels[1:] if not label.endswith(AGAIN)]
        if others:
            print(f"\nWhere {self.labels[0]} stands:\n")
            for workload in self.workloads:
                print(f"- {workload.text}: {self._standing(workload, others)}")

    def print_disturbed(self, quiet):
        samples = [sample for series in self._samples.values() for sample in series]
        disturbed = sum(sample.others > quiet for sample in samples)
        if disturbed:
            print(f"\n{disturbed} of {len(samples)} measurements were disturbed: other programs "
                  f"used more than {quiet * 100:.0f} % of a core each time they were tried.")
