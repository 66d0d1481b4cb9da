"""What is compared, how it is built, and how it is asked."""

import json
import os
import re
import select
import subprocess
import sys
import time

# What is compared, with what the page calls it.
NAMES = {
    "retrograde": "retrograde",
    "custom": "retrograde, a user's cell",
    "torch": "PyTorch, its layer",
    "torch-primitives": "PyTorch, from primitives",
    "jax": "JAX, compiled scan",
    "candle": "candle",
    "burn-flex": "burn (flex)",
    "burn-ndarray": "burn (ndarray)",
    "dfdx": "dfdx",
}
RUST_PEERS = {"candle": "candle-core", "burn": "burn", "dfdx": "dfdx"}
GATED = ["retrograde", "torch", "jax", "candle"]
# Cells of the gallery, with what the page calls them.
GALLERY = {"ind_rnn": "IndRNN", "min_gru": "minGRU", "s6": "S6", "matrix_lstm": "xLSTM, matrix memory"}
PATIENCE = 600  # seconds for one answer


class Unavailable(Exception):
    """A side that cannot be measured, and why."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"\w*error", line, re.IGNORECASE)]
    return (errors or lines or ["no message"])[-1].removeprefix("error: ")


def run(command, log, **options):
    """Runs a command to its end; what it prints on its standard error goes to a file."""
    with open(log, "w") as errors:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, **options)
    if done.returncode:
        raise Unavailable(last_line(log.read_text()))
    return done.stdout


class Program:
    """A program that answers its command line and ends."""

    def __init__(self, *command):
        self.command = [str(part) for part in command]

    def ask(self, cores, words):
        command = pinned(cores, [*self.command, *words])
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=threads(cores))
        except subprocess.TimeoutExpired:
            raise Unavailable(f"no answer in {PATIENCE} s") from None
        if done.returncode:
            raise Unavailable(last_line(done.stderr))
        return json.loads(done.stdout.splitlines()[-1])

    def close(self):
        pass


class Resident:
    """A program that stays, and answers each line that it reads: starting and compiling take longer than measuring."""

    def __init__(self, *command):
        self.command = [str(part) for part in command]
        self.running = {}

    def ask(self, cores, words):
        key = len(cores)
        if key not in self.running:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            command = pinned(cores, self.command)
            self.running[key] = subprocess.Popen(command, text=True, env=threads(cores), **pipes)
        process = self.running[key]
        try:
            process.stdin.write(" ".join(words) + "\n")
            process.stdin.flush()
            if not select.select([process.stdout], [], [], PATIENCE)[0]:
                self.end(key)
                raise Unavailable(f"no answer in {PATIENCE} s")
            return json.loads(process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            raise Unavailable(last_line(self.end(key))) from None

    def end(self, key):
        """Ends a program that failed, so that the next question starts another. Returns what it said."""
        process = self.running.pop(key)
        process.kill()
        return process.communicate()[1]

    def close(self):
        for process in self.running.values():
            process.communicate()
        self.running = {}


def pinned(cores, command):
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


def threads(cores):
    """The environment in which each library uses as many threads as there are cores."""
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "MATMUL_NUM_THREADS"]
    return os.environ | {name: str(len(cores)) for name in names}


class Ready:
    """The sides that are there, and why the others are not."""

    def __init__(self):
        self.programs, self.missing, self.versions, self.executables, self.install = {}, {}, {}, {}, {}

    def ask(self, side, cell, sizes, cores):
        words = ["--shape", ",".join(map(str, sizes)), "--cell", cell]
        if cell in GALLERY:
            words += ["--json"] if side == "retrograde" else []
            return self.programs[f"{side} gallery"].ask(cores, words)
        if side in ("retrograde", "custom"):
            words = [*words[:2], "--cell", "custom" if side == "custom" else cell]
            words += ["--threads", str(len(cores)), "--json"]
        return self.programs[side].ask(cores, words + self.extra(side))

    def ask_char(self, side, hidden, cores):
        words = ["--hidden", str(hidden), "--threads", str(len(cores)), "--json"]
        return self.programs["char" if side == "retrograde" else "torch"].ask(
            cores, words if side == "retrograde" else ["--char", str(hidden)]
        )

    @staticmethod
    def extra(side):
        if side == "torch-primitives":
            return ["--primitives"]
        return ["--backend", side.removeprefix("burn-")] if side.startswith("burn-") else []

    def close(self):
        for program in self.programs.values():
            program.close()


def prepare(root, work, wanted):
    """Builds and installs what is wanted."""
    ready = Ready()

    def attempt(names, make):
        names = [name for name in names if name in wanted]
        if not names:
            return
        say(f"preparing {', '.join(names)}")
        try:
            program = make()
        except (Unavailable, OSError) as why:
            say(f"  not available: {why}")
            ready.missing |= {name: str(why) for name in names}
        else:
            ready.programs |= {name: program for name in names}

    attempt(["retrograde", "custom"], lambda: own(root, work, ready))
    for peer, crate in RUST_PEERS.items():
        names = ["burn-flex", "burn-ndarray"] if peer == "burn" else [peer]
        backends = [name.removeprefix("burn-") for name in names if name in wanted] if peer == "burn" else []
        features = ["--no-default-features", "--features", ",".join(backends)] if backends else []
        attempt(
            names,
            lambda peer=peer, crate=crate, features=features: rust_peer(root, work, ready, peer, crate, features),
        )
    scripts = root / "benches/peers/python"
    for package, names in {"torch": ["torch", "torch-primitives"], "jax": ["jax"]}.items():
        attempt(
            names,
            lambda package=package: Resident(install(work, ready, package), scripts / f"{package}_rnn.py"),
        )
    if "jax" in ready.programs:
        ready.programs["jax gallery"] = Resident(ready.programs["jax"].command[0], scripts / "jax_gallery.py")
    return ready


def own(root, work, ready):
    """This library, as `cargo bench` builds it."""
    command = ["cargo", "bench", "--locked", "-p", "retrograde-nn", "-p", "retrograde-examples"]
    command += ["--bench", "time_rnn", "--bench", "char_step", "--bench", "gallery"]
    lines = run([*command, "--no-run", "--message-format=json"], work / "build-retrograde.log", cwd=root)
    messages = [json.loads(line) for line in lines.splitlines()]
    built = {each["target"]["name"]: each["executable"] for each in messages if each.get("executable")}
    ready.programs["char"] = Program(built["char_step"])
    ready.programs["retrograde gallery"] = Program(built["gallery"])
    return Program(built["time_rnn"])


def rust_peer(root, work, ready, peer, crate, features):
    """A peer, built for this very processor."""
    folder, target = root / "benches/peers" / peer, work / peer
    environment = os.environ | {"RUSTFLAGS": "-C target-cpu=native", "CARGO_TARGET_DIR": str(target)}
    command = ["cargo", "build", "--release", "--locked", *features]
    run(command, work / f"build-{peer}.log", cwd=folder, env=environment)
    lock = (folder / "Cargo.lock").read_text()
    ready.versions[peer] = re.search(rf'name = "{crate}"\nversion = "([^"]+)"', lock)[1]
    return Program(target / "release" / f"peer-{peer}")


def install(work, ready, package):
    """The Python that has a package, in an environment of its own."""
    folder = work / package
    python, record = folder / "bin/python", folder / "installed.json"
    if not record.exists():
        start = time.monotonic()
        run([sys.executable, "-m", "venv", folder], work / f"venv-{package}.log")
        packages = [package] if package == "jax" else [package, "numpy"]
        run([python, "-m", "pip", "install", "--quiet", *packages], work / f"install-{package}.log")
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
        record.write_text(json.dumps({"seconds": time.monotonic() - start, "bytes": size}))
    ready.install[package] = json.loads(record.read_text())
    code = f"import {package}; print({package}.__version__)"
    ready.versions[package] = run([python, "-c", code], work / f"import-{package}.log").strip()
    return python
