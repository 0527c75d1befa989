"""The house as it was drawn: what may import what, sizes, words; and the linters as tests."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "lib" / "desktop"
MODULES = sorted(LIBRARY.rglob("*.py"))
SCRIPTS = sorted((ROOT / "cgi-bin").glob("*.py"))
# What each part may import besides itself. The keeper joins things, as the scripts do.
BELOW: dict[str, set[str]] = {
    "": set(),
    "host": {""},
    "machine": {"", "host"},
    "launch": {"", "session.record"},
    "session": {"", "host", "machine", "launch"},
    "freeze": {"", "host", "machine", "session", "launch"},
    "web": {"", "host", "machine", "session", "freeze", "auth", "mail"},
    "auth": {"", "mail"},
    "mail": {""},
}
KEEPER = LIBRARY / "session" / "keeper.py"
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}


def name_of(path: Path) -> str:
    """Return a file's path within the project."""
    return str(path.relative_to(ROOT))


def part_of(path: Path) -> str:
    """Return the room of a module of the library; the ground has no name."""
    inside = path.relative_to(LIBRARY).parts
    return inside[0] if len(inside) > 1 else ""


def imports(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every import of a file, also those within functions, as module names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name_of(path)}:{node.lineno} imports relatively"
            assert node.module
            if (LIBRARY.parent / node.module.replace(".", "/")).is_dir():
                yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
            else:
                yield node, node.module


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_there_is_a_house() -> None:
    assert len(MODULES) > 20
    assert [path.name for path in SCRIPTS] == ["admin.py", "create.py", "monitor.py"]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    if path == KEEPER:
        return
    part = part_of(path)
    allowed = BELOW[part] | {part}
    for node, module in imports(path):
        if module.startswith("desktop."):
            room, _, rest = module.removeprefix("desktop.").partition(".")
            assert (room if rest else "") in allowed or f"{room}.{rest}" in allowed, \
                f"{name_of(path)}:{node.lineno} imports {module}"


def test_modules_do_not_import_in_circles() -> None:
    known = {".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts): path
             for path in MODULES}
    top = {name: {module for node, module in imports(path)
                  if module in known and node.col_offset == 0}
           for name, path in known.items()}
    while free := [name for name, others in top.items() if not others & set(top)]:
        for name in free:
            del top[name]
    assert not top, f"import each other: {sorted(top)}"


def test_each_package_from_elsewhere_is_imported_by_one_module() -> None:
    importers: dict[str, set[str]] = {}
    for path in [*MODULES, *SCRIPTS]:
        for _, module in imports(path):
            package = module.split(".")[0]
            if package not in sys.stdlib_module_names | {"desktop"}:
                importers.setdefault(package, set()).add(name_of(path))
    assert importers, "no package is used at all?"
    assert not {package: files for package, files in importers.items() if len(files) > 1}


def test_programs_are_started_in_one_place() -> None:
    for path in [*MODULES, *SCRIPTS]:
        if path.name == "process.py":
            continue
        for node, module in imports(path):
            assert module != "subprocess", f"{name_of(path)}:{node.lineno}"
        text = path.read_text(encoding="utf-8")
        for word in ("shell=True", "os.system", "os.popen", "os.exec", "os.spawn"):
            assert word not in text, f"{name_of(path)} has {word}"


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=name_of)
def test_sizes_and_words(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (70 if path in SCRIPTS else 250), f"{lines} lines"
    assert path.stem not in FORBIDDEN_NAMES
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module says what it is for"
    for function in functions(tree):
        where = f"{function.name} in line {function.lineno}"
        assert (function.end_lineno or 0) - function.lineno < 40, f"{where} is long"
        if path in MODULES and not function.name.startswith("_") and not nested(tree, function):
            assert ast.get_docstring(function), f"{where} has no docstring"


def nested(tree: ast.Module, function: ast.AST) -> bool:
    """Tell whether a function stands within another one."""
    return any(function is not outer and function in ast.walk(outer)
               for outer in ast.walk(tree)
               if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef))


def test_tests_are_readable_too() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 260, f"{name_of(path)} has {lines} lines"


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline() -> None:
    pages = [*(ROOT / "html").rglob("*.html"), *(LIBRARY / "web/templates").rglob("*.html")]
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8").lower()
        for word in ("<script>", " onclick=", " onload=", " onsubmit=", " style=", "javascript:",
                     'src="http', 'src="//', 'href="//'):
            assert word not in text, f"{name_of(page)} has {word}"


def test_readme_has_the_table_of_settings() -> None:
    from desktop import commandline
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert commandline.readme_table() in readme


@pytest.mark.parametrize("tool", [
    ("mypy", "lib"), ("mypy", "apache/installer"), ("flake8",),
    ("isort", "--check", "--diff", "--quiet", ".")],
    ids=lambda tool: tool[0])
def test_linters(tool: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *tool], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_left_of_other_work() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True,
                           check=False).stdout.split()
    assert files
    for name in files:
        path = ROOT / name
        if path.is_symlink():  # within a machine's own files, where it leads is the machine's
            assert name.startswith("machines/recipes/roots/"), name
            continue
        assert path.stat().st_size < 1 << 20, f"{name} is large for a source"
        if os.access(path, os.X_OK):
            assert path.read_bytes().startswith(b"#!"), f"{name} is executable"
