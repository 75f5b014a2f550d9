"""The page of results: every benchmark rewrites its own sections."""

from pathlib import Path

__all__ = ["write_section"]

RESULTS = Path(__file__).parent / "RESULTS.md"


def write_section(name: str, text: str) -> None:
    """Put a section into RESULTS.md, in place of an earlier one of that name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Benchmark results\n"
    if begin in old and end in old:
        before, after = old.split(begin, 1)[0], old.split(end, 1)[1]
    else:
        before, after = old.rstrip("\n") + "\n\n", ""
    RESULTS.write_text(before + begin + text + end + after, encoding="utf-8")
