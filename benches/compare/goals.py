"""What the library means to reach, and whether it did."""

import statistics

# How many times as fast as the fastest other side, on one core.
FASTEST = {
    (1, 25, 64, 100): 2.5,
    (10, 5, 100, 100): 2.5,
    (20, 35, 100, 100): 2.0,
    (32, 64, 128, 128): 1.6,
    (32, 128, 256, 256): 1.6,
    (64, 100, 512, 512): 1.25,
    (20, 35, 650, 650): 1.6,
}
RUST = ["candle", "burn-flex", "burn-ndarray", "dfdx"]
CHAR = {128: 2.0, 512: 1.3}


def at_least(what, goal, found):
    return what, f"at least {goal}×", f"{found:.2f}×", found >= goal


def of_layer(cell, sizes, by, middle):
    """The goals of one size on one core: what, goal, found, met."""
    if "retrograde" not in by:
        return
    own = middle(by["retrograde"], "both_us")
    us = {side: middle(given, "both_us") / own for side, given in by.items() if side not in ("retrograde", "custom")}
    where = f"{cell.upper()} at {', '.join(map(str, sizes))}"
    if cell == "rnn":
        if us:
            yield at_least(f"{where}: the fastest other", FASTEST[sizes], min(us.values()))
        if rust := [ratio for side, ratio in us.items() if side in RUST]:
            yield at_least(f"{where}: the fastest in Rust", 5.0, min(rust))
        if sizes[3] >= 256:
            share = statistics.median(each["gflops"] / each["peak_gflops"] for each in by["retrograde"])
            yield f"{where}: share of the peak", "at least 65%", f"{share:.0%}", share >= 0.65
        if "custom" in by:
            ratio = middle(by["custom"], "of_rnn")
            yield f"{where}: a user's cell", "at most 1.15×", f"{ratio:.2f}×", ratio <= 1.15
    elif "torch" in us:
        yield at_least(f"{where}: PyTorch's layer", 2.0 if sizes[3] == 100 else 1.3, us["torch"])


def of_gallery(title, sizes, by, middle):
    if len(by) == 2:
        ratio = middle(by["jax"], "both_us") / middle(by["retrograde"], "both_us")
        yield at_least(f"{title} at {', '.join(map(str, sizes))}: JAX", 1.0, ratio)


def of_char(hidden, on, speed):
    if len(speed) == 2:
        ratio = speed["retrograde"] / speed["torch"]
        yield at_least(f"training step at H = {hidden}, {on}: PyTorch", CHAR[hidden], ratio)


def of_costs(costs):
    own = costs.get("retrograde", {})
    if "crates" in own:
        yield "crates", "under 30", str(own["crates"]), own["crates"] < 30
        yield "clean build", "under 45 s", f"{own['build']:.0f} s", own["build"] < 45
