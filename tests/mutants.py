"""Mutation tests of the pure modules: `python tests/mutants.py [module ...] [--sample N] [--seed N]`.

Each mutant changes one operator or constant of a module. A forked process imports the package with that change and runs
the module's tests; a mutant that passes them has survived. The exit status is 1 if fewer than 90 % were killed.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
GOAL, TIMEOUT = 0.9, 120
_MODELS = "tests/models"
#: The modules, each with its tests.
TARGETS = {
    "kling_nb.models.rules": [f"{_MODELS}/test_rules.py", f"{_MODELS}/test_mentions.py", f"{_MODELS}/test_request.py"],
    "kling_nb.models.price": [f"{_MODELS}/test_price.py", f"{_MODELS}/test_usage.py"],
    "kling_nb.models.usage": [f"{_MODELS}/test_usage.py"],
    "kling_nb.engine.states": ["tests/engine/test_states.py"],
    "kling_nb.engine.pace": ["tests/engine/test_pace.py"],
    "kling_nb.engine.settler": ["tests/models/test_matching.py", "tests/engine/test_settler.py"],
    "kling_nb.retry": ["tests/test_retry.py"],
}
#: Of the package and its tests, imported once for all processes.
_LIBRARIES = [
    "PIL.Image", "_hypothesis_pytestplugin", "anyio.pytest_plugin", "av", "filelock", "httpx", "hypothesis", "jinja2",
    "numpy", "pandas", "platformdirs", "pydantic", "pytest", "pytest_asyncio.plugin", "pytest_timeout", "rfc8785",
    "sqlalchemy.dialects.sqlite", "tenacity", "xdist.plugin",
]  # fmt: skip
_SWAPS: dict[type[ast.AST], type[Any]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.USub: ast.UAdd,
}  # fmt: skip


def mutants(file: Path) -> Iterator[tuple[int, str, CodeType]]:
    """Yield every mutant of a module: the line, the change, and the code."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in _expressions(tree):
        before = ast.unparse(node)
        for _ in _changes(node):
            code = compile(ast.fix_missing_locations(tree), str(file), "exec")
            yield node.lineno, f"{before}  ->  {ast.unparse(node)}", code


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that compute something: not those of annotations, decorators, texts and model configs."""
    if isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Assign) and "model_config" in ast.unparse(node.targets)
    ):
        return
    if isinstance(node, ast.expr):
        yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list", "bases"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _expressions(child)


def _changes(node: Any) -> Iterator[None]:
    """Change an expression in place in each way, yield, and change it back."""
    match node:
        case ast.Compare():
            for index, op in enumerate(node.ops):
                node.ops[index] = _SWAPS[type(op)]()
                yield
                node.ops[index] = op
        case ast.BoolOp(op=op) | ast.BinOp(op=op) | ast.UnaryOp(op=op) if type(op) in _SWAPS:
            node.op = _SWAPS[type(op)]()
            yield
            node.op = op
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            node.operand = ast.UnaryOp(ast.Not(), operand)
            yield
            node.operand = operand
        case ast.Constant(value=bool() | int() | float() as value):
            node.value = not value if isinstance(value, bool) else value + 1
            yield
            node.value = value
        case _:
            return


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with other code."""

    def __init__(self, name: str, file: Path, code: CodeType) -> None:
        self.name, self.file, self.code = name, file, code

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, self.file, loader=self) if name == self.name else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, vars(module))  # noqa: S102 - the module itself, with one change


def survives(mutated: _Mutated | None, tests: Sequence[str]) -> bool:
    """Return whether the tests pass in their own process, with one module mutated."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        if mutated:
            sys.meta_path.insert(0, mutated)
        import pytest

        code = 1
        try:
            quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
            code = int(pytest.main(["-x", "--hypothesis-seed=0", *quiet, *tests]))
        finally:
            os._exit(code)
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main() -> int:
    """Run the mutants of the chosen modules, and print the survivors and the share of those killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=list(TARGETS), metavar="module")
    parser.add_argument("--sample", type=int, default=0, help="mutants of each module (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for library in _LIBRARIES:
        importlib.import_module(library)
    total = killed = 0
    for module in options.modules:
        tests, file = TARGETS[module], ROOT / f"{module.replace('.', '/')}.py"
        if not survives(None, tests):
            raise SystemExit(f"{module}: the tests fail without a mutant")
        found = list(mutants(file))
        if 0 < options.sample < len(found):
            found = random.Random(options.seed).sample(found, options.sample)  # noqa: S311 - not a secret
        survivors = 0
        for line, change, code in found:
            if survives(_Mutated(module, file, code), tests):
                survivors += 1
                print(f"  line {line}: {change}", flush=True)
        total, killed = total + len(found), killed + len(found) - survivors
        print(f"{module}: {len(found) - survivors} of {len(found)} killed", flush=True)
    print(f"{killed} of {total} mutants killed: {killed / total:.0%}")
    return 0 if killed >= GOAL * total else 1


if __name__ == "__main__":
    raise SystemExit(main())
