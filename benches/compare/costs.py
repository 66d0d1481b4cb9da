"""What it costs to begin: crates, building, the first result, the size of the program."""

import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from sides import Unavailable, run, say

# The same small program on each library, and what of its dependencies it can do without.
PROGRAMS = {
    "retrograde": [],
    "candle": [],
    "burn": ["--no-default-features", "--features", "flex"],
    "dfdx": [],
}
SHAPE = "10,5,100,100"


def measure(root, work, ready):
    """For each library, from a fresh clone to the first gradient, with what is downloaded already there."""
    found = {}
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        clone = Path(scratch) / "clone"
        run(["git", "clone", "--quiet", "--no-local", "--depth", "1", f"file://{root}", clone], work / "clone.log")
        for name, features in PROGRAMS.items():
            say(f"building the program on {name} from nothing")
            try:
                found[name] = one(clone / "benches/peers" / name, work, name, features)
            except (Unavailable, OSError) as why:
                found[name] = {"why": str(why)}
        say("the first command of the README")
        try:
            found["bptt"] = {"seconds": first_command(clone, work)}
        except (Unavailable, OSError) as why:
            found["bptt"] = {"why": str(why)}
    found["install"] = ready.install
    return found


def one(folder, work, name, features):
    target = folder / "target"
    shutil.rmtree(target, ignore_errors=True)
    # Plain settings: what a user gets.
    environment = {key: value for key, value in os.environ.items() if key not in ("RUSTFLAGS", "CARGO_TARGET_DIR")}
    inside = {"cwd": folder, "env": environment}
    run(["cargo", "fetch", "--locked"], work / f"fetch-{name}.log", **inside)
    tree = ["cargo", "tree", "--locked", "-e", "normal", "--prefix", "none", "-f", "{p}", *features]
    lines = run(tree, work / f"tree-{name}.log", **inside).splitlines()
    crates = {" ".join(line.split()[:2]) for line in lines if line.strip()} - {f"peer-{name} v0.0.0"}
    start, spent = time.monotonic(), processor()
    run(["cargo", "build", "--release", "--locked", *features], work / f"cost-{name}.log", **inside)
    built, spent = time.monotonic() - start, processor() - spent
    program = target / "release" / f"peer-{name}"
    run([program, "--shape", SHAPE, "--once"], work / f"first-{name}.log", **inside)
    first = time.monotonic() - start
    size = program.stat().st_size
    shutil.rmtree(target)
    return {"crates": len(crates), "build": built, "processor": spent, "first": first, "bytes": size}


def processor():
    """The seconds of processor time that ended programs took, theirs and the system's."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def first_command(clone, work):
    environment = {key: value for key, value in os.environ.items() if key not in ("RUSTFLAGS", "CARGO_TARGET_DIR")}
    run(["cargo", "fetch", "--locked"], work / "fetch-bptt.log", cwd=clone, env=environment)
    start = time.monotonic()
    command = ["cargo", "run", "--release", "--locked", "--example", "bptt"]
    run(command, work / "bptt.log", cwd=clone, env=environment, stdin=subprocess.DEVNULL)
    return time.monotonic() - start
