"""What the library means to reach, and whether it did."""

import statistics

CELLS = ("rnn", "lstm", "gru")
# On one core, for each size: how many times as long the faster of PyTorch and JAX takes, for each cell in that order; and
# what part of the time code planned by hand takes.
SIZES = {
    (1, 25, 64, 100): ((1.5, 1.1, 0.9), 0.5),
    (10, 5, 100, 100): ((2.0, 1.8, 1.6), 0.8),
    (20, 35, 100, 100): ((1.6, 1.25, 1.4), 0.8),
    (32, 64, 128, 128): ((1.6, 1.08, 1.35), 0.9),
    (32, 128, 256, 256): ((1.5, 1.15, 1.9), 0.9),
    (64, 100, 512, 512): ((1.6, 1.2, 1.5), 0.9),
    (20, 35, 650, 650): ((1.55, 1.05, 1.5), 0.9),
}
PYTHON = ["torch", "torch-primitives", "jax"]
RUST = ["candle", "burn-flex", "burn-ndarray", "dfdx"]
TWO_CORES = 1.8  # from a state of this size on
LARGE = 256
GALLERY = {"ind_rnn": 1.4, "min_gru": 1.1, "s6": 1.25, "matrix_lstm": 1.15}
# By the size of the state and the number of cores.
CHAR = {(128, 1): 1.05, (512, 1): 1.25, (128, 2): 1.1, (512, 2): 1.25}


def at_least(what, goal, found):
    return what, f"at least {goal}×", f"{found:.2f}×", found >= goal


def of_layer(cell, sizes, by, on_two, middle):
    """The goals of one size: what, goal, found, met."""
    if "retrograde" not in by:
        return
    own = middle(by["retrograde"], "both_us")
    us = {side: middle(given, "both_us") / own for side, given in by.items() if side not in ("retrograde", "custom")}
    where = f"{cell.upper()} at {', '.join(map(str, sizes))}"
    fastest, by_hand = SIZES[sizes]
    if python := [ratio for side, ratio in us.items() if side in PYTHON]:
        yield at_least(f"{where}: the faster of PyTorch and JAX", fastest[CELLS.index(cell)], min(python))
    if rust := [ratio for side, ratio in us.items() if side in RUST]:
        yield at_least(f"{where}: the fastest in Rust", 2.5, min(rust))
    if all("of_hand" in each for each in by["retrograde"]):
        yield at_least(f"{where}: planned by hand", by_hand, 1 / middle(by["retrograde"], "of_hand"))
    if sizes[3] >= LARGE:
        if cell == "rnn":
            share = statistics.median(each["gflops"] / each["peak_gflops"] for each in by["retrograde"])
            yield f"{where}: share of the peak", "at least 65%", f"{share:.0%}", share >= 0.65
        if "retrograde" in on_two:
            yield at_least(f"{where}: two cores", TWO_CORES, own / middle(on_two["retrograde"], "both_us"))
    if "custom" in by:
        ratio = middle(by["custom"], "of_rnn")
        yield f"{where}: a user's cell", "at most 1.15×", f"{ratio:.2f}×", ratio <= 1.15


def of_gallery(cell, title, sizes, by, middle):
    if len(by) == 2:
        ratio = middle(by["jax"], "both_us") / middle(by["retrograde"], "both_us")
        yield at_least(f"{title} at {', '.join(map(str, sizes))}: JAX", GALLERY[cell], ratio)


def of_char(hidden, threads, on, speed):
    if len(speed) == 2:
        ratio = speed["retrograde"] / speed["torch"]
        yield at_least(f"training step at H = {hidden}, {on}: PyTorch", CHAR[hidden, threads], ratio)


def of_costs(costs):
    own, dfdx = costs.get("retrograde", {}), costs.get("dfdx", {})
    if "crates" in own:
        yield "crates", "at most 22", str(own["crates"]), own["crates"] <= 22
    if "processor" in own and "processor" in dfdx:
        ratio = own["processor"] / dfdx["processor"]
        yield "processor time of a clean build, beside dfdx", "at most 1.1×", f"{ratio:.2f}×", ratio <= 1.1
