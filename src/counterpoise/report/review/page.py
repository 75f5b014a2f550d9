"""A curation run as one HTML file in which a reader decides, text by text, what is exported.

Foreign text is kept harmless as in :mod:`counterpoise.report.html`, with one layer more because this page has a script:
its content security policy allows that one script by its hash, no request, and no markup made from strings. The script
writes text as text only.
"""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from counterpoise import __version__
from counterpoise.curation.decisions import FORMAT
from counterpoise.errors import DataError
from counterpoise.records import Manifest, iter_numbered, read_manifest, write_atomic
from counterpoise.report.review.cards import card, number
from counterpoise.report.visible import visible

__all__ = ["render", "write_review"]

_HERE = Path(__file__).parent
_SCRIPTS = ("diff.js", "dom.js", "card.js", "decisions.js", "page.js")
_STATUSES = {"ok": "revised", "parse_failed": "none passed", "model_failed": "reviser failed", "unscored": "not tried"}
_UNSAFE = re.compile("[<\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def write_review(folder: Path, out: Path | None = None) -> Path:
    """Write the review page of a curation run, whole or not at all, and return its path.

    A run that is not complete gives a page of the rows so far; one without rows gives a page that says so.

    Args:
        folder: the run folder.
        out: the file; ``review.html`` in the run folder by default.

    Raises:
        DataError: the folder holds no curation run, or a row cannot be read.
        OutputError: the file cannot be written.
    """
    manifest = read_manifest(folder)
    if manifest.kind != "curate":
        raise DataError(f"a run of kind {manifest.kind!r}", where=str(folder), expected="a curation run")
    rows = folder / "rows.jsonl"
    # A run that was killed may end in half a line, which the next resume removes.
    lines = iter_numbered(rows, drop_torn=True) if rows.exists() else ()
    out = out or folder / "review.html"
    write_atomic(out, render(manifest, [card(row, where=f"{rows} line {number}") for number, row in lines]))
    return out


def render(manifest: Manifest, cards: Sequence[Mapping[str, Any]]) -> str:
    """The document for the cards of a run, see :func:`~counterpoise.report.review.cards.card`."""
    config = manifest.config
    data = {
        "format": FORMAT,
        "run": manifest.run,
        "objective": str(config.get("objective", "")),
        "floor": number(config, "min_helpfulness"),
        "statuses": _STATUSES,
        "texts": cards,
    }
    style, script = _read("review.css"), _script()
    return (
        _environment()
        .get_template("review.html.j2")
        .render(
            version=__version__,
            run=manifest,
            policy=f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; base-uri 'none'; "
            "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            style=Markup(style),
            script=Markup(script),
            data=Markup(_json(data)),
            models={role: _model(config[role]) for role in ("reviser", "target", "judge") if config.get(role)},
            settings={
                name.replace("_", " "): value for name, value in config.items() if isinstance(value, str | int | float)
            },
            texts=len(cards),
            numbers=_numbers(cards),
            statuses={name: (said, count) for name, said in _STATUSES.items() if (count := _count(cards, name))},
            keywords=Counter(word for one in cards for word in one.get("keywords", ())).most_common(),
        )
    )


def _numbers(cards: Sequence[Mapping[str, Any]]) -> dict[str, float | int | None]:
    """What the header says of the revised texts; medians are of those that have both perplexities."""
    revised = [one for one in cards if "revised" in one]
    pairs = [(one["before"], one["after"]) for one in revised if "before" in one and "after" in one]
    return {
        "revised": len(revised),
        "before": _median(before for before, _ in pairs),
        "after": _median(after for _, after in pairs),
        "helpfulness": _median(one["helpfulness"] for one in revised if "helpfulness" in one),
    }


def _median(values: Iterable[float]) -> float | None:
    listed = list(values)
    return median(listed) if listed else None


def _count(cards: Sequence[Mapping[str, Any]], status: str) -> int:
    return sum(one.get("status") == status for one in cards)


def _model(model: Any) -> str:
    if not isinstance(model, Mapping):
        return str(model)
    return " @ ".join(str(model[part]) for part in ("name", "revision") if model.get(part))


def _json(value: Any) -> str:
    """JSON that ends no script element, that UTF-8 can hold, and in which no character acts on who views the source."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


@cache
def _script() -> str:
    """The page's script: its files in order, in one scope of their own."""
    return "(() => {\n" + "\n".join(_read(name) for name in _SCRIPTS) + "\n})();"


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """The policy's name for an inline style or script: its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else visible(str(value)),
    )
    environment.filters |= {
        "count": lambda value: f"{value:,}",
        "number": lambda value: "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}",
        "rate": lambda value: "–" if value is None else f"{value:.2f}",
    }
    return environment
