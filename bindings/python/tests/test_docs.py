"""The programs of the docs that need NumPy alone."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def programs(page):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def test_the_page_on_checking():
    (program,) = programs("docs/checking.md")
    exec(program, {})


def test_the_readme():
    space = {}
    exec(programs("bindings/python/README.md")[0], space)
    space["test_gradients"]()


def test_the_docstring():
    import retrograde_check

    exec(re.sub("^    ", "", retrograde_check.__doc__.split("\n\n", 1)[1], flags=re.MULTILINE), {})


if __name__ == "__main__":
    test_the_page_on_checking()
    test_the_readme()
    test_the_docstring()
