import json
import re
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.case import Case, Photo, Role, Stage, problems
from counterpoise.counterfactual.check_gold import check_gold
from counterpoise.counterfactual.datasets import Loaded, coco
from counterpoise.counterfactual.datasets.coco import Replacement, replacement
from counterpoise.errors import DataError

GOAT = ("An old goat with a bell stands beside a barn.", "An old donkey with a bell stands beside a barn.")


def pair(first: str = GOAT[0], second: str = GOAT[1], identity: str = "4711_2", **fields: Any) -> dict[str, Any]:
    """A pair in the shape of the source."""
    images = {f"image_{index}": f"{identity}_img_{index}" for index in (0, 1)}
    return {"id": identity, "caption_0": first, "caption_1": second, **images, **fields}


def write(folder: Path, *pairs: dict[str, Any], name: str = "coco_counterfactuals/examples.jsonl") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in pairs), encoding="utf-8")


def read_one(folder: Path, *captions: str) -> Case:
    write(folder, pair(*captions))
    [case], rejects = coco.read(folder)
    assert not rejects
    assert not problems(case)
    return case


def test_a_case_shows_the_first_picture_and_asks_for_the_second_caption(tmp_path: Path) -> None:
    case = read_one(tmp_path, *GOAT)
    assert case.id == "coco-4711_2"
    assert case.modality == "image"
    assert case.media == (Photo(file="coco_counterfactuals/images/4711_2_img_0.jpg"),)
    assert 'the replaced part of the scene, "goat", were "donkey" instead' in case.question
    # The caption of the picture is among the options only.
    assert not any(word in case.context for word in ("goat", "bell", "barn"))
    assert case.options["ABCD".index(case.target)] == GOAT[1]
    assert GOAT[0] in case.options
    assert case.stages == tuple(stage for stage in Stage if stage is not Stage.ABDUCTION)
    assert {variable.role: (variable.factual, variable.counterfactual) for variable in case.variables} == {
        Role.EXPOSURE: ("goat", "donkey"),
        Role.COVARIATE: ("… with a bell stands beside a barn.",) * 2,
        Role.MEDIATOR: ("An old goat", "An old donkey"),
        Role.OUTCOME: GOAT,
    }
    roles = {variable.name: variable.role for variable in case.variables}
    assert {(roles[parent], roles[child]) for parent, child in case.edges} == {
        (Role.EXPOSURE, Role.MEDIATOR),
        (Role.MEDIATOR, Role.OUTCOME),
        (Role.COVARIATE, Role.OUTCOME),
    }
    assert dict(case.intervention) == {"replaced part of the scene": "donkey"}
    assert case.facets == {"options": "4", "place": "beginning"}


def test_decoys_have_the_old_thing_or_put_the_new_one_elsewhere(tmp_path: Path) -> None:
    case = read_one(tmp_path, *GOAT)
    # The barn stands alone between function words; "bell stands" and "old" do not.
    assert set(case.options) - set(GOAT) == {
        "An old goat with a bell stands beside a donkey.",
        "An old donkey with a bell stands beside a goat.",
    }


@pytest.mark.parametrize(
    ("captions", "old", "new", "detail"),
    [
        # A tokenizer parted the marks from the words and wrote its own quotation marks.
        (
            ('A cat by a sign that says "OPEN LATE", asleep.', "A dog by a sign that says `` OPEN LATE '' , asleep ."),
            "cat",
            "dog",
            "A cat",
        ),
        (("A cat by  a “wet” floor ", " A cat by a `` wet '' chair"), "floor", "chair", "floor"),
        (("A horse in the fog", "a pony in the fog."[:-1]), "horse", "pony", "A horse"),
        (("It's raining on Anna's tent.", "It 's raining on Paul 's tent ."), "Anna", "Paul", "Anna"),
        (("Boats rest on the sand.", "kayaks rest on the sand."), "boats", "kayaks", "Boats rest"),
        (("A sailor mending nets.", "A diver mending nets."), "sailor", "diver", "A sailor"),
        (("NASA flags hang in a hall.", "circus flags hang in a hall."), "NASA", "circus", "NASA flags hang"),
        (("a boat on a half-frozen lake", "a boat on a sun-lit lake"), "half-frozen", "sun-lit", "a half-frozen lake"),
        (
            ("Two men mend a red fishing net.", "Two men mend a volley ball net."),
            "red fishing",
            "volley ball",
            "a red fishing net",
        ),
    ],
)
def test_what_is_replaced(tmp_path: Path, captions: tuple[str, str], old: str, new: str, detail: str) -> None:
    case = read_one(tmp_path, *captions)
    exposure, _, mediator, outcome = case.variables
    assert (exposure.factual, exposure.counterfactual) == (old, new)
    assert mediator.factual == detail
    # All options are written like the first caption, so that none is told by its typography.
    assert outcome.factual == " ".join(captions[0].replace("“", '"').replace("”", '"').split())
    frame = re.sub(rf"\b{re.escape(old)}\b", "", outcome.factual, flags=re.IGNORECASE)
    target = case.options["ABCD".index(case.target)]
    assert re.sub(rf"\b{re.escape(new)}\b", "", target, flags=re.IGNORECASE) == frame
    assert target == outcome.counterfactual
    assert target[0].isupper() == outcome.factual[0].isupper()


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("A man in a hat.", "A boy in a cap.", "the captions differ in more than one place"),
        ("A tall man in a hat.", "A man in a coat.", "the captions differ in more than one place"),
        ("A hat on a chair.", "A hat on a  chair .", "the captions are the same"),
        ('A "hat" on a chair.', "a `` hat '' on a chair.", "the captions are the same"),
        ("A hat on a chair.", "A red hat on a chair.", "the second caption adds or drops words and replaces none"),
        ("A red hat on a chair.", "A hat on a chair.", "the second caption adds or drops words and replaces none"),
        ("A hat on a chair", "A hat on a chair.", "the second caption adds or drops words and replaces none"),
        ("A hat on a chair!", "A hat on a chair.", "what is replaced is no word"),
        ("A hat near two very old chairs.", "A hat under many rather worn benches.", "the captions differ in 5 words"),
        ("A cow beside another cow.", "A calf beside another cow.", "the replaced 'cow' occurs more than once in"),
        ("A calf meets a Calf.", "A calf meets a foal.", "the replaced 'calf' occurs more than once in"),
        ("A hat.", "A cap.", "the caption says nothing of the rest of the scene"),
        ("", "A cap.", "a caption is empty"),
        ("A cap.", "  ", "a caption is empty"),
    ],
)
def test_a_pair_that_cannot_be_used_is_rejected_with_the_reason(
    tmp_path: Path, first: str, second: str, reason: str
) -> None:
    write(tmp_path, pair(identity="1_0"), pair(first, second))
    cases, [reject] = coco.read(tmp_path)
    assert [case.id for case in cases] == ["coco-1_0"]
    assert reject.id == "coco-4711_2"
    assert reject.reason.startswith(reason)
    assert reject.reason.endswith("(line 2)")


WORDS = "lamp pear kite drum ferry walnut tulip wagon".split()


@given(st.lists(st.sampled_from(WORDS), min_size=3, max_size=6, unique=True), st.data())
def test_putting_the_new_words_in_gives_the_second_caption(words: list[str], draws: st.DataObject) -> None:
    at = draws.draw(st.integers(0, len(words) - 1))
    new = draws.draw(st.lists(st.sampled_from([word for word in WORDS if word not in words] + ["moth"]), min_size=1))
    second = [*words[:at], *new, *words[at + 1 :]]
    found = replacement(" and ".join(words), " and ".join([*words[:at], " ".join(new), *words[at + 1 :]]))
    if len(new) > coco.MOST_WORDS:
        assert found == f"the captions differ in {len(new)} words"
        return
    assert isinstance(found, Replacement)
    put_in = found.caption[: found.start] + found.new + found.caption[found.end :]
    assert put_in.replace(" and ", " ").split() == second
    assert found.caption[found.start : found.end] == found.old


def test_a_caption_that_is_too_long_for_a_value_has_no_gold_of_the_outcome_stage(tmp_path: Path) -> None:
    tail = " in a garden full of roses, tulips, lilies, daisies and very tall sunflowers."
    fits, over = f"A {'c' * (80 - len(tail) - 2)}{tail}", f"A {'c' * (81 - len(tail) - 2)}{tail}"
    assert (len(fits), len(over)) == (80, 81)
    assert Stage.OUTCOME in read_one(tmp_path, fits, f"A d{tail}").stages
    for first, second in ((over, f"A d{tail}"), (f"A d{tail}", over)):
        case = read_one(tmp_path, first, second)
        assert Stage.OUTCOME not in case.stages
        assert Stage.INTERVENTION in case.stages
        [outcome] = case.of_role(Role.OUTCOME)
        assert (outcome.factual, outcome.counterfactual) == (first, None)


def test_where_nothing_else_can_be_replaced_there_are_two_options(tmp_path: Path) -> None:
    case = read_one(tmp_path, "This is a goat.", "This is a donkey.")
    assert sorted(case.options) == ["This is a donkey.", "This is a goat."]
    assert case.facets == {"options": "2", "place": "end"}


def test_the_new_thing_may_be_in_the_scene_already(tmp_path: Path) -> None:
    case = read_one(tmp_path, "A spoon beside a plate and a cup.", "A plate beside a plate and a cup.")
    # Only the cup is left to be taken away: to put a plate in place of the plate would be the first caption again.
    assert set(case.options) == {
        "A spoon beside a plate and a cup.",
        "A plate beside a plate and a cup.",
        "A spoon beside a plate and a plate.",
        "A plate beside a plate and a spoon.",
    }


def test_options_do_not_depend_on_the_place_in_the_file(tmp_path: Path) -> None:
    pairs = [pair(identity=f"{number}_0") for number in range(20)]
    write(tmp_path, *pairs)
    before = {case.id: case for case in coco.read(tmp_path)[0]}
    write(tmp_path, *reversed(pairs))
    assert {case.id: case for case in coco.read(tmp_path)[0]} == before
    assert len({case.target for case in before.values()}) == 4


def test_captions_of_one_picture_are_one_cluster_and_a_second_occurrence_is_rejected(tmp_path: Path) -> None:
    write(tmp_path, pair(identity="7_0"), pair(identity="7_1"), pair(identity="71_0"), pair(identity="7_0"))
    cases, rejects = coco.read(tmp_path)
    first, second, other = (case.cluster for case in cases)
    assert first == second != other
    assert [(reject.id, reject.reason) for reject in rejects] == [
        ("coco-7_0", "the same item occurs twice (line 4, first line 1)")
    ]


@pytest.mark.parametrize("image", ["", "../7_img_0", "/etc/7", "a\\b", "7.svg", ".jpg", "a b", "7\n"])
def test_a_name_that_is_not_a_pictures_is_rejected(tmp_path: Path, image: str) -> None:
    write(tmp_path, pair(image_0=image))
    cases, [reject] = coco.read(tmp_path)
    assert not cases
    assert reject.reason == f"{image!r} is not the name of a picture (line 1)"


def test_layouts_from_the_best_to_the_last(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no COCO-Counterfactuals file .*coco_counterfactuals/examples\.jsonl"):
        coco.read(tmp_path)
    for identity, name in (
        ("3_0", "coco_counterfactuals/caption_pairs_60.jsonl"),
        ("2_0", "COCO-Counterfactuals/data/examples.jsonl"),
        ("1_0", "coco_counterfactuals/examples.jsonl"),
    ):
        write(tmp_path, pair(identity=identity, image_0=f"{identity}.png"), name=name)
        [case], _ = coco.read(tmp_path)
        assert case.id == f"coco-{identity}"
        # Pictures lie beside the file; a name with an ending keeps it.
        assert case.media == (Photo(file=f"{name.rpartition('/')[0]}/images/{identity}.png"),)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (json.dumps(pair())[:-20], r"not valid JSON: .*examples\.jsonl line 3"),
        ("[]", r"a list .*examples\.jsonl line 3"),
        (json.dumps(pair(identity=" ")), r"field 'id' is empty .*line 3"),
        (json.dumps(pair(caption_1=None)), r"field 'caption_1' is a NoneType .*line 3"),
        (json.dumps(pair(image_0={"src": "x"})), r"field 'image_0' is a dict .*line 3"),
        *(
            (json.dumps(pair()).replace(f'"{name}"', f'"{name}_"'), rf"no field '{name}' .*line 3")
            for name in ("id", "caption_0", "caption_1", "image_0")
        ),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    write(tmp_path, pair(identity="1_0"))
    path = tmp_path / "coco_counterfactuals" / "examples.jsonl"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        coco.read(tmp_path)


def test_wrong_encoding(tmp_path: Path) -> None:
    write(tmp_path, pair())
    (tmp_path / "coco_counterfactuals" / "examples.jsonl").write_bytes(b'{"id": "1"}\n{"id": "caf\xe9"}\n')
    with pytest.raises(DataError, match=r"not UTF-8 text .*examples\.jsonl line 2"):
        coco.read(tmp_path)


def test_what_is_downloaded_is_the_file_that_is_read_first() -> None:
    [download] = coco.DATASET.downloads
    assert download.path == coco.DATASET.files[0]
    assert re.fullmatch(r"[0-9a-f]{40}", download.revision)
    assert download.hub


def plain(caption: str) -> list[str]:
    """The letters of the words of a caption, whatever is around them."""
    return re.findall(r"[a-z0-9]+", caption.lower())


def test_real_file(data: Path) -> None:
    cases, rejects = coco.read(data)
    assert not rejects
    file = data / "coco_counterfactuals" / "caption_pairs_60.jsonl"
    pairs = {f"coco-{one['id']}": one for one in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
    assert [case.id for case in cases] == list(pairs)
    assert len(cases) == 60
    # Five captions are longer than a value may be.
    assert sum(Stage.OUTCOME in case.stages for case in cases) == 55
    assert {case.facets["options"] for case in cases} == {"4"}
    assert {case.target for case in cases} == set("ABCD")
    for case in cases:
        assert not problems(case)
        source = pairs[case.id]
        first, second = plain(source["caption_0"]), plain(source["caption_1"])
        changes = [
            code for code in SequenceMatcher(None, first, second, autojunk=False).get_opcodes() if code[0] != "equal"
        ]
        assert [code[0] for code in changes] == ["replace"]
        [(_, low, high, new_low, new_high)] = changes
        exposure, covariate, mediator, outcome = case.variables
        assert plain(exposure.factual or "") == first[low:high]
        assert plain(exposure.counterfactual or "") == second[new_low:new_high]
        assert plain(case.options["ABCD".index(case.target)]) == second
        # The outcome is put together from its two causes, in both worlds.
        assert covariate.factual == covariate.counterfactual
        worlds = (
            (mediator.factual, outcome.factual),
            (mediator.counterfactual, case.options["ABCD".index(case.target)]),
        )
        for detail, caption in worlds:
            assert (covariate.factual or "").replace("…", detail or "") == caption
        assert (exposure.factual or "").lower() in (mediator.factual or "").lower()
        assert (exposure.counterfactual or "").lower() in (mediator.counterfactual or "").lower()
        # Decoys: the caption with one more word replaced, by the new thing or by the old one.
        old, new = first[low:high], second[new_low:new_high]
        wrong = [plain(option) for option in case.options]
        wrong.remove(first)
        wrong.remove(second)
        assert sum(words.count(new[0]) - first.count(new[0]) == 1 and set(old) <= set(words) for words in wrong) == 2
        assert [source["image_0"] in photo.file for photo in case.media if isinstance(photo, Photo)] == [True]
    [checked] = check_gold({"coco": Loaded(tuple(cases), ())})
    assert checked["oracle"] == dict.fromkeys(("variables", "graph", "intervention", "outcome", "answer"), 1.0)
