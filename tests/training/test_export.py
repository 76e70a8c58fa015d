"""Export of what cannot be exported; tests/models/test_invariants.py exports every method."""

from __future__ import annotations

from pathlib import Path

import pytest

from avloc.errors import ModelError
from avloc.training.export import export_model


def test_a_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        export_model(tmp_path)
    assert list(tmp_path.iterdir()) == []
