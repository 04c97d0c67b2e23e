"""The machine, the captions and the tables of the page on speed, in words made from the benchmarks' records."""

from speed_records import OURS, is_ours
from speed_words import amount, digits, listed, megabytes, percent, seconds, sentence, subject, tiny, who

NAMES = {"amx": "AMX", "avx512": "AVX-512", "avx2": "AVX2", "generic": "128-bit registers", "twin": "NumPy"}


def measured(records):
    """How it was measured: on what, and by what clock."""
    where = listed(dict.fromkeys(machine(record) for record in records))
    many = " Not all ran on the same machine." if len({machine(record) for record in records}) > 1 else ""
    return (
        f"The machine: {where}.{many} Each contender ran in a process of its own, in turns with the others, on "
        f"{amount(records[0].threads)} and on the same arrays; how often, each picture says. Times are CPU seconds: on "
        "a shared machine the wall clock also times whoever else is at work."
    )


def machine(record):
    where = record.machine
    memory = f"{digits(where['memory_gb'])} GB of memory"
    return f"{where['cpu']}, {where['processors']} processors, {memory}, {where['system']}"


def repeats(record):
    count = record.options["repeats"]
    return "once" if count == 1 else f"{count} times, of which the median counts"


def ceiling(records):
    """The machine's limit, and how near the libraries of the peers come to it."""
    record = next((record for record in records if record.best), records[0])
    widest, *narrower = sorted(record.peak_gflops.items(), key=lambda item: -item[1])
    rest = listed(f"{digits(gflops, 3)} with {NAMES.get(isa, isa)}" for isa, gflops in narrower) if narrower else ""
    stock = {product["library"]: product["gflops"] for product in record.products if product["setting"] == "stock"}
    reached = listed(f"{library}'s {digits(gflops, 3)}" for library, gflops in stock.items())
    words = (
        f"One core that does nothing but add products in its {NAMES.get(widest[0], widest[0])} registers makes "
        f"{digits(widest[1], 3)} GFLOP/s, billions of operations a second, in float32{f' ({rest})' if rest else ''}. A "
        f"product of two large matrices is the most that a library does with it: {reached}."
    )
    if not record.best:
        return f"{words} Told which instructions to take, they are no faster here, so the peers ran as they come."
    told = listed(f"`{name}={value}`" for name, value in record.best.items())
    return f"{words} Told which instructions to take, by {told}, they are faster: the peers ran both ways."


def ran_on(records):
    """Versions, and the dates of the runs."""
    versions = {name: version for record in records for name, version in record.versions.items() if "," not in name}
    dates = sorted({record.date for record in records})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return f"The runs above are of {when}, with {listed(f'{name} {version}' for name, version in versions.items())}."


# Captions and tables ------------------------------------------------------------------------------------------------


def race_caption(record):
    """The caption of a task's figure."""
    floors = ["what the arithmetic alone takes at the peak of one core"] if record.counted else []
    floors += ["what one matrix of all pairs weighs"] if record.square else []
    dotted = f" Dotted: {listed(floors)}." if floors and len(record.sizes) > 1 else ""
    return f"{sentence(record.task)}. Each contender ran {repeats(record)}.{dotted}"


def shares_caption(records):
    others = sorted({peer["contender"] for record in records for peer in record.peers(record.largest)})
    hollow = f" Hollow: {listed(others)}; the best of them are named." if others else ""
    return (
        "Operations that the task needs, divided by the CPU time that it took and by the peak of one core. Filled: "
        f"Consilience.{hollow}"
    )


def errors_caption(record):
    return f"{sentence(record.error)}: {record.task}. A contender that is not off has no point."


def clock(record):
    return sentence(getattr(record, "clock", "CPU time"))


def caption(record):
    return f"{sentence(record.task)}, at n = {record.largest:,}. {clock(record)}: median, and range of the repeats."


def head(record):
    columns = ["Contender", clock(record), "Ours = 1"]
    columns += ["Of the limit"] if record.counted else []
    columns += ["Memory", sentence(record.score)]
    return columns + ([sentence(record.error)] if "error" in record.ours(record.largest) else [])


def rows(record):
    """Every contender at the largest size, as cells of text."""
    n = record.largest
    runs = [run for name in record.contenders for size, run in record.series(name) if size == n]
    return [cells(record, run, runs[0]) for run in runs]


def cells(record, run, ours):
    low, high = seconds(run["cpu_seconds_min"]), seconds(run["cpu_seconds_max"])
    name = f"**{sentence(who(run))}**" if run is ours else sentence(who(run)) if is_ours(run) else who(run)
    row = [name, seconds(run["cpu_seconds"]) + (f" ({low} to {high})" if low != high else "")]
    row += [digits(run["cpu_seconds"] / ours["cpu_seconds"])]
    row += [percent(run["share_of_peak"])] if record.counted else []
    row += ["–" if run.get("extra_mb") is None else megabytes(run["extra_mb"])]
    row += [f"{run['score']:.{record.digits}f}".replace("-", "−")]
    return row + ([tiny(run["error"]) if "error" in run else "–"] if "error" in ours else [])


TRICKS = {  # by the contender, or the setting, that does without; of settings each beside the one before it
    "consilience, every tile": "Symmetry: a pair is computed once, for both of its rows",
    "consilience, by permutations": "Moments of the null, in place of random pairings",
    "avx512": "AMX: tiles of bfloat16, in place of AVX-512",
    "avx2": "AVX-512, whose registers are twice as wide, in place of AVX2",
    "generic": "Wide registers and fused multiply-adds, in place of 128 bits and none",
}


def tricks(records):
    """What the core would take without one of its tricks: rows of cells, without those that bought nothing."""
    found = {}
    for record in records:
        for n in record.sizes:
            with_it = record.ours(n)
            for run in record.variants(n):
                narrower = run["contender"] == OURS
                trick = TRICKS.get(run["setting"] if narrower else run["contender"])
                if trick and (record.counted or not narrower):  # where the time is arithmetic's
                    times = run["cpu_seconds"] / (with_it if narrower else record.ours(n))["cpu_seconds"]
                    if times >= 1.05:
                        row = [trick, f"{digits(times)} times as long", f"{subject(record)}, n = {n:,}"]
                        found[trick, record.name] = row
                with_it = run if narrower else with_it
    return sorted(found.values())


def load(records):
    """How busy the machine was before the runs."""
    low, high = (f"{of(record.load for record in records):.1f}" for of in (min, max))
    return low if low == high else f"{low} to {high}"
