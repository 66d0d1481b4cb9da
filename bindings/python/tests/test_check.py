"""What the package promises, with NumPy alone: run by pytest, or as a program without it."""

import sys
import traceback
from pathlib import Path

import numpy as np

from retrograde_check import CheckError, check

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "docs" / "notebook"))
from claims import RNN, TimeRNN  # the notebook's two layers, with its slips as switches


def raises(kind, run):
    """The exception of that very type which `run` raises."""
    try:
        run()
    except BaseException as raised:
        assert type(raised) is kind, f"expected {kind.__name__}, found {raised!r}"
        return raised
    raise AssertionError(f"expected {kind.__name__}, found nothing")


def step(sizes, slips=(), draw=0, **settings):
    """Checks one step of the notebook's RNN."""
    N, D, H = sizes
    rng = np.random.default_rng(draw)
    shapes = {"x": (N, D), "h_prev": (N, H), "Wx": (D, H), "Wh": (H, H), "b": (H,)}

    def forward(x, h_prev, Wx, Wh, b):
        return RNN(Wx, Wh, b, slips).forward(x, h_prev)

    def backward(dh_next, x, h_prev, Wx, Wh, b):
        layer = RNN(Wx, Wh, b, slips)
        layer.forward(x, h_prev)
        dx, dh_prev = layer.backward(dh_next)
        return (dx, dh_prev, *layer.grads)

    return check(forward, backward, {name: rng.normal(size=shape) for name, shape in shapes.items()}, **settings)


def sequence(sizes, slips=(), draw=0, **settings):
    """Checks the notebook's TimeRNN, from an initial state of zeros."""
    N, T, D, H = sizes
    rng = np.random.default_rng(draw)
    shapes = {"xs": (N, T, D), "Wx": (D, H), "Wh": (H, H), "b": (H,)}

    def forward(xs, Wx, Wh, b):
        return {"hs": TimeRNN(Wx, Wh, b, slips=slips).forward(xs)}

    def backward(dy, xs, Wx, Wh, b):
        layer = TimeRNN(Wx, Wh, b, slips=slips)
        layer.forward(xs)
        dxs = layer.backward(dy["hs"])
        return {"xs": dxs, "Wx": layer.grads[0], "Wh": layer.grads[1], "b": layer.grads[2]}

    inputs = {name: 0.6 * rng.normal(size=shape) for name, shape in shapes.items()}
    return check(forward, backward, inputs, time_axes={"xs": 1, "hs": 1}, **settings)


def test_the_right_layers_are_not_reported():
    for draw, sizes in enumerate([(2, 3, 4), (1, 1, 1), (3, 3, 3), (4, 1, 2)]):
        step(sizes, draw=draw).assert_ok()
    for draw, sizes in enumerate([(2, 5, 3, 4), (1, 4, 2, 3), (3, 1, 2, 2), (3, 5, 3, 7), (7, 5, 1, 4)]):
        report = sequence(sizes, draw=draw)
        report.assert_ok()
        assert report and report.wrong == []


def test_the_slip_of_the_notebook_is_named():
    # At N = D = H all shapes agree, and nothing but a check tells.
    report = step((3, 3, 3), ["dh_prev"])
    assert report.wrong == ["h_prev"] and not report
    # At N = D with another H, and at D = 1, NumPy broadcasts what it should refuse, from the second step on.
    for sizes in [(3, 5, 3, 3), (3, 5, 3, 7), (7, 5, 1, 4)]:
        assert sequence(sizes, ["dh_prev"]).wrong == ["xs", "Wx", "Wh", "b"], sizes
    # Elsewhere the gradient has another shape than its tensor, or NumPy refuses it: both as they are.
    error = raises(CheckError, lambda: step((2, 3, 4), ["dh_prev"]))
    assert str(error) == "check: expected a gradient of shape [2, 4] for h_prev, found [3, 4]"
    raises(ValueError, lambda: sequence((2, 5, 3, 4), ["dh_prev"]))


def test_gradients_that_are_thrown_away_are_named():
    report = sequence((2, 4, 3, 4), ["lost"])
    assert report.wrong == ["Wx", "Wh", "b"]
    assert "all zero" in report.text
    error = raises(AssertionError, report.assert_ok)
    assert str(error) == str(report) and str(report).startswith("gradient check: MISMATCH")


def test_an_exception_comes_out_as_itself():
    class OutOfLuck(Exception):
        pass

    def unlucky(calls):
        def forward(x):
            calls.append(x)
            if len(calls) == 3:
                raise OutOfLuck("no luck")
            return x * 2

        return forward

    raised = raises(OutOfLuck, lambda: check(unlucky([]), lambda dy, x: dy * 2, {"x": np.ones(2)}))
    assert raised.args == ("no luck",)
    frames = [frame.name for frame in traceback.extract_tb(raised.__traceback__)]
    assert frames[-1] == "forward", frames
    if sys.version_info >= (3, 11):
        assert raised.__notes__ == ["in call 3 of the forward function by a gradient check"]

    def backward(dy, x):
        return {}["x"]

    raises(KeyError, lambda: check(lambda x: x, backward, {"x": np.ones(2)}))

    def interrupted(x):
        raise KeyboardInterrupt

    raises(KeyboardInterrupt, lambda: check(interrupted, backward, {"x": np.ones(2)}))


def test_several_outputs_scalars_and_empty_arrays():
    def forward(x, a, nothing):
        return {"y": x * a, "sum": x.sum(), "none": nothing}

    def backward(dy, x, a, nothing):
        assert np.shape(dy["sum"]) == () and dy["none"].shape == (0, 3)
        return {"x": dy["y"] * a + dy["sum"], "a": (dy["y"] * x).sum(), "nothing": nothing}

    inputs = {"x": np.arange(6.0).reshape(2, 3).T, "a": 0.5, "nothing": np.zeros((0, 3))}
    report = check(forward, backward, inputs)
    report.assert_ok()
    assert "outputs: y [3, 2], sum [], none [0, 3]" in str(report)


def test_what_does_not_fit_is_refused():
    x = {"x": np.ones((2, 3))}
    error = raises(CheckError, lambda: check(lambda x: x, lambda dy, x: dy.T, x))
    assert str(error) == "check: expected a gradient of shape [2, 3] for x, found [3, 2]: is it transposed?"
    error = raises(CheckError, lambda: check(lambda x: x, lambda dy, x: (dy, dy), x))
    assert "expected a gradient of x, found 2 in all" in str(error)
    error = raises(CheckError, lambda: check(lambda x: x, lambda dy, x: {"z": dy}, x))
    assert str(error) == "check: expected one of x, found z"
    rng = np.random.default_rng(0)
    error = raises(CheckError, lambda: check(lambda x: x + rng.normal(), lambda dy, x: dy, x))
    assert "the layer is random or keeps state between calls" in str(error)
    raises(ValueError, lambda: check(lambda x: x, lambda dy, x: dy, x, colour="red"))
    raises(TypeError, lambda: check(lambda x: x, lambda dy, x: dy, x, seed="one"))
    error = raises(CheckError, lambda: check(lambda x: x, lambda dy, x: dy, x, directions=0))
    assert "at least one random direction" in str(error)


def test_settings_and_data():
    settings = {"seed": 4, "points": 2, "keep_entries": True, "taylor": True, "frozen": ("b",), "tolerance": 1e-7}
    report = step((2, 3, 4), **settings)
    report.assert_ok()
    data = report.to_dict()
    assert data["ok"] and data["seed"] == 4 and data["points"] == 2
    assert {row["name"] for row in data["rows"]} == {"x", "h_prev", "Wx", "Wh"}
    assert len(data["entries"]) == 2 * 8 * (6 + 8 + 12 + 16)
    assert "Taylor" in str(report) and "forward passes" in report.verbose
    wrong = step((3, 3, 3), ["dh_prev"], draw=2)
    assert wrong.mismatches[0]["name"] == "h_prev" and "h_prev" in repr(wrong)
    assert str(wrong) == str(step((3, 3, 3), ["dh_prev"], draw=2))


def test_bounds_and_what_is_not_verified():
    def forward(dt, x):
        if (dt < 0).any():
            raise ValueError("expected durations that are not negative")
        return np.exp(-dt) * np.maximum(x, 0)

    def backward(dy, dt, x):
        y = np.exp(-dt)
        return -dy * y * np.maximum(x, 0), dy * y * (x > 0)

    inputs = {"dt": np.array([0.0, 1e-3, 2.0]), "x": np.array([-0.5, -1.0, -2.0])}
    report = check(forward, backward, inputs, within={"dt": (0, None)})
    # All are off: no output moves.
    assert report.ok
    raises(AssertionError, report.assert_ok)
    assert report.unverified == 6 and "6 of 6 elements not verified" in str(report)
    raises(AssertionError, report.assert_verified)
    inputs["x"] = abs(inputs["x"])
    check(forward, backward, inputs, within={"dt": (0, None)}, largest_step={"x": 0.1}).assert_verified()


if __name__ == "__main__":
    tests = [(name, test) for name, test in list(globals().items()) if name.startswith("test_")]
    for name, test in tests:
        test()
        print(name, "ok")
    print(f"{len(tests)} passed, 0 failed")
