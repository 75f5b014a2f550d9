import hashlib
import io
import json
import threading
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from counterpoise.counterfactual.datasets import DATASETS
from counterpoise.counterfactual.datasets.dataset import Dataset, Download
from counterpoise.counterfactual.datasets.fetch import LOG, address, fetch, state, unpinned
from counterpoise.errors import DataError, OutputError

CONTENT = b'{"a": 1}\n'
SHA = hashlib.sha256(CONTENT).hexdigest()


def dataset(*downloads: Download, obtain: str = "", by_hand: tuple[str, ...] = ()) -> Dataset:
    return Dataset(
        name="hand",
        title="t",
        modality="text",
        gold_kind="published",
        source="https://example.org",
        revision="1",
        licence="MIT",
        files=(*(download.path for download in downloads), *by_hand),
        downloads=downloads,
        obtain=obtain,
        read=lambda data: ([], []),
    )


def one(sha256: str | None = SHA, path: str = "hand/a.jsonl") -> Download:
    return Download(path=path, repository="owner/name", revision="v1", file="a.jsonl", sha256=sha256)


def test_a_file_is_fetched_once_and_written_down(tmp_path: Path) -> None:
    asked = []

    def source(where: str) -> io.BytesIO:
        asked.append(where)
        return io.BytesIO(CONTENT)

    (first,) = fetch(dataset(one()), tmp_path / "data", open_address=source)
    (again,) = fetch(dataset(one()), tmp_path / "data", open_address=source)
    assert (first.state, again.state) == ("fetched", "present")
    assert asked == ["https://raw.githubusercontent.com/owner/name/v1/a.jsonl"]
    assert (tmp_path / "data/hand/a.jsonl").read_bytes() == CONTENT
    (line,) = (tmp_path / "data" / LOG).read_text().splitlines()
    assert json.loads(line)["sha256"] == SHA
    assert json.loads(line)["revision"] == "v1"


def test_other_bytes_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"expected {SHA}"):
        fetch(dataset(one()), tmp_path, open_address=lambda _: io.BytesIO(b"<html>"))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "hand").mkdir()
    (tmp_path / "hand/a.jsonl").write_bytes(b"mine")

    def never(_: str) -> io.BytesIO:
        raise AssertionError("asked")

    (found,) = fetch(dataset(one()), tmp_path, open_address=never)
    assert found.state == "kept"
    assert (tmp_path / "hand/a.jsonl").read_bytes() == b"mine"
    assert state(one(), tmp_path) == "differs"
    assert unpinned(dataset(one(), one(None)), tmp_path) == ["hand/a.jsonl"]
    assert state(one(None), tmp_path) == "unknown"
    assert state(one(path="hand/b.jsonl"), tmp_path) == state(one(), None) == "absent"


def test_a_connection_that_breaks_is_one_line_and_keeps_what_came_before(tmp_path: Path) -> None:
    class Breaks(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("reset by peer")

    streams = iter([io.BytesIO(CONTENT), Breaks()])
    both = dataset(one(), one(path="hand/b.jsonl"))
    with pytest.raises(DataError, match=r"cannot be fetched.*put it at") as caught:
        fetch(both, tmp_path, open_address=lambda _: next(streams))
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in (tmp_path / "hand").iterdir()) == ["a.jsonl"]
    rest = fetch(both, tmp_path, open_address=lambda _: io.BytesIO(CONTENT))
    assert [found.state for found in rest] == ["present", "fetched"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "hand").write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        fetch(dataset(one()), tmp_path, open_address=lambda _: io.BytesIO(CONTENT))


def test_what_cannot_be_fetched_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="ask its authors"):
        fetch(dataset(obtain="ask its authors", by_hand=("hand/b.csv",)), tmp_path)
    with pytest.raises(DataError, match="needs no files"):
        fetch(dataset(), tmp_path)


def test_over_a_real_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    (tmp_path / "source/owner/name/v1").mkdir(parents=True)
    (tmp_path / "source/owner/name/v1/a.jsonl").write_bytes(CONTENT)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "source"))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            base = f"http://127.0.0.1:{server.server_port}"
            real = urllib.request.urlopen

            def near(request: urllib.request.Request, timeout: float) -> object:
                request.full_url = base + request.full_url.removeprefix("https://raw.githubusercontent.com")
                return real(request, timeout=timeout)

            monkeypatch.setattr(urllib.request, "urlopen", near)
            monkeypatch.setenv("no_proxy", "*")
            (found,) = fetch(dataset(one()), tmp_path / "data")
            assert found.sha256 == SHA
            absent = Download(path="hand/c", repository="owner/name", revision="v1", file="c")
            with pytest.raises(DataError, match=r"(?i)not found"):
                fetch(dataset(absent), tmp_path / "data")
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("name", DATASETS)
def test_registered_downloads_are_pinned(name: str) -> None:
    registered = DATASETS[name]
    assert registered.title
    assert registered.roles or not registered.files
    if registered.files:
        assert registered.downloads or registered.obtain
    for download in registered.downloads:
        assert download.path in registered.files or any(
            download.path.startswith(f.rsplit("/", 1)[0]) for f in registered.files
        )
        assert address(download).startswith("https://")
        # A moving branch is no pin; where no commit can be known, the digest is written down when it is fetched.
        assert len(download.revision) == 40 or download.revision == "main"


def test_the_files_at_hand_are_the_pinned_ones(data: Path) -> None:
    states = {
        (name, download.path): state(download, data)
        for name, registered in DATASETS.items()
        for download in registered.downloads
    }
    assert "pinned" in states.values()
    assert [where for where, found in states.items() if found == "differs"] == []
