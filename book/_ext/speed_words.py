"""Numbers and comparisons of the benchmarks in words. Whatever the page on speed says of a run is made here."""

from math import floor, log10

from speed_records import OURS, compared

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SUBJECTS = {  # what a task is called in passing; any other by its own title
    "neighbors": "mutual k-NN",
    "kernel_sums": "debiased RBF CKA",
    "chance": "debiased CKA with its null",
    "layer_sums": "CKA of all pairs of layers",
    "rsa_permutations": "RSA of random pairings",
    "hsic_permutations": "HSIC of random pairings",
    "compare": "all layers of two models",
    "dissimilarities": "RSA",
    "cross_correlation": "each voxel's best unit",
}


def digits(value, count=2):
    """A positive number with so many digits that count, written out."""
    if value == 0:
        return "0"
    decimals = count - 1 - floor(log10(abs(value)))
    value = round(value, decimals)
    return f"{value:,.{max(0, count - 1 - floor(log10(abs(value))))}f}".replace("-", "−")


def seconds(value):
    if value < 0.0995:
        return f"{digits(value * 1e3)} ms"
    return f"{digits(value, 3 if value >= 10 else 2)} s" if value < 600 else f"{digits(value / 60)} minutes"


def megabytes(value):
    value = max(value, 0)
    if value < 1:
        return "under 1 MB"
    return f"{digits(value)} MB" if value < 995 else f"{digits(value / 1000)} GB"


def percent(value):
    return f"{100 * value:.0f} %"


def operations(gflop):
    return f"{digits(gflop, 3)} GFLOP" if gflop < 999.5 else f"{digits(gflop / 1000, 3)} TFLOP"


def tiny(value):
    """A distance: 0, 0.013, 1.3·10⁻⁴."""
    if value == 0:
        return "0"
    power = floor(log10(value))
    if -3 < power < 4:
        return digits(value)
    return f"{value / 10**power:.1f}·10{str(power).translate(SUPERSCRIPTS)}"


def listed(words):
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def who(run):
    """A peer's name; how it was set is said where that is not how it comes."""
    return run["contender"] + (" at its best setting" if run["setting"] == "best" else "")


# Sentences ----------------------------------------------------------------------------------------------------------


def envelope(record, n):
    """What the arithmetic alone must take."""
    limit = record.limit(n)
    if limit is None:
        return ""
    return (
        f"At n = {n:,} the arithmetic needs {operations(record.ours(n)['gflop'])}, which at "
        f"{digits(record.peak, 3)} GFLOP/s take {seconds(limit)}, if nothing else has to be done."
    )


def race(record):
    """Who is faster, as a title: true of every size that was run."""
    outcomes = {n: record.outcome(n) for n in record.sizes if record.outcome(n)}
    if not outcomes:
        return f"Consilience takes {seconds(record.ours(record.largest)['cpu_seconds'])} at n = {record.largest:,}"
    won = [n for n, outcome in outcomes.items() if outcome == "faster"]
    if len(won) == len(outcomes):
        least = min(ratio(record, n) for n in won)
        most = max(ratio(record, n) for n in won)
        span = digits(least) if digits(least) == digits(most) else f"{digits(least)} to {digits(most)}"
        return (
            f"Faster than every peer{' at every size' if len(won) > 1 else ''}: the fastest takes {span} times as long"
        )
    first = next((n for n in won if all(m in won for m in outcomes if m >= n)), None)
    if first is not None:
        return f"Faster than every peer from n = {first:,} on; {below(record, first, outcomes)}"
    n = record.largest
    name, times = record.peers(n)[0]["contender"], ratio(record, n)
    if outcomes[n] == "level":
        return f"Level with {name} at n = {n:,}, at {digits(times)} times our seconds"
    return f"{name} is the fastest at n = {n:,}: {digits(times)} times our seconds"


def below(record, first, outcomes):
    """What holds at smaller sizes."""
    if all(outcome != "slower" for n, outcome in outcomes.items() if n < first):
        return "level with the fastest below"
    return (
        f"below, {listed({record.peers(n)[0]['contender']: 0 for n in outcomes if outcomes[n] == 'slower'})} is faster"
    )


def ratio(record, n):
    """Seconds of the fastest other, ours being 1."""
    return record.peers(n)[0]["cpu_seconds"] / record.ours(n)["cpu_seconds"]


def duel(record, n):
    """Ours and the fastest other at n, in a sentence or two."""
    ours, peers = record.ours(n), record.peers(n)
    share = f", {percent(ours['share_of_peak'])} of the limit" if ours["share_of_peak"] else ""
    words = f"At n = {n:,} Consilience took {seconds(ours['cpu_seconds'])}{share}."
    if peers:
        first = peers[0]
        verdict = {"faster": "", "slower": ", so it is faster", "level": ", too close to call"}[compared(ours, first)]
        words += (
            f" The fastest of the others, {who(first)}, took {seconds(first['cpu_seconds'])}: "
            f"{digits(ratio(record, n))} times as long{verdict}."
        )
    return words


def losses(record):
    """Where a peer was faster, took less memory or came closer to float64; a list of sentences."""
    found = []
    for n in record.sizes:
        ours, at = record.ours(n), f"{subject(record)}, n = {n:,}"
        quicker = [peer for peer in record.peers(n) if compared(ours, peer) == "slower"]
        if quicker:
            times = listed(f"{who(peer)} {digits(peer['cpu_seconds'] / ours['cpu_seconds'])}" for peer in quicker)
            found.append(f"{at}: less time, ours being 1: {times}.")
    smaller = [peer for peer in record.peers(n) if less(peer, ours, "extra_mb", 0.8) and ours["extra_mb"] > 10]
    if smaller:
        sizes = listed(f"{who(peer)} {megabytes(peer['extra_mb'])}" for peer in smaller)
        found.append(f"{at}: less memory than our {megabytes(ours['extra_mb'])}: {sizes}.")
    closer = [peer for peer in record.peers(n) if less(peer, ours, "error", 0.5)]
    if closer:
        errors = listed(f"{who(peer)} {tiny(peer['error'])}" for peer in closer)
        found.append(f"{at}: nearer to float64 than our {tiny(ours['error'])}: {errors}.")
    return found


def less(peer, ours, key, share):
    return None not in (peer.get(key), ours.get(key)) and peer[key] < share * ours[key]


def memory(record):
    """What each takes beyond its input, at the largest size."""
    n = record.largest
    ours, peers = record.ours(n), [peer for peer in record.peers(n) if peer.get("extra_mb") is not None]
    if ours.get("extra_mb") is None:
        return ""
    words = f"Beyond its input, Consilience took {megabytes(ours['extra_mb'])} at n = {n:,}"
    if peers:
        most = max(peers, key=lambda peer: peer["extra_mb"])
        words += f"; of the others {who(most)} took the most, {megabytes(most['extra_mb'])}"
    matrix = f" One n × n matrix in float32 would be {megabytes(4e-6 * n * n)}." if record.square else ""
    return f"{words}.{matrix}"


def gave_up(record):
    """Who was stopped, and why."""
    first = {}
    for run in record.stopped:
        first.setdefault(run["contender"], run)
    return " ".join(f"{name} stopped at n = {run['n']:,}: {run['stopped']}." for name, run in first.items())


def agreement(record):
    """How far from float64, at the largest size where that is known."""
    known = [n for n in record.sizes if "error" in record.ours(n)]
    if not known:
        return ""
    n = known[-1]
    ours, peers = record.ours(n), [peer for peer in record.peers(n) if "error" in peer]
    name = sentence(record.error)
    if not any(run["error"] for run in (ours, *peers)):
        return f"{name}, at n = {n:,}: none, for Consilience and for the others alike."
    words = f"{name}, at n = {n:,}: {tiny(ours['error'])} for Consilience"
    return words + "".join(f", {tiny(peer['error'])} for {peer['contender']}" for peer in peers) + "."


def threads(record):
    """What more threads bought, by the wall clock; a list of sentences."""
    words = []
    for run in record.runs:
        one = record.ours(run["n"]) if run["contender"] == OURS and run["threads"] > record.threads else None
        if one:
            gain = digits(one["wall_seconds"] / run["wall_seconds"])
            words.append(
                f"{sentence(subject(record))} at n = {run['n']:,} took {seconds(one['wall_seconds'])} by the wall "
                f"clock on {amount(record.threads)}, {seconds(run['wall_seconds'])} on {amount(run['threads'])}: "
                f"{gain} times as fast."
            )
    return words


def amount(threads):
    return "one thread" if threads == 1 else f"{threads} threads"


def sentence(words):
    return words[0].upper() + words[1:]


def subject(record):
    return SUBJECTS.get(record.name, record.task)
