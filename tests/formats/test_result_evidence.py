"""How surely events are seen and heard, where a result says so."""

from __future__ import annotations

import json
from pathlib import Path

from avloc.formats.activitynet import read_results
from avloc.formats.evidence import read_evidence

ROW = {"segment": [1.0, 2.5], "label": "dog", "score": 0.5}


def test_evidence_is_read_where_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.events.json"
    odd = [{"visual": 0.5}, {"visual": "x", "audio": 1}, [1, 2], None, {"visual": 1e999, "audio": 0}]
    rows = [{**ROW, "evidence": {"visual": 0.75, "audio": 0.25}}, ROW]
    rows += [{**ROW, "label": f"odd {k}", "evidence": told} for k, told in enumerate(odd)]
    path.write_text(json.dumps({"results": {"a": rows}}), "utf-8")
    assert read_evidence(path, "a") == {(1.0, 2.5, "dog"): (0.75, 0.25)}
    assert len(read_results(path)["a"]) == len(rows)  # those who do not know of it are not troubled


def test_a_file_without_it_has_none(tmp_path: Path) -> None:
    path = tmp_path / "a.events.json"
    for text in ("{", "[]", '{"results": []}', json.dumps({"results": {"b": [ROW]}})):
        path.write_text(text, "utf-8")
        assert read_evidence(path, "a") == {}
    assert read_evidence(tmp_path / "gone.csv", "a") == {} == read_evidence(tmp_path / "gone.json", "a")
