"""The cache when processes are killed or meet, when features outgrow memory, and when the disk is full."""

import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from consilience.features import Features, disk, rows, store
from consilience.features.disk import DiskFull

if sys.platform == "win32":
    pytest.skip("processes are forked and killed here", allow_module_level=True)

N, BATCH = 9, 2
X = np.random.default_rng(0).standard_normal((N, 5)).astype("f4")
fork = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONSILIENCE_CACHE", str(tmp_path))
    return tmp_path / "features"


@pytest.fixture
def entry():
    return store.entry({"model": "tiny"})


def batch(start):
    return {"early": X[start : start + BATCH, :3], "late": X[start : start + BATCH]}


def write(entry):
    """Append what is not there yet, and say how much was."""
    with entry.writing(N) as made:
        done = made.done
        for start in range(done, N, BATCH):
            made.append(batch(start))
    return done


def right(entry):
    found = entry.read()
    np.testing.assert_array_equal(found["early"], X[:, :3])
    np.testing.assert_array_equal(found["late"], X)
    return True


def visible(cache):
    return sorted(path.suffix for path in cache.glob("[!.]*"))


def in_another_process(act, *arguments):
    process = fork.Process(target=act, args=arguments)
    process.start()
    return process


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def half_then_die(file, data):
    file.write(memoryview(data).cast("B")[: data.nbytes // 2 if hasattr(data, "nbytes") else len(data) // 2])
    die()


def after(calls, then):
    """A function that works `calls` times, and then does something else."""
    put, left = disk.put, [calls]

    def act(*arguments):
        left[0] -= 1
        return put(*arguments) if left[0] >= 0 else then(*arguments)

    return act


MOMENTS = {
    "in the head": ("put", after(0, half_then_die), 0),
    "before any row": ("put", after(2, die), 0),
    "in a row": ("put", after(6, half_then_die), BATCH),
    "in the journal": ("put", after(7, half_then_die), BATCH),
    "between batches": ("put", after(8, die), 2 * BATCH),
    "before the seal": ("seal", die, N),
    "before the rename": ("settle", die, N),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_is_never_shown_and_goes_on(entry, cache, moment):
    what, patch, done = MOMENTS[moment]

    def run():
        setattr(rows, what, patch)
        write(entry)

    process = in_another_process(run)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert entry.read() is None
    assert visible(cache) == [".partial"]
    assert write(entry) == done
    assert right(entry) and visible(cache) == [".safetensors"]


def test_killed_after_the_rename_it_is_whole(entry, cache, monkeypatch):
    process = in_another_process(lambda: (setattr(shutil, "rmtree", die), write(entry)))
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert right(entry)
    assert write(entry) == N and visible(cache) == [".safetensors"]


def test_the_second_of_two_waits_and_takes_what_the_first_made(entry, cache, capfd):
    begun, go_on = fork.Event(), fork.Event()
    told, tell = fork.Pipe(duplex=False)

    def first():
        with entry.writing(N) as made:
            made.append(batch(0))
            begun.set()
            go_on.wait()
            for start in range(BATCH, N, BATCH):
                made.append(batch(start))

    def second():
        begun.wait()
        store.say = lambda line: (tell.send(line), go_on.set())
        tell.send(write(entry))

    both = [in_another_process(first), in_another_process(second)]
    assert "Another process is making tiny-" in told.recv()
    assert told.recv() == N
    for process in both:
        process.join()
        assert process.exitcode == 0
    assert right(entry) and visible(cache) == [".safetensors"]


def test_the_second_of_two_goes_on_when_the_first_is_killed(entry, cache):
    begun = fork.Event()
    told, tell = fork.Pipe(duplex=False)

    def first():
        with entry.writing(N) as made:
            made.append(batch(0))
            begun.set()
            signal.pause()

    doomed = in_another_process(first)

    def second():
        begun.wait()
        store.say = lambda line: os.kill(doomed.pid, signal.SIGKILL)
        tell.send(write(entry))

    process = in_another_process(second)
    assert told.recv() == BATCH
    process.join()
    doomed.join()
    assert right(entry) and visible(cache) == [".safetensors"]


def test_many_at_once_make_one_file(entry, cache):
    told, tell = fork.Pipe(duplex=False)
    together = fork.Barrier(4)

    def run():
        together.wait()
        write(entry)
        tell.send(right(entry))

    processes = [in_another_process(run) for _ in range(4)]
    assert all(told.recv() for _ in processes)
    for process in processes:
        process.join()
    assert visible(cache) == [".safetensors"]


N_LAYERS, N_ROWS, WIDTH, FREE = 8, 2048, 1024, 28 << 20  # 67 MB of features, 8 MB a layer


def write_and_read_with_little_memory(limit, measure):
    import resource

    assert write(store.entry({"model": "small"})) == 0, "what is loaded late is loaded now"
    with open("/proc/self/status") as status:
        (taken,) = (int(line.split()[1]) << 10 for line in status if line.startswith(measure))
    resource.setrlimit(getattr(resource, limit), (taken + FREE, taken + FREE))
    with pytest.raises(MemoryError):
        np.ones((N_LAYERS, N_ROWS, WIDTH), "f4")
    entry = store.entry({"model": "tiny"})
    with entry.writing(N_ROWS) as made:
        for start in range(0, N_ROWS, 64):
            rows = np.arange(start, start + 64)[:, None]
            made.append({str(i): np.full((64, WIDTH), rows * N_LAYERS + i, "f4") for i in range(N_LAYERS)})
    found = entry.read()
    for i in range(N_LAYERS):
        for row in (0, 1234, N_ROWS - 1):
            assert found[str(i)][row, -1] == row * N_LAYERS + i
    found.save(entry.path.parent / "copy.safetensors")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit a process's memory")
@pytest.mark.parametrize(("limit", "measure"), [("RLIMIT_DATA", "VmData"), ("RLIMIT_AS", "VmSize")])
def test_features_larger_than_memory_are_written_and_read(entry, limit, measure):
    # In a process of its own: one that was forked has this one's heap, with holes that a limit does not close.
    process = multiprocessing.get_context("spawn").Process(
        target=write_and_read_with_little_memory, args=(limit, measure)
    )
    process.start()
    process.join()
    assert process.exitcode == 0
    assert entry.path.stat().st_size > N_LAYERS * N_ROWS * WIDTH * 4 > 2 * FREE
    assert (entry.path.parent / "copy.safetensors").read_bytes() == entry.path.read_bytes()


# A full disk.


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True).returncode
    ):
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_known_before_the_first_row(entry, small_disk, monkeypatch):
    monkeypatch.setenv("CONSILIENCE_CACHE", str(small_disk))
    with pytest.raises(DiskFull, match=r"No room in .*: 0\.4 MB are needed.*cache prune"), entry.writing(N) as made:
        made.append({"wide": np.zeros((BATCH, 10_000))})
    assert visible(small_disk / "features") == []
    write(entry)
    assert right(entry), "what is small enough still finds room"
    with pytest.raises(DiskFull):
        Features.of({"x": np.zeros((N, 10_000))}, {}).save(small_disk / "big.safetensors")
    assert visible(small_disk) == [""], "the folder of features, and nothing of the file"
    (small_disk / "filler").write_bytes(b"0" * (shutil.disk_usage(small_disk).free))
    with pytest.raises(DiskFull, match=r"0\.0 MB are free"):
        write(store.entry({"model": "another"}))
    assert visible(small_disk / "features") == [".safetensors"]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_fills_up_keeps_the_rows_that_are_done(entry, cache, monkeypatch, error):
    def full(*_):
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patched:
        patched.setattr(rows, "put", after(6, full))
        with pytest.raises(DiskFull, match="No room in"):
            write(entry)
    assert entry.read() is None and visible(cache) == [".partial"]
    assert write(entry) == BATCH
    assert right(entry)


def test_other_errors_of_the_disk_stay_what_they_are(entry, cache, monkeypatch):
    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(rows, "put", broken)
    with pytest.raises(OSError, match="Input/output") as caught:
        write(entry)
    assert not isinstance(caught.value, DiskFull) and visible(cache) == []
