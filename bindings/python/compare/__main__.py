"""Runs every case through this checker, PyTorch's gradcheck, slow and fast, and JAX's check_grads, and prints the table.

    python3 bindings/python/compare                  # all that are installed
    python3 bindings/python/compare --only ours      # one of: ours, slow, fast, jax
    python3 bindings/python/compare --verify docs/checking.md   # compares with the table of that page

The settings of each are its defaults, in double precision.
"""

import argparse
import importlib.util
import sys
import warnings
from pathlib import Path

import numpy as np
from cases import FAULTS, RIGHT


def ours(inputs, forward, backward):
    from retrograde_check import CheckError, check

    names = list(inputs)

    def by_name(outputs):
        return {f"y{i}": output for i, output in enumerate(outputs)}

    try:
        report = check(
            lambda **x: by_name(forward(np, *(x[name] for name in names))),
            lambda dy, **x: backward(np, tuple(dy.values()), *(x[name] for name in names)),
            inputs,
        )
    except CheckError:
        return False
    return report.ok


def torch_function(forward, backward):
    import torch

    class Case(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            ctx.save_for_backward(*inputs)
            return forward(torch, *inputs)

        @staticmethod
        def backward(ctx, *cotangents):
            return tuple(backward(torch, cotangents, *ctx.saved_tensors))

    return Case.apply


def gradcheck(inputs, forward, backward, fast):
    import torch

    torch.manual_seed(0)
    leaves = [torch.tensor(value, requires_grad=True) for value in inputs.values()]
    function = torch_function(forward, backward)
    return torch.autograd.gradcheck(function, leaves, raise_exception=False, fast_mode=fast)


def check_grads(inputs, forward, backward):
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)

    @jax.custom_vjp
    def function(*inputs):
        return forward(jnp, *inputs)

    function.defvjp(
        lambda *inputs: (forward(jnp, *inputs), inputs),
        lambda inputs, cotangents: tuple(backward(jnp, cotangents, *inputs)),
    )
    try:
        check_grads(function, tuple(jnp.asarray(value) for value in inputs.values()), order=1, modes=("rev",))
    except AssertionError:
        return False
    return True


CHECKERS = {
    "ours": ("this checker", "retrograde_check", ours),
    "slow": ("gradcheck, slow", "torch", lambda *case: gradcheck(*case, fast=False)),
    "fast": ("gradcheck, fast", "torch", lambda *case: gradcheck(*case, fast=True)),
    "jax": ("check_grads", "jax", check_grads),
}


def table(cases, right, checkers):
    """Rows of a case and of what each checker says of it: `x` where it is right, that is, where it reports a fault or
    does not report a right layer."""
    rows, counts = [], [0] * len(checkers)
    for text, make in cases.items():
        verdicts = []
        for i, (_, _, passes) in enumerate(checkers):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reported = not passes(*make())
            counts[i] += reported
            verdicts.append("x" if reported and not right else "alarm" if reported else "")
        rows.append([text, *verdicts])
    label = "reported, of" if right else "caught, of"
    return [*rows, [f"**{label} {len(cases)}**", *(f"**{count}**" for count in counts)]]


def markdown(head, rows):
    lines = [head, ["---", *[":-:"] * (len(head) - 1)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CHECKERS)
    parser.add_argument("--verify", type=Path, help="a page that has the table")
    args = parser.parse_args()
    keys = [args.only] if args.only else list(CHECKERS)
    missing = [key for key in keys if importlib.util.find_spec(CHECKERS[key][1]) is None]
    for key in missing:
        print(f"not run: {CHECKERS[key][0]} ({CHECKERS[key][1]} is not installed)", file=sys.stderr)
    checkers = [CHECKERS[key] for key in keys if key not in missing]
    names = [name for name, _, _ in checkers]
    text = markdown(["fault", *names], table(FAULTS, False, checkers))
    text += "\n" + markdown(["right layer", *names], table(RIGHT, True, checkers))
    if args.verify:
        verify(text, args.verify)
    else:
        print(text, end="")


def verify(text, page):
    """Compares each column that was run with that of the page."""
    page = page.read_text()
    if "<!-- gradchecks -->" not in page:
        sys.exit("the page has no table between <!-- gradchecks --> and <!-- end of gradchecks -->")
    written = page.split("<!-- gradchecks -->\n")[1].split("<!-- end of gradchecks -->")[0].rstrip("\n") + "\n"

    def columns(text):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line]
        heads = [line for line in lines if line[0] in ("fault", "right layer")]
        return {name: [(line[0], line[i]) for line in lines if line not in heads] for i, name in enumerate(heads[0])}

    known, found = columns(written), columns(text)
    wrong = [name for name, column in found.items() if known.get(name) != column]
    if wrong:
        sys.exit(f"{text}\nthe page has another column for {', '.join(wrong)}")
    print(f"{len(found) - 1} columns as on the page")


if __name__ == "__main__":
    main()
