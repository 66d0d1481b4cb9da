"""PyTorch: a recurrent layer, forward and backward, and a training step of a character model."""

import os

import torch
from torch import nn

from shared import Problem, answer, median

torch.set_num_threads(len(os.sched_getaffinity(0)))
torch.set_num_interop_threads(1)


def tensor(array):
    return torch.from_numpy(array).requires_grad_()


def fused(problem):
    """The library's own layer."""
    layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[problem.cell](problem.d, problem.h)
    if problem.cell == "rnn":
        with torch.no_grad():
            layer.weight_ih_l0.copy_(torch.from_numpy(problem.wx.T))
            layer.weight_hh_l0.copy_(torch.from_numpy(problem.wh.T))
            layer.bias_ih_l0.copy_(torch.from_numpy(problem.b))
            layer.bias_hh_l0.zero_()
    xs, dhs = tensor(problem.xs), torch.from_numpy(problem.dhs)
    leaves = [layer.weight_hh_l0, layer.weight_ih_l0, layer.bias_ih_l0, layer.bias_hh_l0, xs]

    return lambda: torch.autograd.grad(layer(xs)[0], leaves, dhs)


def primitives(problem):
    """An RNN as its formula."""
    wx, wh, b, xs = (tensor(array) for array in (problem.wx, problem.wh, problem.b, problem.xs))
    zeros, dhs = torch.zeros(problem.n, problem.h), torch.from_numpy(problem.dhs)

    def run():
        h, hs = zeros, []
        for x in xs.unbind():
            h = (x @ wx + h @ wh + b).tanh()
            hs.append(h)
        return torch.autograd.grad(torch.stack(hs), [wh, wx, b, xs], dhs)

    return run


def char_step(hidden):
    """One step of truncated backpropagation: embedding, LSTM, linear, cross-entropy, clipping, Adam."""
    n, t, v, d = 32, 64, 65, 64
    generator = torch.Generator().manual_seed(1)
    embedding, lstm, linear = nn.Embedding(v, d), nn.LSTM(d, hidden), nn.Linear(hidden, v)
    params = [*embedding.parameters(), *lstm.parameters(), *linear.parameters()]
    adam = torch.optim.Adam(params, lr=1e-3, fused=True)
    inputs = torch.randint(v, (t, n), generator=generator)
    targets = torch.randint(v, (t * n,), generator=generator)
    state = (torch.zeros(1, n, hidden), torch.zeros(1, n, hidden))

    def run():
        nonlocal state
        hs, last = lstm(embedding(inputs), state)
        state = tuple(part.detach() for part in last)
        loss = nn.functional.cross_entropy(linear(hs).view(t * n, v), targets)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        adam.step()

    return n * t, run


def measure(asked):
    found = {"version": torch.__version__}
    if asked.char:
        tokens, run = char_step(asked.char)
        return found | {"tokens_a_second": tokens / median(run, asked.once) * 1e6}
    run = (primitives if asked.primitives else fused)(Problem(asked.cell, asked.shape))
    return found | {"both_us": median(run, asked.once), "dwh_norm": run()[0].norm().item()}


answer(
    __doc__,
    measure,
    primitives={"action": "store_true", "help": "an RNN as its formula, not the library's own layer"},
    char={"type": int, "help": "a training step of a character model with this many hidden units"},
)
