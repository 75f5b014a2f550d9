from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

HANDBOOK = """# Care at home

Smoke inhalation is the breathing of harmful gases from a fire. A detector warns of smoke inhalation in time.

Smoke inhalation, like a gas leak, is best prevented. A gas leak means that fuel gets out of a pipe into a room.
Call for help in case of a gas leak. The painted birdhouse is on the veranda, and the painted birdhouse is blue.
"""
GUIDE = """Gas leaks and smoke inhalation: what to do.

Leave the room in case of a gas leak. The painted birdhouse can wait. After smoke inhalation, see a doctor.
"""


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF by hand: a page for each list, a line of text for each of its strings."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, lines in enumerate(pages):
        shown = " ".join(f"({line}) Tj T*" for line in lines)
        stream = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET" if lines else ""
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>"
            f" /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    text, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(text))
        text += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    text += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n"
    return f"{text}{text.index('xref')}\n%%EOF\n".encode("latin-1")


@pytest.fixture
def make_pdf() -> Callable[[Sequence[Sequence[str]]], bytes]:
    return pdf


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder of two documents about two dangers and a birdhouse."""
    folder = tmp_path / "shelf"
    (folder / "more").mkdir(parents=True)
    (folder / "handbook.md").write_text(HANDBOOK)
    (folder / "more" / "guide.txt").write_text(GUIDE)
    return folder
