"""The snippets train: with TRL for real, with axolotl and LLaMA-Factory as far as they are installed.

Neither of these two installs beside the versions that the project is tested with. Where they are absent, their files
are held against the options as axolotl 0.19.0 and LLaMA-Factory 0.9.5 define them; where they are present, against
their own readers. With both versions, each in an environment of its own, the files as they are trained a model.
"""

import json
import runpy
import warnings
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import yaml

from counterpoise.curation.export import export

TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)

AXOLOTL: dict[str, Any] = {
    "base_model": str,
    "datasets": list,
    "dataset_prepared_path": str,
    "val_set_size": int,
    "sequence_len": int,
    "adapter": {"lora", "qlora", "llama-adapter"},
    "lora_r": int,
    "lora_alpha": int,
    "lora_dropout": int,
    "lora_target_linear": bool,
    "num_epochs": int,
    "learning_rate": float,
    "lr_scheduler": {"linear", "cosine", "constant"},
    "warmup_ratio": float,
    "optimizer": {"adamw_torch", "adamw_torch_fused", "adamw_8bit"},
    "micro_batch_size": int,
    "gradient_accumulation_steps": int,
    "bf16": {"auto", True, False},
    "seed": int,
    "output_dir": str,
}
AXOLOTL_DATASET: dict[str, Any] = {
    "path": str,
    "ds_type": {"json", "parquet", "csv", "arrow", "text"},
    "type": {"chat_template", "alpaca", "completion"},
    "field_messages": str,
    "roles_to_train": list,
    "train_on_eos": {"all", "turn", "last", "none"},
}
LLAMA_FACTORY: dict[str, Any] = {
    "model_name_or_path": str,
    "template": str,
    "stage": {"pt", "sft", "rm", "ppo", "dpo", "kto"},
    "do_train": bool,
    "dataset_dir": str,
    "dataset": str,
    "cutoff_len": int,
    "finetuning_type": {"lora", "oft", "freeze", "full"},
    "lora_rank": int,
    "lora_alpha": int,
    "lora_target": str,
    "num_train_epochs": float,
    "learning_rate": float,
    "lr_scheduler_type": {"linear", "cosine", "constant"},
    "warmup_ratio": float,
    "per_device_train_batch_size": int,
    "gradient_accumulation_steps": int,
    "bf16": bool,
    "seed": int,
    "logging_steps": int,
    "save_strategy": {"no", "epoch", "steps", "best"},
    "report_to": str,
    "output_dir": str,
}
LLAMA_FACTORY_TAGS = {
    *("role_tag", "content_tag", "user_tag", "assistant_tag", "observation_tag", "function_tag", "system_tag"),
}


def faults(options: dict[str, Any], documented: dict[str, Any]) -> list[str]:
    """Options that do not exist, or whose value is of another type or not among the choices."""
    found = []
    for name, value in options.items():
        kind = documented.get(name)
        if kind is None or not (value in kind if isinstance(kind, set) else type(value) is kind):
            found.append(name)
    return found


@pytest.fixture
def folder(run, row, manifest) -> Path:
    folder = run([row("a", revised="It is so. Ask first.\u2028"), row("b", revised_question="Why, safely?"), row("c")])
    export(folder, manifest())
    return folder


@pytest.fixture
def snippets(folder) -> Path:
    return folder / "snippets"


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_path_of_the_snippets_leads_to_the_curated_set(folder, snippets) -> None:
    curated = (folder / "curated.jsonl").resolve()
    info = json.loads((snippets / "llamafactory" / "dataset_info.json").read_text(encoding="utf-8"))
    factory = load(snippets / "llamafactory" / "sft.yaml")
    assert runpy.run_path(str(snippets / "trl_sft.py"))["CURATED"] == curated
    assert [(snippets / one["path"]).resolve() for one in load(snippets / "axolotl.yaml")["datasets"]] == [curated]
    assert (snippets / "llamafactory" / factory["dataset_dir"] / info[factory["dataset"]]["file_name"]).resolve() == (
        curated
    )


def test_no_snippet_has_the_name_of_a_library(snippets) -> None:
    """Python puts a script's folder first on its path, so ``trl.py`` would import itself."""
    assert {path.stem for path in snippets.glob("*.py")} == {"trl_sft"}


def test_the_light_touch_is_the_same_everywhere(snippets) -> None:
    axolotl, factory = load(snippets / "axolotl.yaml"), load(snippets / "llamafactory" / "sft.yaml")
    script = (snippets / "trl_sft.py").read_text(encoding="utf-8")
    assert axolotl["num_epochs"] == factory["num_train_epochs"] == 2
    assert axolotl["learning_rate"] == factory["learning_rate"] == 1e-4
    assert axolotl["lora_r"] == factory["lora_rank"] == 16
    assert '"--epochs", type=float, default=2' in script
    assert '"--learning-rate", type=float, default=1e-4' in script
    assert "r=16" in script


def test_trl_trains_on_the_answers_and_writes_a_whole_model(snippets, tmp_path, tiny_llama) -> None:
    from transformers import AutoModelForCausalLM

    model, out, mine = str(tiny_llama(TEMPLATE, merges=False)), tmp_path / "out", tmp_path / "mine.jsonl"
    turns = [{"role": "user", "content": "Mine?"}, {"role": "assistant", "content": "Mine."}]
    mine.write_text(json.dumps({"messages": turns}) + "\n", encoding="utf-8")
    script = runpy.run_path(str(snippets / "trl_sft.py"))
    options = {"model": model, "out": str(out), "mix": [str(mine)], "epochs": 2, "learning_rate": 1e-2, "batch_size": 2}
    with warnings.catch_warnings():
        # What the libraries say of themselves is not the snippet's.
        warnings.simplefilter("ignore")
        trainer = script["trainer"](Namespace(**options))
        script["main"](["--model", model, "--out", str(out), "--mix", str(mine), "--batch-size", "2"])
    answers = ["It is so. Ask first.\u2028", *["So. Ask before you share."] * 2, "Mine."]
    trained = [
        trainer.processing_class.decode([label for label in example["labels"] if label != -100])
        for example in trainer.train_dataset
    ]
    assert trained == [f"{answer}<|end|>\n" for answer in answers]
    before, after = (AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (model, out))
    assert before.keys() == after.keys()
    name = "model.layers.0.self_attn.q_proj.weight"
    assert not before[name].equal(after[name])


def test_axolotl_knows_every_option(snippets) -> None:
    options = load(snippets / "axolotl.yaml")
    assert faults(options, AXOLOTL) == []
    assert [faults(one, AXOLOTL_DATASET) for one in options["datasets"]] == [[]]
    assert faults({**options, "learning_rate": "1e-4", "lora_rank": 16}, AXOLOTL) == ["learning_rate", "lora_rank"]


def test_llamafactory_knows_every_option(snippets) -> None:
    assert faults(load(snippets / "llamafactory" / "sft.yaml"), LLAMA_FACTORY) == []
    (curated,) = json.loads((snippets / "llamafactory" / "dataset_info.json").read_text(encoding="utf-8")).values()
    assert curated.keys() == {"file_name", "formatting", "columns", "tags"}
    assert curated["formatting"] == "sharegpt"
    assert curated["columns"] == {"messages": "messages"}
    assert curated["tags"].keys() <= LLAMA_FACTORY_TAGS


def test_axolotl_itself_reads_its_file(snippets, tiny_llama, monkeypatch) -> None:
    pytest.importorskip("axolotl", reason="needs axolotl")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from axolotl.utils.config import validate_config
        from axolotl.utils.dict import DictDefault
        from axolotl.utils.schemas.config import AxolotlInputConfig
        from axolotl.utils.schemas.datasets import SFTDataset

        options = load(snippets / "axolotl.yaml")
        # Its models let unknown options pass.
        assert options.keys() <= AxolotlInputConfig.model_fields.keys()
        assert options["datasets"][0].keys() <= SFTDataset.model_fields.keys()
        options["base_model"] = str(tiny_llama(TEMPLATE, merges=False))
        read = validate_config(DictDefault(options))
    assert (read.adapter, read.learning_rate, read.num_epochs, read.sequence_len) == ("lora", 1e-4, 2, 1024)
    assert (read.datasets[0].type, read.datasets[0].field_messages) == ("chat_template", "messages")


def test_llamafactory_itself_reads_its_files(snippets, tmp_path, tiny_llama, monkeypatch) -> None:
    pytest.importorskip("llamafactory", reason="needs LLaMA-Factory")
    monkeypatch.setenv("DISABLE_VERSION_CHECK", "1")
    monkeypatch.chdir(snippets / "llamafactory")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
        from llamafactory.hparams import get_train_args
        from llamafactory.model import load_tokenizer

        options = load(Path("sft.yaml")) | {
            "model_name_or_path": str(tiny_llama(TEMPLATE, merges=False)),
            "template": "default",
            "output_dir": str(tmp_path / "out"),
            "bf16": False,
        }
        model, data, training, finetuning, _ = get_train_args(options)
        tools = load_tokenizer(model)
        template = get_template_and_fix_tokenizer(tools["tokenizer"], data)
        examples = get_dataset(template, model, data, training, stage=finetuning.stage, **tools)["train_dataset"]
    trained = [
        tools["tokenizer"].decode([label for label in example["labels"] if label != -100]) for example in examples
    ]
    answers = ["It is so. Ask first.\u2028", *["So. Ask before you share."] * 2]
    assert [text.rstrip("\n") for text in trained] == [f"{answer}<|end|>" for answer in answers]
    assert (training.learning_rate, training.num_train_epochs, finetuning.lora_rank) == (1e-4, 2, 16)
