"""Measures recurrent training with this library and with PyTorch, JAX, candle, burn and dfdx, on this machine.

All sides take turns: each round runs every side once at every size, beginning with another one, and the medians over the
rounds are compared. Everything is pinned to one core, and then to two. The page with the results goes to
docs/benchmarks.md, the numbers behind it to results.json in the directory for builds. What is not to be had here is said
to be so, and left out. Needs Rust, Python 3.10 or later, taskset, and the package registries of both languages; the
first run takes long, since it installs PyTorch and JAX, and builds the others.
"""

import argparse
import json
import sys
from pathlib import Path

import costs
import page
import rounds
import sides

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["rnn", "lstm", "gru", "gallery", "char", "costs"]


def arguments():
    names = [*PARTS, *sides.NAMES]
    parser = argparse.ArgumentParser(prog="scripts/compare", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of two sizes without costs: to see that it works")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of everything (%(default)s unless told)")
    parser.add_argument(
        "--only",
        metavar="NAME,..",
        default="",
        help=f"some of the parts ({', '.join(PARTS)}), some of the sides ({', '.join(sides.NAMES)}), or both",
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs/benchmarks.md", help="where the page goes")
    parser.add_argument("--work", type=Path, default=ROOT / "target/compare", help="where builds and results go")
    options = parser.parse_args()
    only = {name for name in options.only.split(",") if name}
    if unknown := only - set(names):
        parser.error(f"--only: expected some of {', '.join(names)}, found {', '.join(sorted(unknown))}")
    if options.rounds < 1:
        parser.error(f"--rounds: expected at least 1, found {options.rounds}")
    options.parts = [part for part in PARTS if part in only] or PARTS
    if options.quick:
        options.rounds = 1
        options.parts = [part for part in options.parts if part != "costs" or part in only]
    options.sides = [name for name in sides.NAMES if name in only] or list(sides.NAMES)
    return options


def main():
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    ready = sides.prepare(ROOT, options.work, options.sides)
    try:
        found = rounds.run(ready, options.parts, options.rounds, options.quick)
    finally:
        ready.close()
    found["costs"] = costs.measure(ROOT, options.work, ready) if "costs" in options.parts else {}
    found["about"] = page.about(ROOT, ready, sys.argv[1:], options)
    (options.work / "results.json").write_text(json.dumps(found, indent=1))
    before = options.output.read_text() if options.output.exists() else ""
    options.output.write_text(page.write(found, before))
    print(f"written: {options.output}")


main()
