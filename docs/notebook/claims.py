"""Puts numbers to the claims of docs/notebook.md: the notebook's two layers in NumPy, with its slips as switches.

Run it as `python3 docs/notebook/claims.py`. It needs NumPy alone, and prints the lines that the page quotes.
"""

import numpy as np


class RNN:
    """One step: h_next = tanh(h_prev·Wh + x·Wx + b)."""

    def __init__(self, Wx, Wh, b, slips):
        self.params, self.slips = [Wx, Wh, b], slips
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        h_next = np.tanh(np.matmul(h_prev, Wh) + np.matmul(x, Wx) + b)
        self.cache = x, h_prev, h_next
        return h_next

    def backward(self, dh_next):
        Wx, Wh, b = self.params
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next**2)
        dh_prev = np.matmul(x.T, dt) if "dh_prev" in self.slips else np.matmul(dt, Wh.T)
        self.grads = [np.matmul(x.T, dt), np.matmul(h_prev.T, dt), dt.sum(axis=0)]
        return np.matmul(dt, Wx.T), dh_prev


class TimeRNN:
    """The step over a sequence: xs [N, T, D] -> hs [N, T, H]."""

    def __init__(self, Wx, Wh, b, stateful=False, slips=(), dtype="d"):
        self.params, self.stateful, self.slips, self.dtype = [Wx, Wh, b], stateful, slips, dtype
        self.grads = [np.zeros_like(p) for p in self.params]
        self.h = None

    def set_state(self, h):
        self.h = h

    def forward(self, xs):
        N, T, _ = xs.shape
        H = self.params[1].shape[0]
        hs = np.empty((N, T, H), dtype=self.dtype)
        if not self.stateful or self.h is None:
            self.h = np.zeros((N, H), dtype=self.dtype)
        self.layers = [RNN(*self.params, self.slips) for _ in range(T)]
        for t, layer in enumerate(self.layers):
            self.h = hs[:, t] = layer.forward(xs[:, t], self.h)
        return hs

    def backward(self, dhs):
        dxs = np.empty((*dhs.shape[:2], self.params[0].shape[0]), dtype=self.dtype)
        sums, dh = [0, 0, 0], 0
        for t in reversed(range(dhs.shape[1])):
            dxs[:, t], dh = self.layers[t].backward(dhs[:, t] + dh)
            sums = [total + grad for total, grad in zip(sums, self.layers[t].grads)]
        if "lost" not in self.slips:
            for grad, total in zip(self.grads, sums):
                grad[...] = total
        return dxs


def layer(rng, N, T, D, H, **options):
    """A layer with random weights, an input and a cotangent for it."""
    params = [rng.normal(size=(D, H)) * 0.6, rng.normal(size=(H, H)) * 0.5, rng.normal(size=H) * 0.1]
    return TimeRNN(*params, **options), rng.normal(size=(N, T, D)), rng.normal(size=(N, T, H))


def distance(found, right):
    """The largest difference, relative to the largest element of `right`."""
    return np.abs(found - right).max() / np.abs(right).max()


def wrong_dh_prev():
    """`dh_prev = np.matmul(x.T, dt)`, at several shapes: an exception, or an error of dWh."""
    rng = np.random.default_rng(0)
    for N, T, D, H in [(2, 5, 3, 4), (1, 5, 3, 4), (3, 5, 3, 3), (3, 5, 3, 7), (7, 5, 1, 4), (32, 20, 1, 16), (2, 1, 3, 4)]:
        slipped, xs, dhs = layer(rng, N, T, D, H, slips=["dh_prev"])
        slipped.set_state(rng.normal(size=(N, H)))
        slipped.stateful = True
        right = TimeRNN(*slipped.params, stateful=True)
        right.set_state(slipped.h)
        for each in (right, slipped):
            each.forward(xs)
        right.backward(dhs)
        try:
            slipped.backward(dhs)
            result = f"passes, relative error of dWh {distance(slipped.grads[1], right.grads[1]):.1e}"
        except ValueError:
            result = "ValueError"
        print(f"dh_prev: N={N} T={T} D={D} H={H}: {result}")


def single_precision():
    """Central differences of a layer with single-precision buffers, at the best of several steps."""
    rng = np.random.default_rng(1)
    for dtype in "fd":
        right, xs, dhs = layer(rng, 3, 5, 3, 4, dtype=dtype)
        slipped = TimeRNN(*right.params, slips=["dh_prev"], dtype=dtype)
        for each in (right, slipped):
            each.forward(xs)
            each.backward(dhs)
        Wh, best = right.params[1], (np.inf, np.inf)
        for eps in (1e-2, 5e-3, 2e-3, 1e-3, 1e-4, 1e-5, 1e-6):
            numeric = np.zeros_like(Wh)
            for i in np.ndindex(Wh.shape):
                kept, sides = Wh[i], []
                for Wh[i] in (kept + eps, kept - eps):
                    sides.append((right.forward(xs).astype("d") * dhs).sum())
                Wh[i] = kept
                numeric[i] = (sides[0] - sides[1]) / (2 * eps)
            best = min(best, (distance(numeric, right.grads[1]), distance(numeric, slipped.grads[1])))
        bits = {"f": 32, "d": 64}[dtype]
        print(f"differences in float{bits}: from the right gradient {best[0]:.0e}, from the slipped one {best[1]:.1f}")


def lost_gradients():
    """A language model of 20 words whose recurrent gradients are summed and thrown away."""
    V, D, H, N, T = 20, 16, 32, 10, 5
    for name, slips in (("kept", []), ("thrown away", ["lost"])):
        rng = np.random.default_rng(0)
        words = rng.integers(0, V, 400)
        words[200:] = words[:200]
        embed = rng.normal(size=(V, D)) / 100
        rnn = TimeRNN(rng.normal(size=(D, H)) / D**0.5, rng.normal(size=(H, H)) / H**0.5, np.zeros(H), True, slips)
        W, b = rng.normal(size=(H, V)) / H**0.5, np.zeros(V)
        Wh, losses = rnn.params[1].copy(), []
        for step in range(1500):
            at = (step * T + np.arange(N)[:, None] * 39) % 395 + np.arange(T)
            xs, ts = words[at % 399], words[at % 399 + 1]
            hs = rnn.forward(embed[xs])
            zs = hs @ W + b
            ps = np.exp(zs - zs.max(-1, keepdims=True))
            ps /= ps.sum(-1, keepdims=True)
            target = ts[..., None]
            losses.append(-np.log(np.take_along_axis(ps, target, -1)).mean())
            np.put_along_axis(ps, target, np.take_along_axis(ps, target, -1) - 1, -1)
            dzs = ps / (N * T)
            dxs = rnn.backward(dzs @ W.T)
            W -= 0.5 * np.einsum("nth,ntv->hv", hs, dzs)
            b -= 0.5 * dzs.sum((0, 1))
            for param, grad in zip(rnn.params, rnn.grads):
                param -= 0.5 * grad
            np.add.at(embed, xs, -0.5 * dxs)
        moved = np.abs(rnn.params[1] - Wh).max()
        print(f"gradients {name}: loss {np.mean(losses[:10]):.2f} to {np.mean(losses[-10:]):.2f}, Wh moved by {moved:.2g}")


def clipped_sine():
    """A noisy sine forecast with the slipped `dh_prev`, the gradient clipped to an L2 norm of 1."""
    N, T, H = 20, 50, 32
    for name, slips in (("right", []), ("slipped", ["dh_prev"])):
        rng = np.random.default_rng(2)
        sine = np.sin(np.arange(4000) * 0.25) + 0.15 * rng.normal(size=4000)
        rnn = TimeRNN(rng.normal(size=(1, H)), rng.normal(size=(H, H)) / H**0.5 * 0.9, np.zeros(H), True, slips)
        W, b, losses = rng.normal(size=(H, 1)) / H**0.5, np.zeros(1), []
        for step in range(600):
            at = ((np.arange(N) * 190 + step * T) % 3900)[:, None] + np.arange(T)
            hs = rnn.forward(sine[at][..., None])
            error = hs @ W + b - sine[at + 1][..., None]
            losses.append((error**2).mean())
            dys = 2 * error / error.size
            rnn.backward(dys @ W.T)
            grads = [np.einsum("nth,nto->ho", hs, dys), dys.sum((0, 1)), *rnn.grads]
            norm = np.sqrt(sum((grad**2).sum() for grad in grads))
            for param, grad in zip([W, b, *rnn.params], grads):
                param -= 0.05 * min(1, 1 / norm) * grad
        print(f"sine, clipped, {name}: squared error {losses[0]:.2f} to {np.mean(losses[-20:]):.3f}")


def ignored_state():
    """`set_state` of a layer that is not stateful."""
    rng = np.random.default_rng(2)
    rnn, xs, _ = layer(rng, 2, 3, 3, 4)
    before = rnn.forward(xs)
    rnn.set_state(np.ones((2, 4)))
    print("set_state without stateful:", "ignored" if np.array_equal(before, rnn.forward(xs)) else "honoured")


if __name__ == "__main__":
    wrong_dh_prev()
    single_precision()
    lost_gradients()
    clipped_sine()
    ignored_state()
