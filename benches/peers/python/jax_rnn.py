"""JAX: a recurrent cell scanned over time, forward and backward, compiled."""

import jax
import jax.numpy as jnp

from shared import Problem, answer, median


def rnn(wh, p, h):
    h = jnp.tanh(p + h @ wh)
    return h, h


def lstm(wh, p, state):
    h, c = state
    i, f, g, o = jnp.split(p + h @ wh, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def gru(wh, p, h):
    (pr, pz, pn), (tr, tz, tn) = jnp.split(p, 3, axis=1), jnp.split(h @ wh, 3, axis=1)
    r, z = jax.nn.sigmoid(pr + tr), jax.nn.sigmoid(pz + tz)
    h = z * h + (1 - z) * jnp.tanh(pn + r * tn)
    return h, h


CELLS = {"rnn": rnn, "lstm": lstm, "gru": gru}


def measure(asked):
    problem = Problem(asked.cell, asked.shape)
    step, zeros = CELLS[asked.cell], jnp.zeros((problem.n, problem.h))
    initial = (zeros, zeros) if asked.cell == "lstm" else zeros

    def loss(wh, wx, b, xs, dhs):
        # The product with the input does not depend on the state, so it is one for all steps.
        hs = jax.lax.scan(lambda state, p: step(wh, p, state), initial, xs @ wx + b)[1]
        return jnp.vdot(hs, dhs)

    backward = jax.jit(jax.grad(loss, argnums=(0, 1, 2, 3)))
    arrays = [jnp.asarray(array) for array in (problem.wh, problem.wx, problem.b, problem.xs, problem.dhs)]
    run = lambda: jax.block_until_ready(backward(*arrays))
    both = median(run, asked.once)
    return {"version": jax.__version__, "both_us": both, "dwh_norm": float(jnp.linalg.norm(run()[0]))}


answer(__doc__, measure)
