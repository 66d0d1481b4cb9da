"""Layers with a backward pass by hand, right and wrong, each written once for NumPy, PyTorch and JAX.

A case is made by a function without arguments, which returns its inputs by name, `forward(xp, *inputs)` and
`backward(xp, cotangents, *inputs)`; both return tuples. `xp` is the module of arrays.
"""

import numpy as np


def rnn(fault=None, sizes=(3, 5, 2, 4), scale=0.6, last_alone=False):
    """The recurrent layer of the textbook: hs [N, T, H] and the last state, or that alone, from xs [N, T, D] and h_prev."""
    N, T, D, H = sizes
    rng = np.random.default_rng(1)
    shapes = {"xs": (N, T, D), "h_prev": (N, H), "Wx": (D, H), "Wh": (H, H), "b": (H,)}
    inputs = {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}
    kept = {"calls": 0, "dWx": 0.0}

    def states(xp, xs, h_prev, Wx, Wh, b):
        hs = [h_prev]
        for t in range(T):
            hs.append(xp.tanh(xs[:, t] @ Wx + hs[-1] @ Wh + b))
        return hs

    def forward(xp, *inputs):
        hs = states(xp, *inputs)
        if fault == "the state leaks from call to call":
            kept["calls"] += 1
            hs[-1] = hs[-1] + 1e-3 * kept["calls"]
        return (hs[-1],) if last_alone else (xp.stack(hs[1:], axis=1), hs[-1])

    def backward(xp, cotangents, xs, h_prev, Wx, Wh, b):
        dlast = cotangents[-1]
        dhs = xp.stack([0 * dlast] * T, axis=1) if last_alone else cotangents[0]
        if fault == "cotangents clipped to 5":
            dhs = xp.clip(dhs, -5.0, 5.0)
        if fault == "small cotangents taken for zero":
            dhs = xp.where(abs(dhs) < 0.01, xp.zeros_like(dhs), dhs)
        hs = states(xp, xs, h_prev, Wx, Wh, b)
        dh = xp.zeros_like(dlast) if fault == "the cotangent of the last state ignored" else dlast
        dxs, dWx, dWh, db = [], 0 * Wx, 0 * Wh, 0 * b
        for t in reversed(range(T)):
            if fault == "`dh` cut at step 2 of 5" and t == 1:
                dh = xp.zeros_like(dh)
            dt = (dhs[:, t] + dh) * (1 - hs[t + 1] ** 2)
            h = hs[t + 1] if fault == "off by one: `dWh` from `h_next`" else hs[t]
            dWh = h.T @ dt if fault == "`dWh` overwritten at each step" else dWh + h.T @ dt
            dWx = dWx + xs[:, t].T @ dt
            db = db + (dt[-1] if fault == "`db` not summed over the batch" else dt.sum(axis=0))
            dxs.append(dt @ Wx.T)
            dh = dt @ (Wh if fault == "missing transpose: `dh_prev = dt·Wh`" else Wh.T)
            if fault == "the notebook's `dh_prev = xᵀ·dt` (N = D)":
                dh = xs[:, t].T @ dt
            if fault == "`dh` from the next step is not added":
                dh = xp.zeros_like(dh)
        dxs = dxs if fault == "`dxs` in reversed time" else dxs[::-1]
        if fault == "one element of `dWh` dropped":
            dWh = dWh * xp.asarray(np.arange(H * H).reshape(H, H) != 6)
        if fault == "`dWx` not reset between two backward passes":
            dWx = kept["dWx"] = dWx + kept["dWx"]
        dWh = dWh.T if fault == "`dWh` transposed" else dWh
        factors = {"`dWh` off by 0.05 %": 1.0005, "`dWh` off by 1e-6": 1 + 1e-6, "`dWh` off by 1e-7": 1 + 1e-7}
        dWh = factors.get(fault, 1.0) * dWh
        dWx = dWx / N if fault == "`dWx` averaged over the batch" else dWx
        db = -db if fault == "`db` with the wrong sign" else db
        dh = 0 * dh if fault == "`dh_prev` never stored" else dh
        return xp.stack(dxs, axis=1), dh, dWx, dWh, db

    return inputs, forward, backward


def elementwise(x, forward, backward):
    """A function of each element: `y = f(x)`, `dx = dy g(x)`."""
    x = np.asarray(x, dtype=np.float64)
    return {"x": x}, lambda xp, x: (forward(xp, x),), lambda xp, dy, x: (dy[0] * backward(xp, x),)


def layer_norm(fault=None, features=5, eps=1e-3, scale=1.0):
    """Normalised rows."""
    x = scale * np.random.default_rng(2).normal(size=(3, features))

    def parts(xp, x, eps):
        centred = x - x.mean(axis=1, keepdims=True)
        s = (1 / ((centred**2).mean(axis=1, keepdims=True) + eps)) ** 0.5
        return centred * s, s

    def forward(xp, x):
        return (parts(xp, x, eps)[0],)

    def backward(xp, dy, x):
        y, s = parts(xp, x, 0.0 if fault == "eps" else eps)
        dx = dy[0] - dy[0].mean(axis=1, keepdims=True)
        if fault != "variance":
            dx = dx - y * (dy[0] * y).mean(axis=1, keepdims=True)
        return (dx * s,)

    return {"x": x}, forward, backward


def softmax(fault=None, scale=1.0):
    """Rows of probabilities."""
    z = scale * np.random.default_rng(3).normal(size=(3, 4))

    def forward(xp, z):
        e = xp.exp(z - xp.asarray(np.float64(scale)))
        return (e / e.sum(axis=1, keepdims=True),)

    def backward(xp, dy, z):
        (p,) = forward(xp, z)
        along = 0.0 if fault else (dy[0] * p).sum(axis=1, keepdims=True)
        return (p * (dy[0] - along),)

    return {"z": z}, forward, backward


def single(x):
    """The values in single precision, and back."""
    return x.astype("float32").astype("float64") if hasattr(x, "astype") else x.float().double()


def single_tanh(factor):
    """A layer that computes in single precision, its gradient off by a factor."""
    x = np.random.default_rng(4).normal(size=(3, 4))
    tanh = lambda xp, x: single(xp.tanh(single(x)))
    return elementwise(x, tanh, lambda xp, x: factor * (1 - tanh(xp, x) ** 2))


def large(factor):
    """A product with a matrix of 40 × 40, of whose gradient one element is off."""
    rng = np.random.default_rng(5)
    inputs = {"x": rng.normal(size=(3, 40)), "w": 0.2 * rng.normal(size=(40, 40))}
    mask = np.ones((40, 40))
    mask[17, 4] = factor

    def backward(xp, dy, x, w):
        dt = dy[0] * (1 - xp.tanh(x @ w) ** 2)
        return dt @ w.T, (x.T @ dt) * xp.asarray(mask)

    return inputs, lambda xp, x, w: (xp.tanh(x @ w),), backward


def wide(factor):
    """`a · x` with factors of many orders."""
    a = np.array([1e5, 1.0, 5e-4])
    at = np.array([1.0, 1.0, factor])
    x = np.array([0.3, -0.7, 1.1])
    return {"x": x}, lambda xp, x: ((xp.asarray(a) * x).sum(),), lambda xp, dy, x: (dy[0] * xp.asarray(a * at),)


RNN_FAULTS = [
    "`dh` from the next step is not added",
    "`dWh` overwritten at each step",
    "`db` not summed over the batch",
    "missing transpose: `dh_prev = dt·Wh`",
    "the notebook's `dh_prev = xᵀ·dt` (N = D)",
    "off by one: `dWh` from `h_next`",
    "`dh` cut at step 2 of 5",
    "`dxs` in reversed time",
    "one element of `dWh` dropped",
    "`dWh` off by 0.05 %",
    "`dWh` off by 1e-6",
    "`dWh` off by 1e-7",
    "`db` with the wrong sign",
    "`dWh` transposed",
    "the cotangent of the last state ignored",
    "`dh_prev` never stored",
    "`dWx` averaged over the batch",
    "the state leaks from call to call",
    "`dWx` not reset between two backward passes",
    "cotangents clipped to 5",
    "small cotangents taken for zero",
]


def rnn_case(fault):
    # The slip of the notebook passes where N = D: [D, H] is [N, H].
    sizes = (3, 5, 3, 4) if fault.startswith("the notebook") else (3, 5, 2, 4)
    return lambda: rnn(fault, sizes)


FAULTS = {fault: rnn_case(fault) for fault in RNN_FAULTS} | {
    "a vanishing gradient cut at step 2 of 5": lambda: rnn("`dh` cut at step 2 of 5", scale=0.01, last_alone=True),
    "layer norm: eps forgotten in the backward pass": lambda: layer_norm("eps"),
    "layer norm: the variance as a constant": lambda: layer_norm("variance"),
    "softmax without the sum": lambda: softmax("sum"),
    "one element of 40 × 40 off by 1 %": lambda: large(1.01),
    "the smallest of `[1e5, 1, 5e-4] · x` off by half": lambda: wide(1.5),
    "`ln` off by half below 1e-3, at 1e-6": lambda: elementwise(
        [0.9, 1e-6, 1.3], lambda xp, x: xp.log(x), lambda xp, x: 1 / xp.where(x < 1e-3, 2 * x, x)
    ),
    "`abs` with the sign of a positive number": lambda: elementwise(
        [0.4, -0.3], lambda xp, x: abs(x), lambda xp, x: 0 * x + 1
    ),
    "in single precision, off by 1 %": lambda: single_tanh(1.01),
}

RIGHT = {
    "the recurrent layer": rnn,
    "the recurrent layer, saturated: weights × 8": lambda: rnn(scale=4.8),
    "the recurrent layer, its gradient vanishing": lambda: rnn(scale=0.01, last_alone=True),
    "layer norm of 2 features": lambda: layer_norm(features=2, eps=1e-5),
    "layer norm of rows of 1e-3": lambda: layer_norm(scale=1e-3, eps=1e-5),
    "softmax of logits of 20": lambda: softmax(scale=20.0),
    "a layer in single precision": lambda: single_tanh(1.0),
    "`sin(128 π x)`": lambda: elementwise(
        [0.1, 0.23, -0.4], lambda xp, x: xp.sin(128 * np.pi * x), lambda xp, x: 128 * np.pi * xp.cos(128 * np.pi * x)
    ),
    "relu, 1e-7 beside its kink": lambda: elementwise(
        [1e-7, -1e-7, 0.5], lambda xp, x: xp.where(x > 0, x, 0 * x), lambda xp, x: xp.where(x > 0, 1 + 0 * x, 0 * x)
    ),
    "`ln` at 1e-6": lambda: elementwise([0.9, 1e-6, 1.3], lambda xp, x: xp.log(x), lambda xp, x: 1 / x),
    "`x²` of `[1e-6, 1e6, 1]`": lambda: elementwise([1e-6, 1e6, 1.0], lambda xp, x: x**2, lambda xp, x: 2 * x),
    "`[1e5, 1, 5e-4] · x`": lambda: wide(1.0),
}
