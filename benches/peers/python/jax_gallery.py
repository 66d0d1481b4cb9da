"""JAX: cells of the gallery (`examples/gallery/cells`), scanned over time, forward and backward, compiled."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import relu, sigmoid, softplus

from shared import answer, median, noise


def ind_rnn(params, xs):
    w, u, b = params

    def step(h, p):
        h = relu(p + h * u)
        return h, h

    return jax.lax.scan(step, jnp.zeros((xs.shape[1], u.shape[0])), xs @ w + b)[1]


def min_gru(params, xs):
    w, b = params

    def step(h, p):
        z, h_new = jnp.split(p, 2, axis=1)
        h = h + sigmoid(z) * (h_new - h)
        return h, h

    return jax.lax.scan(step, jnp.zeros((xs.shape[1], b.shape[0] // 2)), xs @ w + b)[1]


def s6(params, xs):
    w, b, log_a, skip = params
    (d, s), a = log_a.shape, -jnp.exp(log_a)

    def step(h, p):
        x, delta, b_t, c_t = p
        h = jnp.exp(delta[:, :, None] * a) * h + x[:, :, None] * b_t[:, None, :]
        return h, (h @ c_t[:, :, None])[:, :, 0]

    delta, b_ts, c_ts = jnp.split(xs @ w, [d, d + s], axis=2)
    delta = softplus(delta + b)
    return jax.lax.scan(step, jnp.zeros((xs.shape[1], d, s)), (delta * xs, delta, b_ts, c_ts))[1] + xs * skip


def matrix_lstm(params, xs):
    w, b = params
    n, h = xs.shape[1], (b.shape[0] - 2) // 4

    def step(state, p):
        (memory, norm, m_prev), (q, k, v, o, i, log_f) = state, p
        kept = log_f + m_prev
        m = jnp.maximum(kept, i)
        f, i = jnp.exp(kept - m), jnp.exp(i - m)
        memory = f[:, :, None] * memory + (i * v)[:, :, None] * k[:, None, :]
        norm = f * norm + i * k
        size = jnp.maximum(jnp.abs(jnp.sum(norm * q, axis=1, keepdims=True)), jnp.exp(-m))
        return (memory, norm, m), o * (memory @ q[:, :, None])[:, :, 0] / size

    q, k, v, o, i, f = jnp.split(xs @ w + b, [h, 2 * h, 3 * h, 4 * h, 4 * h + 1], axis=2)
    initial = jnp.zeros((n, h, h)), jnp.zeros((n, h)), jnp.zeros((n, 1))
    return jax.lax.scan(step, initial, (q, k / np.float32(np.sqrt(h)), v, sigmoid(o), i, -softplus(-f)))[1]


# The shapes of the parameters, the width of the output, the layer.
CELLS = {
    "ind_rnn": (lambda d, h: [(d, h), (h,), (h,)], lambda d, h: h, ind_rnn),
    "min_gru": (lambda d, h: [(d, 2 * h), (2 * h,)], lambda d, h: h, min_gru),
    "s6": (lambda d, h: [(d, d + 2 * h), (d,), (d, h), (d,)], lambda d, h: d, s6),
    "matrix_lstm": (lambda d, h: [(d, 4 * h + 2), (4 * h + 2,)], lambda d, h: h, matrix_lstm),
}


def measure(asked):
    n, t, d, h = asked.shape
    shapes, width, layer = CELLS[asked.cell]
    params = [noise(shape, 1 / np.sqrt(shape[0]), seed) for seed, shape in enumerate(shapes(d, h), 1)]
    xs = noise((n, t, d), 1, len(params) + 1).transpose(1, 0, 2)  # [T, N, D]
    dhs = noise((n, t, width(d, h)), 1, len(params) + 2).transpose(1, 0, 2)  # [T, N, H]
    params, xs, dhs = jax.tree.map(jnp.array, (params, xs, dhs))
    backward = jax.jit(jax.value_and_grad(lambda params, xs: jnp.vdot(layer(params, xs), dhs), argnums=(0, 1)))
    run = lambda: jax.block_until_ready(backward(params, xs))
    both = median(run, asked.once)
    norms = [float(jnp.linalg.norm(gradient)) for gradient in jax.tree.leaves(run()[1])]
    return {"version": jax.__version__, "both_us": both, "norms": norms}


answer(__doc__, measure, CELLS)
