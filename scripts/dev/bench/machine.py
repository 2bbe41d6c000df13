"""The figures of a machine that the model of a step (step_model.py) needs, and how they are measured."""

import dataclasses
import pathlib
import time

CACHES = pathlib.Path("/sys/devices/system/cpu/cpu0/cache")
UNITS = {"K": 2**10, "M": 2**20}
MEMORY_CORES = 8  # so many cores at once get what one alone gets from memory; no more do
COPY_SECONDS = 0.3
APART = 2048  # bytes: some processors copy slowly between equal places of two pages
BLOCK = 2**22  # bytes copied between two looks at the clock


@dataclasses.dataclass
class Machine:
    """Seconds, bytes, FLOP/s and bytes/s of one core."""

    rate: float  # of the products, in the first cache
    l2_bytes: float
    l3_bytes: float  # shared by all cores
    l2_rate: float  # of a copy, bytes read and written
    l3_rate: float
    memory_rate: float
    memory_rate_of_all: float
    element_s: float = 0  # what one element of a signal costs beside the products, both ways
    layer_s: float = 0  # what a thread spends on one pass of one layer, however few its samples
    barrier_s: float = 0  # of two threads

    def barrier(self, threads: int) -> float:
        """Arrivals at a barrier follow one another, since all change one line of the cache."""
        return self.barrier_s * threads / 2 if threads > 1 else 0

    def seconds_per_byte(self, data: "Data", threads: int) -> float:
        """What a cache can hold of the data comes from there."""
        in_l2 = min(1, self.l2_bytes / data.of_core) / (threads if data.is_from_all else 1)
        in_l3 = min(1, self.l3_bytes / data.of_all)
        memory = self.memory_rate if data.is_for_all else min(self.memory_rate, self.memory_rate_of_all / threads)
        return in_l2 / self.l2_rate + (1 - in_l2) * (in_l3 / self.l3_rate + (1 - in_l3) / memory)


@dataclasses.dataclass
class Data:
    """What a core reads or writes, among the bytes that are used between two uses of it: by a core, and by all."""

    of_core: float
    of_all: float
    is_from_all: bool = False  # written by all cores, each its part: the other parts are in their caches
    is_for_all: bool = False  # read by all cores about the same time: it comes from memory once


def cache_bytes(level: int) -> int:
    """The size of a data cache of that level as Linux tells it."""
    for index in sorted(CACHES.glob("index*")):
        if int((index / "level").read_text()) == level and (index / "type").read_text().strip() != "Instruction":
            size = (index / "size").read_text().strip()
            return int(size[:-1]) * UNITS[size[-1]]
    raise SystemExit(f"{CACHES} tells of no cache of level {level}: give the machine's figures by --machine")


def copy_rate(size: int) -> float:
    """Bytes a second, read and written, of the fastest copy within `size` bytes."""
    half = size // 2
    source, target = memoryview(bytearray(half)), memoryview(bytearray(half + APART))[APART:]
    repeats = max(1, BLOCK // half)
    best, end = float("inf"), time.perf_counter() + COPY_SECONDS
    while time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(repeats):
            target[:] = source
        best = min(best, (time.perf_counter() - begin) / repeats)
    return 2 * half / best


def measured(rate: float) -> Machine:
    """This machine, as far as copies tell it."""
    l2, l3 = cache_bytes(2), cache_bytes(3)
    memory = copy_rate(min(8 * l3, 2**29))
    return Machine(rate, l2, l3, copy_rate(l2 // 2), copy_rate(l3 // 4), memory, MEMORY_CORES * memory)
