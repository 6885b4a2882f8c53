"""Every kernel that formulas call can be compiled before anyone waits for it."""

import ast
from importlib import import_module
from pathlib import Path

import trading.pricing
from trading.pricing import compile_kernels

FOLDER = Path(trading.pricing.__file__).parent


def called_kernels() -> set[tuple[str, str]]:
    """Return module and name of what files that hold no kernels import from those that do."""
    return {
        (node.module, each.name)
        for file in FOLDER.rglob("*.py")
        if not file.stem.endswith("_kernels")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.endswith("_kernels")
        for each in node.names
    }


def test_each_is_compiled_for_the_arrays_that_it_is_called_with():
    kernels = [
        kernel
        for module, name in sorted(called_kernels())
        if hasattr(kernel := getattr(import_module(module), name), "signatures")
    ]
    for step in compile_kernels.STEPS:
        step()

    assert len(kernels) > 10
    assert [kernel.__name__ for kernel in kernels if not kernel.signatures] == []
