import os
import sys

import numpy as np


class RNN:
    """One step: h_next = tanh(h_prev·Wh + x·Wx + b)."""

    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = None

    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        t = np.matmul(h_prev, Wh) + np.matmul(x, Wx) + b
        h_next = np.tanh(t)
        self.cache = x, h_prev, h_next
        return h_next

    def backward(self, dh_next):
        Wx, Wh, b = self.params
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next**2)
        dh_prev = np.matmul(dt, Wh.T)
        dx = np.matmul(dt, Wx.T)
        dWx = np.matmul(x.T, dt)
        dWh = np.matmul(h_prev.T, dt)
        self.grads = [dWx, dWh, dt.sum(axis=0)]
        return dx, dh_prev


class TimeRNN:
    """The step over time: [N, T, D] -> [N, T, H]."""

    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, xs):
        Wx, Wh, b = self.params
        N, T, D = xs.shape
        H = Wh.shape[0]
        h = np.zeros((N, H), dtype=xs.dtype)
        hs = np.empty((N, T, H), dtype=xs.dtype)
        self.steps = []
        for t in range(T):
            step = RNN(Wx, Wh, b)
            h = step.forward(xs[:, t, :], h)
            hs[:, t, :] = h
            self.steps.append(step)
        return hs

    def backward(self, dhs):
        Wx, Wh, b = self.params
        N, T, H = dhs.shape
        dxs = np.empty((N, T, len(Wx)), dtype=dhs.dtype)
        dh = 0
        grads = [0, 0, 0]
        for t in reversed(range(T)):
            step = self.steps[t]
            dx, dh = step.backward(dhs[:, t, :] + dh)
            dxs[:, t, :] = dx
            for i, grad in enumerate(step.grads):
                grads[i] += grad
        for i, grad in enumerate(grads):
            self.grads[i][...] = grad
        return dxs


numbers = {}
path = os.path.join(sys.path[0], "numbers.txt")
for line in open(path):
    name, shape, *values = line.split()
    shape = [int(size) for size in shape.split("x")]
    numbers[name] = np.array(values, float).reshape(shape)


def show(name, x):
    for row in x.reshape(-1, x.shape[-1]):
        print(name, *(f"{value:.10f}" for value in row))


rows = 2
xs, dhs = numbers["xs"][:rows], numbers["dhs"][:rows]
rnn = TimeRNN(numbers["Wx"], numbers["Wh"], numbers["b"])


hs = rnn.forward(xs)
show("hs", hs[0])


dxs = rnn.backward(dhs)
for name, grad in zip(["dWx", "dWh", "db"], rnn.grads):
    show(name, grad)


eps, off = 1e-5, 0
Wh, dWh = rnn.params[1], rnn.grads[1].copy()
for i in np.ndindex(Wh.shape):
    kept, sides = Wh[i], []
    for Wh[i] in (kept + eps, kept - eps):
        sides.append((rnn.forward(xs) * dhs).sum())
    Wh[i] = kept
    slope = (sides[0] - sides[1]) / (2 * eps)
    off = max(off, abs(slope - dWh[i]))
print("dWh is", "right" if off < 1e-6 else "wrong")
