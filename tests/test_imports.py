"""What an import brings with it: detecting loads no torch, and `import avloc` loads next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"


def loaded(code: str) -> set[str]:
    """Top-level modules that a fresh process has loaded after `code`."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in run.stdout.splitlines()[-1].split()}


def test_import_avloc_loads_no_network_and_no_codec() -> None:
    assert loaded("import avloc").isdisjoint({"torch", "onnxruntime", "av", "tyro", "rich", "safetensors"})


@pytest.mark.parametrize("module", ["avloc.cli.main", "avloc.detector", "avloc.report.page"])
def test_detecting_loads_no_torch(module: str) -> None:
    assert loaded(f"import {module}").isdisjoint({"torch", "jaxtyping", "onnx", "fastapi", "uvicorn"})


def test_the_detector_is_there_when_asked_for() -> None:
    assert "onnxruntime" not in loaded("import avloc; assert avloc.Detector.__name__ == 'Detector'")
    loaded("import avloc\ntry: avloc.Detektor\nexcept AttributeError as e: assert 'Detektor' in str(e)\nelse: 1/0")
