"""The import rules that keep data flowing one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import counterpoise

ROOT = Path(counterpoise.__file__).parent
MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def imports(module: Path) -> set[str]:
    """Absolute names of everything a module imports, at any depth of its code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def importers(package: str) -> set[str]:
    return {
        str(module)
        for module in MODULES
        if any(name == package or name.startswith(package + ".") for name in imports(module))
    }


@pytest.mark.parametrize("half", ["counterfactual"])
def test_the_two_halves_never_import_each_other(half):
    others = ("curation", "customization", "safety")
    for other in others:
        assert not {m for m in importers(f"counterpoise.{other}") if m.startswith(half)}
        assert not {m for m in importers(f"counterpoise.{half}") if m.startswith(other)}


def test_curation_knows_nothing_of_safety_or_customization():
    for other in ("customization", "safety"):
        assert not {m for m in importers(f"counterpoise.{other}") if m.startswith("curation")}


def test_data_flows_one_way_through_the_lab():
    """From the attack and the examples to the plan, the data, the results and the run."""
    order = ["plan", "data", "results", "lab"]
    for number, room in enumerate(order):
        using = importers(f"counterpoise.customization.{room}")
        earlier = ("attack", "examples", "finetune", *order[:number])
        assert not {m for m in using if m.startswith(tuple(f"customization/{name}/" for name in earlier))}, room


def test_lm_is_below_everything():
    for other in ("counterfactual", "curation", "customization", "safety", "report"):
        assert not {m for m in importers(f"counterpoise.{other}") if m.startswith("lm/")}


def test_only_the_program_imports_the_command_line():
    assert {m for m in importers("counterpoise.cli") if not m.startswith("cli/")} <= {"__main__.py"}


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("transformers", ("lm/",)),
        ("llguidance", ("lm/",)),
        ("trl", ("customization/finetune/", "doctor/masking.py")),
        ("peft", ("customization/finetune/", "lm/")),
        ("accelerate", ("customization/finetune/",)),
        (
            "inspect_ai",
            (
                "lm/inspect_provider.py",
                "lm/hosted.py",
                "counterfactual/asking.py",
                "counterfactual/tasks.py",
                "safety/tasks.py",
            ),
        ),
        ("altair", ("report/charts/",)),
        (
            "PIL",
            (
                "lm/images.py",
                "lm/vision.py",
                "counterfactual/suite/render/scene.py",
                "counterfactual/tools/image.py",
            ),
        ),
        ("textblob", ("counterfactual/tools/text.py",)),
        ("pint", ("counterfactual/tools/units.py",)),
        ("ray", ("scale.py",)),
        ("py3langid", ("curation/gates.py",)),
        ("yake", ("curation/seeds/",)),
        ("pypdf", ("curation/seeds/",)),
        ("markdown_it", ("curation/seeds/",)),
        ("pyarrow", ("curation/inputs/", "curation/export/")),
        ("click", ("cli/",)),
    ],
)
def test_a_library_is_imported_in_its_room_only(package, allowed):
    assert {m for m in importers(package) if not m.startswith(allowed)} == set()


@pytest.mark.parametrize("module", ["counterpoise", "counterpoise.cli", "counterpoise.lm", "counterpoise.lm.names"])
def test_import_is_light(module):
    heavy = {"torch", "transformers", "inspect_ai", "altair", "trl"}
    script = f"import sys, {module}; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_every_public_name_exists():
    for module in MODULES:
        tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
        exported = [
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
        ]
        defined = {
            name
            for node in tree.body
            for name in (
                [node.name]
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                else [t.id for target in node.targets for t in ast.walk(target) if isinstance(t, ast.Name)]
                if isinstance(node, ast.Assign)
                else [node.target.id]
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
                else [alias.asname or alias.name for alias in node.names]
                if isinstance(node, ast.Import | ast.ImportFrom)
                else []
            )
        }
        for value in exported:
            names = ast.literal_eval(value)
            assert names == sorted(set(names)) or set(names) <= defined
            assert set(names) <= defined, f"{module}: {set(names) - defined}"
