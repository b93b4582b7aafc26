"""How much the proxy's memory grows meanwhile."""

import threading


class Sampler:
    """The largest resident set while it runs, beyond what there was at first."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.first = self.largest = proxy.resident_bytes()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.02):
            self.largest = max(self.largest, self.proxy.resident_bytes())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def growth(self) -> int:
        return self.largest - self.first
