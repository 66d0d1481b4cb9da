"""The page with the results."""

import datetime
import re
import statistics
import subprocess
from pathlib import Path

import goals
from sides import GALLERY, NAMES


def about(root, ready, given, options):
    def first(*command):
        done = subprocess.run(command, capture_output=True, text=True, cwd=root)
        return done.stdout.strip()

    cpu = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.+)", cpu.read_text()) if cpu.exists() else None
    return {
        "command": " ".join(["scripts/compare", *without_paths(given)]),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "processor": model[1] if model else "unknown",
        "rustc": first("rustc", "--version"),
        "commit": first("git", "rev-parse", "--short", "HEAD"),
        "changed": bool(first("git", "status", "--porcelain", "--untracked-files=no")),
        "versions": ready.versions,
        "sides": options.sides,
    }


def without_paths(given):
    """The options but for where files go, which is nobody else's matter."""
    rest = iter(given)
    kept = []
    for option in rest:
        if option in ("--work", "--output"):
            next(rest, None)
        elif not option.startswith(("--work=", "--output=")):
            kept.append(option)
    return kept


def middle(answers, key):
    return statistics.median(answer[key] for answer in answers)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def rounded(us):
    return f"{float(f'{us:.3g}'):,.0f}".replace(",", " ")


def before(page):
    """Of each row of a page's tables of layers, how many times as long the fastest other took, if it is there."""
    said, title, others = {}, "", []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("## "):
            title = line.removeprefix("## ")
        elif line.startswith("| N, T, D, H |"):
            others = [cell in NAMES.values() for cell in cells]
        elif ratios := [float(cell[:-1]) for cell, other in zip(cells, others) if other and cell.endswith("×")]:
            said[title, cells[0]] = min(ratios)
    return said


def write(found, page):
    """The page, from what was found and the page from before."""
    about, answers = found["about"], found["answers"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(about["versions"].items()))
    rounds = f"{found['rounds']} round{'s' if found['rounds'] > 1 else ''}"
    changed = ", with changes that are not committed" if about["changed"] else ""
    peaks = [each["peak_gflops"] for by in answers.values() for each in by.get("retrograde", []) if "peak_gflops" in each]
    peak = f", {max(peaks):.0f} GFLOP/s at its single-precision peak a core" if peaks else ""
    parts = [
        "# Benchmarks\n\nForward and backward through a recurrent layer on a CPU, `f32`, with the gradients of all "
        "parameters and of the input, beside other libraries. `scripts/compare` measured it and wrote this page: all "
        "sides take turns in one run, each round runs every side once at every size, and what is compared is medians "
        "over the rounds. The programs start from the same numbers, and those of the RNN and of the gallery must arrive at "
        "the same gradients. A number above 1.0× says how many times as long the other took. *Planned by hand* is the same "
        "layer without a tape, on this library's kernels, in the same process.",
    ]
    if found["quick"]:
        parts.append("**A quick run that only shows that the comparison works. Its numbers mean nothing.**")
    parts.append(
        f"- command: `{about['command']}` ({rounds})\n- date: {about['date']}\n- processor: {about['processor']}{peak}\n"
        f"- retrograde: commit {about['commit']}{changed}, default settings; {about['rustc']}\n"
        f"- others: {versions or 'none'}; those in Rust built with `-C target-cpu=native`, and with AVX-512 where "
        "they have a feature for it; PyTorch and JAX as PyPI has them"
    )
    said = before(page)
    for cell in goals.CELLS:
        for threads in (1, 2):
            title = f"{cell.upper()}, {cores(threads)}"
            if rows := chosen(answers, cell, threads):
                parts.append(f"## {title}\n\n{layer(rows, lambda sizes: said.get((title, sizes)))}")
    if cells := {(cell, sizes): by for cell in GALLERY for sizes, by in chosen(answers, cell, 1).items()}:
        parts.append("## Cells of the gallery, one core\n\n" + gallery(cells))
    if chars := {key: by for key, by in answers.items() if key.startswith("char")}:
        parts.append("## A training step of a character model\n\n" + char(chars))
    if found["costs"]:
        parts.append("## What it costs to begin\n\n" + costs(found["costs"]))
    if not found["quick"] and (reached := goals_of(answers, chars, found["costs"])):
        parts.append("## Goals\n\n" + reached)
    if missing := absent(found):
        parts.append("## What was not available\n\n" + missing)
    return "\n\n".join(parts) + "\n"


def cores(threads):
    return "one core" if threads == 1 else "two cores"


def sizes_of(asked):
    return tuple(int(size) for size in re.findall(r"\b\d+", asked)[:4])


def chosen(answers, cell, threads):
    return {
        sizes_of(asked): by
        for asked, by in answers.items()
        if asked.startswith(f"{cell} ") and asked.endswith(f"threads {threads}")
    }


def layer(rows, before):
    """A row a size: this library's time and its share of the peak, and how long each other side took."""
    present = [side for side in NAMES if any(side in by for by in rows.values())]
    others = [side for side in present if side not in ("retrograde", "custom")]
    ours = "retrograde" in present
    planned = any("of_hand" in each for by in rows.values() for each in by.get("retrograde", []))
    head = ["N, T, D, H", *(["retrograde, µs", "of the peak"] if ours else []), *(["planned by hand"] if planned else [])]
    head += ["a user's cell"] if "custom" in present else []
    head += [*(NAMES[side] for side in others), *(["the fastest other", "on the page before"] if ours else [])]
    lines = []
    for sizes, by in rows.items():
        size = ", ".join(map(str, sizes))
        line = [size]
        us = {side: middle(given, "both_us") for side, given in by.items()}
        own = us.get("retrograde")
        if ours:
            share = [each["gflops"] / each["peak_gflops"] for each in by.get("retrograde", [])]
            line += [rounded(own), f"{statistics.median(share):.0%}"] if own else ["–", "–"]
        if planned:
            hand = [1 / each["of_hand"] for each in by.get("retrograde", []) if "of_hand" in each]
            line.append(times(statistics.median(hand) if hand else None))
        if "custom" in present:
            line.append(times(middle(by["custom"], "of_rnn") if "custom" in by else None))
        taken = [us.get(side) for side in others]
        line += ["–" if not time else f"{time / own:.1f}×" if own else f"{rounded(time)} µs" for time in taken]
        if ours:
            least = min((time for time in taken if time), default=None)
            line += [times(least / own if least and own else None), times(before(size))]
        lines.append(line)
    return table(head, lines)


def times(ratio):
    return "–" if ratio is None else f"{ratio:.2f}×"


def gallery(cells):
    lines = []
    for (cell, sizes), by in cells.items():
        us = {side: middle(given, "both_us") for side, given in by.items()}
        ratio = f"{us['jax'] / us['retrograde']:.2f}×" if len(us) == 2 else "–"
        times = [rounded(us[side]) if side in us else "–" for side in ("retrograde", "jax")]
        lines.append([GALLERY[cell], ", ".join(map(str, sizes)), *times, ratio])
    text = (
        "Published cells with much elementwise work, as users write them (`examples/gallery/cells`), and the same formulas "
        "in JAX, scanned and compiled. The gradients of all parameters and of the input are compared. Of S6, H is the "
        "number of states of each feature. Microseconds; the ratio says how many times as long JAX took."
    )
    return text + "\n\n" + table(["cell", "N, T, D, H", "retrograde", NAMES["jax"], "ratio"], lines)


def char(chars):
    lines = []
    for asked, by in chars.items():
        hidden, threads = re.findall(r"\d+", asked)
        speed = {side: middle(given, "tokens_a_second") for side, given in by.items()}
        both = len(speed) == 2
        lines.append(
            [hidden, cores(int(threads))]
            + [rounded(speed[side]) if side in speed else "–" for side in ("retrograde", "torch")]
            + [f"{speed['retrograde'] / speed['torch']:.2f}×" if both else "–"]
        )
    text = (
        "Embedding, LSTM, linear, cross-entropy, clipping, Adam (in PyTorch the fused one): 32 rows of 64 characters, 65 "
        "different ones, vectors of 64. Tokens a second; the ratio is ours to PyTorch's."
    )
    return text + "\n\n" + table(["H", "on", "retrograde", "PyTorch", "ratio"], lines)


def costs(found):
    def seconds(time):
        return f"{time:.0f} s"

    lines = []
    for name in ("retrograde", "candle", "burn", "dfdx"):
        each = found[name]
        if "why" in each:
            lines.append([name, f"not available: {each['why']}", *[""] * 4])
        else:
            size = f"{each['bytes'] / 1e6:.1f} MB"
            lines.append([name, str(each["crates"]), seconds(each["build"]), seconds(each["processor"]), seconds(each["first"]), size])
    text = (
        "The same small program on each library (an RNN from primitives, `benches/peers`), from a fresh clone with "
        "what is downloaded already there, in release mode with default settings; burn with its one backend `flex`. "
        "Crates are all that the program is linked with."
    )
    text += "\n\n" + table(["library", "crates", "clean build", "of the processor", "first gradient", "program, stripped"], lines)
    if "seconds" in found["bptt"]:
        text += (
            "\n\n`cargo run --release --example bptt`, the README's first command, ended "
            f"{seconds(found['bptt']['seconds'])} after it was given in a fresh clone, training a model included."
        )
    for package, each in found["install"].items():
        text += (
            f"\n\n`pip install {package}` into a new environment took {seconds(each['seconds'])}, downloads or reading "
            f"pip's cache included, and {each['bytes'] / 1e9:.1f} GB."
        )
    return text


def goals_of(answers, chars, costs):
    """What the library means to reach at least, beside what it did."""
    rows = []
    for cell in goals.CELLS:
        for sizes, by in chosen(answers, cell, 1).items():
            rows += goals.of_layer(cell, sizes, by, chosen(answers, cell, 2).get(sizes, {}), middle)
    for cell, title in GALLERY.items():
        for sizes, by in chosen(answers, cell, 1).items():
            rows += goals.of_gallery(cell, title, sizes, by, middle)
    for asked, by in chars.items():
        hidden, threads = map(int, re.findall(r"\d+", asked))
        speed = {side: middle(given, "tokens_a_second") for side, given in by.items()}
        rows += goals.of_char(hidden, threads, cores(threads), speed)
    rows += goals.of_costs(costs)
    lines = [[what, goal, found, "met" if met else "**missed**"] for what, goal, found, met in rows]
    return table(["on one core, unless said", "goal", "found", ""], lines) if lines else ""


def absent(found):
    """Who did not answer, with the reasons, each said once."""
    lines = [f"- {NAMES[side]}: {why}" for side, why in found["missing"].items()]
    where = {}
    for each in found["silent"]:
        where.setdefault((each["side"], each["threads"], each["why"]), []).append(each["cell"])
    for (side, threads, why), cells in where.items():
        lines.append(f"- {NAMES[side]}, {cores(threads)}, {', '.join(cells)}: {why}")
    return "\n".join(lines)
