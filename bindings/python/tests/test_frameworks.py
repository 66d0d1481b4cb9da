"""Layers of PyTorch and JAX, where these are installed. The README shows the same."""

import importlib.util

import numpy as np

from retrograde_check import check

INPUTS = {
    name: np.random.default_rng(seed).normal(size=shape)
    for seed, (name, shape) in enumerate({"x": (3, 2), "h": (3, 4), "wx": (2, 4), "wh": (4, 4)}.items())
}


def installed(name):
    if importlib.util.find_spec(name) is None:
        print(f"skipped: {name} is not installed")
        return False
    return True


def torch_layer(wrong):
    import torch

    class Step(torch.autograd.Function):
        """h = tanh(x wx + h wh), with a backward pass by hand."""

        @staticmethod
        def forward(ctx, x, h, wx, wh):
            y = torch.tanh(x @ wx + h @ wh)
            ctx.save_for_backward(x, h, wx, wh, y)
            return y

        @staticmethod
        def backward(ctx, dy):
            x, h, wx, wh, y = ctx.saved_tensors
            dt = dy * (1 - y**2)
            return dt @ wx.T, dt @ (wh if wrong else wh.T), x.T @ dt, h.T @ dt

    def forward(**inputs):
        return Step.apply(*[torch.tensor(value) for value in inputs.values()]).numpy()

    def backward(dy, **inputs):
        leaves = [torch.tensor(value, requires_grad=True) for value in inputs.values()]
        gradients = torch.autograd.grad(Step.apply(*leaves), leaves, torch.tensor(dy))
        return [gradient.numpy() for gradient in gradients]

    return forward, backward


def test_pytorch():
    if installed("torch"):
        check(*torch_layer(False), INPUTS).assert_ok()
        assert check(*torch_layer(True), INPUTS).wrong == ["h"]


def jax_layer(wrong):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    @jax.custom_vjp
    def step(x, h, wx, wh):
        return jnp.tanh(x @ wx + h @ wh)

    def saved(x, h, wx, wh):
        y = step(x, h, wx, wh)
        return y, (x, h, wx, wh, y)

    def pullback(saved, dy):
        x, h, wx, wh, y = saved
        dt = dy * (1 - y**2)
        return dt @ wx.T, dt @ (wh if wrong else wh.T), x.T @ dt, h.T @ dt

    step.defvjp(saved, pullback)

    def forward(**inputs):
        return step(*inputs.values())

    def backward(dy, **inputs):
        return jax.vjp(step, *inputs.values())[1](dy)

    return forward, backward


def test_jax():
    if installed("jax"):
        check(*jax_layer(False), INPUTS).assert_ok()
        assert check(*jax_layer(True), INPUTS).wrong == ["h"]


if __name__ == "__main__":
    test_pytorch()
    test_jax()
