import sys

import numpy as np
import pytest

from counterpoise.curation.seeds import Seed, load_seeds
from counterpoise.curation.seeds.build import BuildConfig, build_seeds
from counterpoise.curation.seeds.relevance import described, neutral_phrases
from counterpoise.curation.seeds.seed import builtin_seeds, write_seeds
from counterpoise.errors import ConfigError, DataError, MissingExtraError
from counterpoise.lm.embedding import open_embedder
from counterpoise.lm.fake import FakeLM


class Sorted:
    """Phrases with one of the words lie beside the seeds, all others beside the neutral phrases.

    A vector is a side and a direction for each word, so that phrases of a side are near when they share most words.
    """

    name = "fake/sorted"
    revision = "1"

    def __init__(self, *words: str) -> None:
        self.words = words
        self.places: dict[str, int] = {}

    def embed(self, texts):
        seeds, neutral = {described(seed) for seed in builtin_seeds()}, neutral_phrases()
        vectors = np.zeros((len(texts), 2000), dtype=np.float32)
        for row, text in enumerate(texts):
            if text in neutral:
                # Half on either end, so that their mean is nowhere.
                vectors[row, 1] = 1 if neutral.index(text) % 2 else -1
            elif text in seeds or any(word in text.lower() for word in self.words):
                vectors[row, 0] = 1
            else:
                vectors[row, 1] = 1
            for word in () if text in neutral or text in seeds else text.lower().split():
                vectors[row, 2 + self.places.setdefault(word, len(self.places))] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def danger():
    return Sorted("smoke", "gas")


def built(paths, embedder, **settings):
    base = settings.pop("base", ())
    return build_seeds(paths, embedder, BuildConfig(**settings), base=base)


def test_dangers_are_kept_and_the_birdhouse_is_not(shelf, danger):
    found = built([shelf], danger)
    assert [seed.keyword for seed in found.added] == ["smoke inhalation", "gas leak"]
    smoke, gas = found.added
    assert gas.gloss == "A gas leak means that fuel gets out of a pipe into a room."
    assert smoke.gloss == "Smoke inhalation is the breathing of harmful gases from a fire."
    assert smoke.provenance.documents == ("handbook.md", "more/guide.txt")
    assert smoke.provenance.gloss_source == "handbook.md"
    assert smoke.provenance.count >= 2
    assert smoke.provenance.relevance >= 0.15
    reasons = {one.phrase: one.reason for one in found.dropped}
    assert reasons["painted birdhouse"] == "not about safety"
    assert {one.name: one.problem for one in found.documents} == {"handbook.md": None, "more/guide.txt": None}


def test_everything_found_is_kept_or_dropped_with_a_reason(shelf, danger):
    base = (Seed(keyword="zebra", category="mine"),)
    found = built([shelf], danger, base=base, max_new=1)
    as_json = found.to_json()
    phrases = [seed["keyword"] for seed in as_json["added"]] + [one["phrase"] for one in as_json["dropped"]]
    assert len(set(phrases)) == len(phrases)
    assert sum(as_json["dropped_counts"].values()) == len(as_json["dropped"])
    assert {"rare", "not about safety", "beyond the limit"} <= as_json["dropped_counts"].keys()
    assert as_json["base"] == 1
    assert found.seeds == base + found.added
    assert len(found.added) == 1


def test_the_order_of_the_documents_does_not_matter(shelf, danger):
    one, two = shelf / "handbook.md", shelf / "more" / "guide.txt"
    assert built([one, two], danger) == built([two, one, two], danger)


def test_the_bounds(shelf, danger):
    loose = built([shelf], danger, min_relevance=-2, min_count=1)
    assert "painted birdhouse" in {seed.keyword for seed in loose.added}
    assert not {"rare", "not about safety"} & {one.reason for one in loose.dropped}
    with pytest.raises(DataError, match=r"no phrase is left to add: .* not about safety.*; lower --min-relevance or"):
        built([shelf], danger, min_relevance=2)
    with pytest.raises(DataError, match=r"no phrase is left to add: \d+ rare;"):
        built([shelf], danger, min_count=100)


def test_the_base_set_is_neither_repeated_nor_changed(shelf, danger):
    base = (Seed(keyword="leaks of gas", category="mine", gloss="Mine."),)
    found = built([shelf], danger, base=base)
    assert found.seeds[0] is base[0]
    assert [seed.keyword for seed in found.added] == ["smoke inhalation"]
    assert [(d.phrase, d.detail) for d in found.dropped if d.reason == "in the base set"] == [
        ("gas leak", base[0].keyword)
    ]


def test_what_is_near_joins_what_is_more_prominent(shelf, danger):
    (shelf / "third.txt").write_text("The bad gas leak is loud. A bad gas leak is bad. A bad gas leak is new.\n")
    found = built([shelf], danger)
    gas = next(seed for seed in found.added if seed.keyword == "gas leak")
    assert gas.provenance.variants == ("bad gas leak",)
    assert [(d.phrase, d.detail) for d in found.dropped if d.reason == "near a better phrase"] == [
        ("bad gas leak", "gas leak")
    ]
    found = built([shelf], danger, base=(Seed(keyword="small gas leak", category="mine"),))
    near = [(d.phrase, d.detail) for d in found.dropped if d.reason == "near a keyword of the base set"]
    assert ("gas leak", "small gas leak") in near


def test_documents_that_cannot_be_used_are_reported(shelf, danger, make_pdf):
    (shelf / "a scan.pdf").write_bytes(make_pdf([[]]))
    (shelf / "b.pdf").write_bytes(make_pdf([["Smoke inhalation is bad.", "Beware of smoke inhalation."]]))
    (shelf / "c.txt").write_bytes(b"\xff\xfe")
    (shelf / "copy.md").write_bytes((shelf / "handbook.md").read_bytes())
    (shelf / "numbers.txt").write_text("1 2 3")
    found = built([shelf], danger)
    assert {one.name: one.problem for one in found.documents if one.problem} == {
        "a scan.pdf": "PDF has no text (a scan.pdf); a scanned document needs character recognition first",
        "c.txt": "document is not UTF-8 text (c.txt); re-encode it as UTF-8",
        "handbook.md": "document has the same text as copy.md (handbook.md)",
        "numbers.txt": "document has no keyphrases (numbers.txt)",
    }
    smoke = next(seed for seed in found.added if seed.keyword == "smoke inhalation")
    assert smoke.provenance.documents == ("b.pdf", "copy.md", "more/guide.txt")


def test_documents_none_of_which_can_be_used_are_an_error(tmp_path, danger):
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b.txt").write_bytes(b"\0")
    with pytest.raises(DataError, match=r"^none of 2 document\(s\) can be used: document has no text \(a.txt\)$"):
        built([tmp_path], danger)


def test_one_text_is_held_at_a_time(tmp_path, danger, monkeypatch):
    """The paragraphs of a document are gone before the next is read."""
    import gc
    import weakref

    from counterpoise.curation.seeds import build

    class Paragraphs(list):
        pass

    alive: list[weakref.ref] = []

    def read(document):
        gc.collect()
        assert all(one() is None for one in alive)
        text = Paragraphs([f"The gas leak {document.name[0]} is bad. A gas leak is loud."])
        alive.append(weakref.ref(text))
        return text

    for name in "abcde":
        (tmp_path / f"{name}.txt").write_text("x")
    monkeypatch.setattr(build, "read_document", read)
    built([tmp_path], danger)
    assert len(alive) == 5


def test_progress_is_told(shelf, danger):
    told = []
    build_seeds([shelf], danger, BuildConfig(), progress=lambda *report: told.append(report))
    assert told == [(1, 2, "documents"), (2, 2, "documents")]


def test_glosses_by_a_model(shelf, danger):
    text = "Beware of smoke inhalation. Beware of a gas leak, and of smoke inhalation, and of a gas leak."
    (shelf / "handbook.md").write_text(text)
    lm = FakeLM({"smoke inhalation": "Smoke inhalation hurts the lungs of those who stay."}, name="fake/writer")
    found = build_seeds([shelf], danger, BuildConfig(), gloss_model=lm)
    glosses = {seed.keyword: seed.gloss for seed in found.added}
    assert glosses["smoke inhalation"] == "Smoke inhalation hurts the lungs of those who stay."
    assert glosses["gas leak"] == ""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_relevance": 3}, r"min_relevance is 3; expected a number in \[-2, 2\]"),
        ({"min_relevance": float("nan")}, "min_relevance is nan"),
        ({"min_count": 0}, "min_count is 0; expected at least 1"),
        ({"per_document": 0}, "per_document is 0"),
        ({"max_new": 0}, "max_new is 0"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ConfigError, match=message):
        BuildConfig(**settings)


def test_a_missing_library_ends_the_build(shelf, danger, monkeypatch):
    monkeypatch.setitem(sys.modules, "yake", None)
    with pytest.raises(MissingExtraError, match="'yake'"):
        built([shelf], danger)


def test_the_real_embedder_keeps_dangers_apart_from_other_things(shelf, tmp_path):
    found = built([shelf], open_embedder("embedded/minilm"), base=builtin_seeds())
    assert [(seed.keyword, seed.category) for seed in found.added] == [("smoke inhalation", "physical-safety")]
    reasons = {one.phrase: (one.reason, one.detail) for one in found.dropped}
    assert reasons["gas leak"] == ("near a keyword of the base set", "gas leak response")
    assert reasons["painted birdhouse"][0] == "not about safety"
    # The same bytes again, and a file that a curation can read.
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert write_seeds(found.seeds, first)
    assert write_seeds(built([shelf], open_embedder("embedded/minilm"), base=builtin_seeds()).seeds, second)
    assert first.read_bytes() == second.read_bytes()
    assert load_seeds(first) == found.seeds
