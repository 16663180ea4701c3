import doctest
import importlib
import pkgutil

import pytest

from thumbwheel import stats

MODULES = [name for _, name, _ in pkgutil.iter_modules(stats.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    module = importlib.import_module(f"thumbwheel.stats.{name}")
    assert doctest.testmod(module).failed == 0


def test_there_are_modules_to_check() -> None:
    assert {"alpha", "estimate", "interval", "kappa", "survival"} <= set(MODULES)
