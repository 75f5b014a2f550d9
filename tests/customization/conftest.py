import pytest

CHATML = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "<|start|>system\nBe helpful.<|end|>\n{% endif %}"
    "<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Models this small only wait for a second thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny(tiny_llama):
    """Folder of a tiny model whose chat template adds a system turn, like the embedded model's."""
    return tiny_llama(CHATML, merges=False)


@pytest.fixture
def curated(tmp_path):
    """A curated.jsonl of six texts, each with its original in the lineage."""
    import json

    lines = [
        {
            "messages": [
                {"role": "user", "content": f"What is thing {number}?"},
                {"role": "assistant", "content": f"Thing {number} is useful. " + "Take care of others. " * number},
            ],
            "lineage": {"source": f"text-{number}", "original": f"Thing {number} is useful."},
        }
        for number in range(6)
    ]
    path = tmp_path / "curated.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
