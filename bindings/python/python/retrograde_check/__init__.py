"""Checks gradients of any Python layer, and says what is wrong and where.

    import numpy as np
    from retrograde_check import check

    def forward(x, w):
        return np.tanh(x @ w)

    def backward(dy, x, w):
        dt = dy * (1 - np.tanh(x @ w) ** 2)
        return {"x": dt @ w.T, "w": x.T @ dt}

    rng = np.random.default_rng(1)
    check(forward, backward, {"x": rng.normal(size=(3, 2)), "w": rng.normal(size=(2, 4))}).assert_ok()
"""

import json

import numpy as np

from . import _native
from ._native import CheckError

__all__ = ["CheckError", "Report", "check"]


class Report:
    """The findings of a check.

    ``str(report)`` is a table, the same on every processor; ``report.verbose`` has a line for each time step, and the
    numbers that are rounding.
    """

    def __init__(self, ok, unverified, text, verbose, data):
        self.ok = ok
        #: The number of elements that could not be verified: no output moves with them, or there is a kink.
        self.unverified = unverified
        self.text = text
        self.verbose = verbose
        #: Everything as JSON.
        self.json = data

    def __str__(self):
        return self.text

    def __repr__(self):
        return f"<Report: {'ok' if self.ok else 'MISMATCH in ' + ', '.join(self.wrong)}>"

    def __bool__(self):
        return self.ok

    def to_dict(self):
        """Returns everything as dictionaries, lists, strings and numbers."""
        return json.loads(self.json)

    @property
    def mismatches(self):
        """The elements whose gradient is wrong, worst first, as dictionaries."""
        return self.to_dict()["mismatches"]

    @property
    def wrong(self):
        """The names of the inputs whose gradient is wrong, in order."""
        data = self.to_dict()
        found = {mismatch["name"] for mismatch in data["mismatches"]}
        return [name for name in dict.fromkeys(row["name"] for row in data["rows"]) if name in found]

    def assert_ok(self):
        """Raises an ``AssertionError`` with the report if a gradient is wrong, or if nothing was verified at all."""
        __tracebackhide__ = True
        silent = all(row["verdict"] == "not verifiable" for row in self.to_dict()["rows"])
        if not self.ok or silent:
            raise AssertionError(self.text)

    def assert_verified(self):
        """Raises an ``AssertionError`` with the report unless every element was verified."""
        __tracebackhide__ = True
        if not self.ok or self.unverified:
            raise AssertionError(self.text)


def check(forward, backward, inputs, *, time_axes=None, frozen=(), within=None, largest_step=None, **settings):
    """Checks the backward pass of any function of NumPy arrays against finite differences.

    ``inputs`` is a dictionary of named arrays: inputs, initial states, parameters. They are handed over as float64.

    ``forward(**inputs)`` returns an array, or a dictionary of named arrays. ``backward(dy, **inputs)`` takes the
    cotangent of that array, or a dictionary of cotangents under the same names, and returns the gradient of each input:
    a dictionary, or a tuple or list in the order of ``inputs``, or an array where there is one input; ``None`` stands for
    that of a frozen one. Both are called many times, each time with other values, so ``backward`` computes again what it
    needs of the forward pass.

    ``time_axes`` says which axis of an input or an output is time, by name, so that each step is judged by its own
    magnitude; an output without a name is ``y``. ``frozen`` names inputs whose gradient is not checked. ``within`` maps a
    name to the bounds of its elements, such as ``{"dt": (0, None)}``, and ``largest_step`` to how far they are moved. The
    other settings are those of ``Check`` in Rust: ``seed``, ``directions``, ``points``, ``elements``, ``tolerance``,
    ``cotangent_scale``, ``full_jacobian``, ``keep_entries``, ``taylor``.

    An exception of a callable comes out as itself, with a note of the call. A check that cannot be carried out raises
    ``CheckError``.
    """
    inputs = {name: np.asarray(value, dtype=np.float64) for name, value in inputs.items()}
    bare = False

    def run_forward(x):
        nonlocal bare
        outputs = forward(**_arrays(x))
        bare = not isinstance(outputs, dict)
        return _raw({"y": outputs} if bare else outputs)

    def run_backward(x, dy):
        cotangents = _arrays(dy)
        gradients = backward(cotangents["y"] if bare else cotangents, **_arrays(x))
        if isinstance(gradients, dict):
            return _raw(gradients)
        sequence = gradients if isinstance(gradients, (tuple, list)) else (gradients,)
        if len(sequence) != len(inputs):
            raise CheckError(f"check: expected a gradient of {', '.join(inputs)}, found {len(sequence)} in all")
        return _raw({name: gradient for name, gradient in zip(inputs, sequence) if gradient is not None})

    def bound(value, otherwise):
        return otherwise if value is None else value

    settings = {name: value for name, value in settings.items() if value is not None}
    settings["time_axes"] = list((time_axes or {}).items())
    settings["frozen"] = list(frozen)
    settings["within"] = [
        (name, bound(low, -np.inf), bound(high, np.inf)) for name, (low, high) in (within or {}).items()
    ]
    settings["largest_step"] = list((largest_step or {}).items())
    return Report(*_native.check(run_forward, run_backward, _raw(inputs), settings))


def _raw(arrays):
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in arrays.items()}
    return [(name, array.shape, array.tobytes()) for name, array in arrays.items()]  # in row-major order


def _arrays(raw):
    # A copy, since what a buffer backs cannot be written to.
    return {name: np.frombuffer(data, dtype=np.float64).reshape(shape).copy() for name, shape, data in raw}
