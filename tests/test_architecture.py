"""The shape of the code: imports go one way, functions stay small, models open in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ORDER = ("evalsuite", "transfer", "compress", "recipes")
# Inside `recipes` too, the first is the lowest; `stages` here is `stages/_shared`.
LAYERS = (
    *("errors", "torchrun", "naming", "hashing"),
    *(
        "stages",
        "parsing",
        "planning",
        "execution",
        "cluster",
        "search",
        "run",
        "drafting",
        "cli",
        "api",
    ),
)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path) -> set[str]:
    """Packages that a file imports, wherever in the file."""
    return {name.split(".")[0] for name in _imported_names(path)}


@cache
def _imported_names(path: Path) -> frozenset[str]:
    """Modules and their contents that a file imports, under TYPE_CHECKING too."""
    names = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


@cache
def _modules() -> dict[str, Path]:
    """Every module of the four packages by its name."""
    files = [path for package in ORDER for path in sorted((ROOT / package).rglob("*.py"))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    return {name.removesuffix(".__init__"): path for name, path in zip(names, files, strict=True)}


@cache
def _import_graph() -> dict[str, set[str]]:
    """Module -> modules of ours that it imports."""
    modules = _modules()
    graph = {}
    for name, path in modules.items():
        imported = _imported_names(path)
        ours = {one if one in modules else one.rpartition(".")[0] for one in imported}
        graph[name] = (ours & modules.keys()) - {name}
    return graph


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    """Everything that a module imports, directly or not."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


def test_no_modules_import_each_other() -> None:
    graph = _import_graph()
    assert len(graph) > 300 and sum(map(len, graph.values())) > 800
    reached = {name: _reached(graph, name) for name in graph}
    circles = {
        frozenset({name, *(other for other in reached[name] if name in reached[other])})
        for name in graph
        if name in reached[name]
    }
    found = "; ".join(", ".join(sorted(circle)) for circle in circles)
    assert not circles, f"these modules import each other: {found}"


def test_packages_import_only_earlier_packages() -> None:
    for name, imported in _import_graph().items():
        allowed = ORDER[: ORDER.index(name.split(".")[0]) + 1]
        later = [one for one in sorted(imported) if one.split(".")[0] not in allowed]
        assert not later, f"{name} imports {later}; the order is {' <- '.join(ORDER)}"


def test_recipes_imports_only_lower_layers() -> None:
    seen = 0
    for name, imported in _import_graph().items():
        package, _, rest = name.partition(".")
        if package != "recipes" or not rest:
            continue
        seen += 1
        layer = rest.split(".")[0]
        for other in sorted(imported):
            package, _, rest = other.partition(".")
            if package == "recipes":
                lower = LAYERS.index(rest.split(".")[0]) <= LAYERS.index(layer)
                assert lower, f"{name} imports {other}; the order is {' <- '.join(LAYERS)}"
            if other.startswith("recipes.stages."):
                shared = other.startswith("recipes.stages._shared.")
                assert shared, f"{name} imports {other}; stage files are loaded by name"
    assert seen > 50


# Modules and functions over the limits. May only become shorter. Commit ecc561c had no module over
# 350 lines, 6 functions over 80 lines and 9 over 8 arguments.
MODULE_LINES, FUNCTION_LINES, ARGUMENTS = 350, 80, 8
LONG_MODULES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()
MANY_ARGUMENTS = {
    "recipes.cli.app.run",  # commands: Typer makes an option of each argument
    "recipes.cli.app.plan",
    "recipes.cli.draft_commands.init",
    "recipes.cli.draft_commands.shrink",
}


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function in a module by its dotted name."""
    for node in ast.iter_child_nodes(tree):
        inner = prefix
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = f"{prefix}.{node.name}"
        if isinstance(node, ast.FunctionDef):
            yield inner, node
        yield from _functions(node, inner)


def _argument_count(function: ast.FunctionDef) -> int:
    """Arguments that a caller gives: without `self` and `cls`."""
    taken = function.args
    positional = [argument.arg for argument in (*taken.posonlyargs, *taken.args)]
    count = len(positional) + len(taken.kwonlyargs)
    return count - (positional[:1] in (["self"], ["cls"]))


def _require_shrinking(what: str, over: set[str], listed: set[str]) -> None:
    print(f"{what}: {len(over)} over the limit")
    assert not over - listed, f"{what}: over the limit: {sorted(over - listed)}"
    assert not listed - over, f"{what}: within the limit, off the list: {sorted(listed - over)}"


def test_functions_and_modules_stay_small() -> None:
    long_modules, long_functions, many_arguments = set(), set(), set()
    seen = 0
    for module, path in _modules().items():
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > MODULE_LINES:
            long_modules.add(module)
        for name, function in _functions(ast.parse(text), module):
            seen += 1
            assert function.end_lineno is not None
            if function.end_lineno - function.lineno + 1 > FUNCTION_LINES:
                long_functions.add(name)
            if _argument_count(function) > ARGUMENTS:
                many_arguments.add(name)
    assert seen > 1000
    _require_shrinking(f"modules over {MODULE_LINES} lines", long_modules, LONG_MODULES)
    _require_shrinking(f"functions over {FUNCTION_LINES} lines", long_functions, LONG_FUNCTIONS)
    _require_shrinking(f"functions over {ARGUMENTS} arguments", many_arguments, MANY_ARGUMENTS)


def test_openvino_is_imported_in_one_place() -> None:
    importers = [
        path.name
        for package in ORDER
        for path in (ROOT / package).rglob("*.py")
        if "openvino" in _imports(path)
    ]
    assert importers == ["_openvino.py"]


def _calls(path: Path) -> Iterator[tuple[str, str]]:
    """What is called in a file: the object as it is written, and its method."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr


OPENING = {"from_pretrained", "from_config", "load_adapter", "pipeline"}


def test_everything_is_opened_in_one_place() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for package in (*ORDER, "benchmarks")
        for path in (ROOT / package).rglob("*.py")
        if any(method in OPENING for _, method in _calls(path))
    }
    print(found)
    inside = {path for path in found if path.startswith("evalsuite/opening/")}
    assert inside and found == inside, f"open models with evalsuite.opening: {found - inside}"


# Names of a class or of a path that belong to one family, outside its file: file -> why.
CONVERTS = {"transfer/models/to_xlmr.py": "it moves a BERT's tensors to the places of an XLM-R's"}


def _family_names() -> re.Pattern[str]:
    """What families call their classes in transformers, and paths of two names or more."""
    from evalsuite.registry import FAMILIES

    families = [FAMILIES.get(name) for name in FAMILIES.names()]
    paths = {path for f in families for path in (f.stack, f.words, f.final_norm) if path}
    for layer in (family.layer for family in families):
        paths |= {value for value in asdict(layer).values() if isinstance(value, str)}
        paths |= set(layer.relative)
    dotted = "|".join(
        r"\\*\.".join(map(re.escape, path.split("."))) for path in sorted(paths) if "." in path
    )
    classes = "|".join(sorted(family.classes for family in families))
    return re.compile(rf"\b(?:{dotted})\b|\b(?:{classes})(?:For|Model|Config|Tokenizer)")


def _without_docstrings(path: Path) -> str:
    """A module's code alone, whose docstrings may hold examples."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(...)
    return ast.unparse(tree)


def test_a_familys_names_are_in_its_file() -> None:
    names = _family_names()
    assert names.search("encoder.layer") and names.search(r"a\.encoder\.layer\.\d")
    assert names.search("XLMRobertaForMaskedLM") and not names.search("XLM-R: layers")
    inside, found = set(), set()
    for path in _modules().values():
        relative = path.relative_to(ROOT).as_posix()
        if names.search(_without_docstrings(path)):
            (inside if relative.startswith("evalsuite/families/") else found).add(relative)
    assert len(inside) == 5
    assert found == set(CONVERTS), "use evalsuite.find_family"


def test_nothing_unpickles_or_runs_remote_code() -> None:
    for package in ORDER:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert "pickle" not in _imports(path), path
            assert "torch.load(" not in text and "trust_remote_code=True" not in text, path
