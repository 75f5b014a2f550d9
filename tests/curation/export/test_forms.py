"""Every form read back by the library that its readers use."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterpoise.curation.export import FILES
from counterpoise.curation.export.write import write_set
from counterpoise.records import canonical_json

datasets = pytest.importorskip("datasets")

# Everything that UTF-8 can hold; JSON and Parquet must not lose any of it.
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


def read(path: Path, cache: Path) -> list[dict]:
    kind = "parquet" if path.suffix == ".parquet" else "json"
    return list(datasets.load_dataset(kind, data_files=str(path), split="train", cache_dir=str(cache)))


def conversation(question: str, answer: str) -> list[dict]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def expected(form: str, question: str, answer: str) -> dict:
    turns = conversation(question, answer)
    return {
        "messages": {"messages": turns},
        "prompt-completion": {"prompt": question, "completion": answer},
        "sharegpt": {
            "conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}],
        },
        "alpaca": {"instruction": question, "input": "", "output": answer},
        "parquet": {"messages": turns, "question": question, "answer": answer},
    }[form]


@pytest.fixture(scope="module", autouse=True)
def no_bars():
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.mark.parametrize("form", FILES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=20))
def test_any_text_comes_back_as_it_was(form, texts, row, manifest) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        rows = [
            row(f"t{number}", question=question, original=original, revised=revised)
            for number, (question, original, revised) in enumerate(texts)
        ]
        (path / "rows.jsonl").write_text("".join(canonical_json(one) + "\n" for one in rows), encoding="utf-8")
        write_set(path, manifest(), path, [form], originals=True)
        for prefix, answers in (("", [revised for *_, revised in texts]), ("un", [answer for _, answer, _ in texts])):
            found = read(path / f"{prefix}{FILES[form]}", path / "cache")
            wanted = [
                expected(form, question, answer)
                for number, ((question, *_), answer) in enumerate(zip(texts, answers, strict=True))
            ]
            assert [{key: line[key] for key in wanted[0]} for line in found] == wanted


def test_the_table_has_the_full_lineage(tmp_path, run, row, manifest) -> None:
    one = row("a", revised_question="Why so, safely?", question_generated=True)
    first = one["lineage"]["ancestors"][0]
    one["lineage"]["ancestors"].append({**first, "id": "a/2", "parent": first["id"], "round": 2, "helpfulness": None})
    folder = run([one, row("b", before=None, criteria=None)])
    write_set(folder, manifest(), folder, ["parquet"])
    found, bare = read(folder / "curated.parquet", tmp_path)
    lineage = one["lineage"]
    for name in ("id", "parent", "round", "keywords", "temperature", "top_p", "seed", "ancestors", "gloss_copied"):
        assert found[name] == lineage[name]
    for name in ("objective", "style", "prompt_version", "judge", "perplexity_before", "perplexity_after"):
        assert found[name] == lineage[name]
    assert (found["reviser"], found["reviser_revision"]) == tuple(lineage["reviser"].values())
    assert (found["target"], found["target_revision"]) == tuple(lineage["target"].values())
    assert found["criteria"] == [{"name": "clarity", "value": 1.0}, {"name": "relevance", "value": 0.8}]
    assert (found["text_id"], found["question"], found["original_question"]) == ("a", "Why so, safely?", "Why a?")
    assert (found["answer"], found["original_answer"]) == (one["revised"], "So.")
    assert found["question_generated"] is True
    assert (bare["perplexity_before"], bare["criteria"]) == (None, [])


def test_the_table_is_written_in_groups(run, row, manifest) -> None:
    from pyarrow import parquet

    folder = run([row(f"t{number}") for number in range(1001)])
    write_set(folder, manifest(), folder, ["parquet"])
    read_back = parquet.ParquetFile(folder / "curated.parquet")
    sizes = [read_back.metadata.row_group(group).num_rows for group in range(read_back.num_row_groups)]
    assert sizes == [500, 500, 1]
    assert read_back.read(["text_id"])["text_id"].to_pylist() == [f"t{number}" for number in range(1001)]


def test_an_empty_table_keeps_its_columns(run, row, manifest) -> None:
    from pyarrow import parquet

    from counterpoise.curation.export.parquet import parquet_schema

    folder = run([row(revised=None)])
    write_set(folder, manifest(), folder, ["parquet"])
    assert parquet.read_schema(folder / "curated.parquet").equals(parquet_schema())


def test_the_card_tells_the_hub_how_to_load_the_folder(tmp_path, run, row, manifest) -> None:
    folder = run([row("a"), row("b")])
    write_set(folder, manifest(), folder, list(FILES), originals=True)
    lines = [form for form in FILES if form != "parquet"]
    names = datasets.get_dataset_config_names(str(folder))
    assert names == [*lines, *(f"uncurated-{form}" for form in lines)]
    for name in (*names, None):
        loaded = datasets.load_dataset(str(folder), name, split="train", cache_dir=str(tmp_path / "cache"))
        assert loaded.num_rows == 2
    assert loaded.column_names == ["lineage", "messages"]


def test_a_table_alone_is_what_the_card_loads(tmp_path, run, row, manifest) -> None:
    folder = run([row("a"), row("b")])
    write_set(folder, manifest(), folder, ["parquet"])
    (folder / "rows.jsonl").unlink()
    assert datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path)).num_rows == 2
