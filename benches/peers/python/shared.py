"""What the peers in Python have in common: the problem, the timing, and how they are asked."""

import argparse
import json
import sys
import time

import numpy as np


def noise(shape, scale, seed):
    """Numbers from -scale to scale, by SplitMix64 (G. Steele, D. Lea and C. Flood, 2014): the same in all programs."""
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = (np.uint64(seed << 32) + np.arange(1, count + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    unit = ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(np.float64) / (1 << 24)
    return ((2 * unit - 1) * scale).astype(np.float32).reshape(shape)


class Problem:
    """The weights of a layer, a sequence for it, and the cotangents of its states; time comes first."""

    def __init__(self, cell, shape):
        self.cell = cell
        self.n, self.t, self.d, self.h = n, t, d, h = shape
        gates = {"lstm": 4, "gru": 3}.get(cell, 1)
        scale = 1 / np.sqrt(h)
        self.wx = noise((d, gates * h), scale, 1)
        self.wh = noise((h, gates * h), scale, 2)
        self.b = noise((gates * h,), scale, 3)
        self.xs = noise((n, t, d), 1, 5).transpose(1, 0, 2).copy()  # [T, N, D]
        self.dhs = noise((n, t, h), 1, 6).transpose(1, 0, 2).copy()  # [T, N, H]


def median(run, once):
    """Runs twice to warm up, then until half a second has passed and at least five times. Microseconds."""
    for _ in range(1 if once else 2):
        run()
    times, begin = [], time.perf_counter()
    while len(times) < (1 if once else 5) or (not once and time.perf_counter() - begin < 0.5):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e6)
    return sorted(times)[len(times) // 2]


def answer(description, measure, cells=("rnn", "lstm", "gru"), **more):
    """Answers the command line, or, without one, each line of the standard input as if it were one, until it ends."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--shape", type=lambda text: [int(size) for size in text.split(",")], default=[10, 5, 100, 100])
    parser.add_argument("--cell", choices=list(cells), default=next(iter(cells)))
    parser.add_argument("--once", action="store_true", help="as quick as can be")
    for name, options in more.items():
        parser.add_argument(f"--{name}", **options)
    lines = [sys.argv[1:]] if len(sys.argv) > 1 else (line.split() for line in sys.stdin)
    for line in lines:
        asked = parser.parse_args(line)
        print(json.dumps(measure(asked)), flush=True)
