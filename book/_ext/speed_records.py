"""The records of the benchmarks, and what follows from them. benchmarks/README.md says what a record holds."""

import json
from functools import cached_property
from pathlib import Path

OURS = "consilience"
NEXT_TO_NOTHING = 1.05  # a ratio


def load(folder):
    """Every record in the folder, by name: those of this machine's core, and those of a GPU."""
    read = {path.stem: Record(path.stem, json.loads(path.read_text())) for path in sorted(Path(folder).glob("*.json"))}
    on_gpu = {name: record for name, record in read.items() if name.startswith("gpu")}
    return {name: record for name, record in read.items() if name not in on_gpu}, on_gpu


class Record:
    """One benchmark's record. A run is a row of it, a dict; runs that were stopped stand apart."""

    def __init__(self, name, content):
        self.name, self.content = name, content
        self.runs = [run for run in content["runs"] if not run["stopped"]]
        self.stopped = [run for run in content["runs"] if run["stopped"]]

    def __getattr__(self, key):
        try:
            return self.__dict__["content"][key]
        except KeyError:
            raise AttributeError(key) from None

    @cached_property
    def sizes(self):
        """Every n at which ours ran, ascending."""
        return sorted({run["n"] for run in self.runs if run["contender"] == OURS})

    @property
    def largest(self):
        return self.sizes[-1]

    @cached_property
    def peak(self):
        """GFLOP/s of one core with its widest registers."""
        return max(self.peak_gflops.values(), default=None)

    @cached_property
    def isa(self):
        """The setting of our first run: the widest instructions, or a GPU's own mode."""
        return next(run["setting"] for run in self.runs if run["contender"] == OURS)

    @cached_property
    def threads(self):
        return min(run["threads"] for run in self.runs)

    def ours(self, n, contender=OURS, setting=None, threads=None):
        """Our run at n, by default on the fewest threads with the widest instructions; None if there was none."""
        wanted = contender, n, setting or self.isa, threads or self.threads
        found = [run for run in self.runs if (run["contender"], run["n"], run["setting"], run["threads"]) == wanted]
        return found[0] if found else None

    def variants(self, n):
        """Our own other ways at n: narrower instructions, or a trick left out; on the fewest threads."""
        return [run for run in self.at(n) if is_ours(run) and (run["contender"] != OURS or run["setting"] != self.isa)]

    def at(self, n):
        return [run for run in self.runs if run["n"] == n and run["threads"] == self.threads]

    def peers(self, n):
        """The others at n, each at its best, fastest first."""
        best = {}
        for run in self.at(n):
            name = run["contender"]
            if not is_ours(run) and (name not in best or run["cpu_seconds"] < best[name]["cpu_seconds"]):
                best[name] = run
        return sorted(best.values(), key=lambda run: run["cpu_seconds"])

    def series(self, contender):
        """(n, run) of a contender, at its best, ascending."""
        if is_ours({"contender": contender}):
            return [(n, run) for n in self.sizes if (run := self.ours(n, contender))]
        return [(n, run) for n in self.sizes for run in self.peers(n) if run["contender"] == contender]

    @cached_property
    def contenders(self):
        """Ours first and in its other ways, then the others, the slowest at the largest n last."""
        other_ways = dict.fromkeys(run["contender"] for n in self.sizes for run in self.variants(n))
        others = dict.fromkeys(run["contender"] for n in reversed(self.sizes) for run in self.peers(n))
        return list(dict.fromkeys([OURS, *other_ways, *others]))

    def limit(self, n):
        """Seconds that the arithmetic takes at the peak; None where nobody counted it."""
        gflop = self.ours(n)["gflop"]
        return gflop / self.peak if gflop and self.peak else None

    def outcome(self, n):
        """Against the fastest other at n: "faster", "slower", or "level" where the repeats overlap; None if alone."""
        peers = self.peers(n)
        if not peers:
            return None
        results = {compared(self.ours(n), peer) for peer in peers}
        return next(result for result in ("slower", "level", "faster") if result in results)

    @property
    def counted(self):
        """Was it counted how many operations the task needs?"""
        return self.limit(self.largest) is not None

    @property
    def square(self):
        """Does one think of a matrix of all pairs of the n?"""
        return self.n_name == "stimuli"

    @property
    def strays(self):
        """Is a peer off the float64 result at the largest size?"""
        return any(peer.get("error") for peer in self.peers(self.largest)) and "error" in self.ours(self.largest)


def is_ours(run):
    return run["contender"].partition(",")[0] == OURS


def compared(ours, other):
    """Is our run faster than the other? Only if by a twentieth, and if the repeats of the two do not overlap."""
    times = other["cpu_seconds"] / ours["cpu_seconds"]
    if times > NEXT_TO_NOTHING and ours["cpu_seconds_max"] < other["cpu_seconds_min"]:
        return "faster"
    return "slower" if 1 / times > NEXT_TO_NOTHING and ours["cpu_seconds_min"] > other["cpu_seconds_max"] else "level"
