"""The two pages of the server itself: one to drop a video on, one that tells of the interface. Nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Any
from urllib.parse import quote

from avloc.config import ModelConfig
from avloc.report.page import page_style
from avloc.serve.limits import MEGABYTE, Limits


def start_page(config: ModelConfig, limits: Limits) -> str:
    """HTML of the page at the server's root."""
    script = _static("start.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    style, mark = page_style()
    return Template(_static("start.html")).substitute(
        policy=f"script-src 'sha256-{digest}'",
        icon=quote(mark, safe=""),
        mark=mark,
        style=f"{style}\n{_static('start.css')}",
        script=script,
        most=limits.upload,
        model=escape(config.name),
        classes=len(config.labels),
        size=f"{limits.upload / MEGABYTE:g} MB and {_span(limits.video_s)}",
        kept=_span(limits.keep_s),
    )


def docs_page(schema: Mapping[str, Any]) -> str:
    """HTML of what an OpenAPI schema says."""
    style, mark = page_style()
    return Template(_static("docs.html")).substitute(
        icon=quote(mark, safe=""),
        mark=mark,
        style=style,
        version=escape(str(schema["info"]["version"])),
        sections="\n".join(
            _section(method, path, told)
            for path, methods in schema["paths"].items()
            for method, told in methods.items()
        ),
    )


def _section(method: str, path: str, told: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(what)}</td></tr>" for name, what in _rows(told))
    words = escape(told.get("description", told.get("summary", "")).replace("`", ""))
    return f"<section><h2>{method.upper()} {escape(path)}</h2><p>{words}</p><table>{rows}</table></section>"


def _rows(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for given in told.get("parameters", ()):
        if given["in"] == "query":
            default = given["schema"].get("default")
            unless = "" if default is None else f" Unless given: {str(default).lower()}."
            yield f"?{given['name']}", f"{given.get('description', '')}{unless}"
    for kind in told.get("requestBody", {}).get("content", {}):
        yield "body", kind
    for status, answer in told["responses"].items():
        yield status, answer["description"]


def _span(seconds: float) -> str:
    """A time in words."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} seconds"


def _static(name: str) -> str:
    return resources.files("avloc.serve").joinpath("static", name).read_text(encoding="utf-8").strip()
