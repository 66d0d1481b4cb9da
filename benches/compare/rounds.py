"""The rounds, in which all sides take turns."""

import os

from sides import GALLERY, GATED, NAMES, Unavailable, say

SIZES = [
    (1, 25, 64, 100),
    (10, 5, 100, 100),
    (20, 35, 100, 100),
    (32, 64, 128, 128),
    (32, 128, 256, 256),
    (64, 100, 512, 512),
    (20, 35, 650, 650),
]
HIDDEN = [128, 512]
# Of cells of the gallery: from a single row to what fills the caches.
FLAT = [(1, 25, 64, 100), (20, 35, 100, 100), (32, 64, 128, 128)]
OUTER = [(1, 25, 64, 16), (20, 35, 64, 16), (32, 64, 64, 32)]
GALLERY_SIZES = {"ind_rnn": FLAT, "min_gru": FLAT, "s6": OUTER, "matrix_lstm": OUTER}
AGREEMENT = 1e-3  # how far gradients of different sides may lie apart


def run(ready, parts, rounds, quick):
    """Asks every side at every size in every round. Returns lists of answers, one a round, and who did not answer."""
    cores = sorted(os.sched_getaffinity(0))
    pinned = [cores[:1], cores[:2]] if len(cores) > 1 else [cores[:1]]
    questions = [(cell, sizes) for cell in parts if cell in ("rnn", "lstm", "gru") for sizes in SIZES]
    if quick:
        questions = [(cell, sizes) for cell, sizes in questions if sizes in SIZES[1:3]]
    if "gallery" in parts:
        questions += [(cell, sizes) for cell in GALLERY for sizes in GALLERY_SIZES[cell][: 1 if quick else None]]
    questions += [("char", hidden) for hidden in HIDDEN if "char" in parts]
    answers, silent = {}, {}
    for turn in range(rounds):
        for on in pinned:
            for cell, size in questions:
                if cell in GALLERY and len(on) > 1:
                    continue
                asked = f"{cell} {size} threads {len(on)}"
                say(f"round {turn + 1} of {rounds}: {asked}")
                for side in turned(sides_for(cell, ready), turn):
                    if (len(on), side, cell) in silent:
                        continue
                    try:
                        answer = ask(ready, side, cell, size, on)
                        check(answer, answers.get(asked, {}), "dwh_norm" if cell == "rnn" else "norms")
                    except Unavailable as why:
                        say(f"  {side}: not available: {why}")
                        silent[len(on), side, cell] = str(why)
                        continue
                    say(f"  {side}: {answer.get('both_us', answer.get('tokens_a_second')):.0f}")
                    answers.setdefault(asked, {}).setdefault(side, []).append(answer)
    where = [
        {"threads": threads, "side": side, "cell": cell, "why": why} for (threads, side, cell), why in silent.items()
    ]
    return {"answers": answers, "silent": where, "missing": ready.missing, "rounds": rounds, "quick": quick}


def ask(ready, side, cell, size, cores):
    return ready.ask_char(side, size, cores) if cell == "char" else ready.ask(side, cell, size, cores)


def sides_for(cell, ready):
    names = {"rnn": list(NAMES), "char": ["retrograde", "torch"]}.get(cell, GATED)
    names = ["retrograde", "jax"] if cell in GALLERY else names
    return [name for name in names if name in ready.programs]


def turned(names, turn):
    by = turn % max(1, len(names))
    return names[by:] + names[:by]


def check(answer, answers, key):
    """All programs compute the same: gradients have one norm, of `Wh` of an RNN, and of all of a cell of the gallery."""
    if key not in answer or not answers:
        return
    norms = lambda given: given[key] if isinstance(given[key], list) else [given[key]]
    found, expected = norms(answer), norms(next(iter(answers.values()))[0])
    if len(found) != len(expected) or any(abs(f - e) > AGREEMENT * e for f, e in zip(found, expected)):
        raise Unavailable(f"gradients of norm {found}, where others have {expected}")
