import socket
from pathlib import Path

import pytest

TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch):
    """Nothing in this folder may reach for the network, not even in vain."""
    attempts = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def refuse(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            attempts.append(address)
            raise OSError("no network in tests")
        return connect(self, address)

    def refuse_name(host, *args, **kwargs):
        if host not in (None, "localhost", "127.0.0.1"):
            attempts.append(host)
            raise OSError("no network in tests")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse_name)
    yield
    # Asserted here, because a library that swallows the error would otherwise hide the attempt.
    assert attempts == []


@pytest.fixture(scope="session")
def tiny_folder(tiny_llama) -> Path:
    """A tiny model whose greedy choices are far apart, so that its texts are not all the same."""
    return tiny_llama(TEMPLATE, merges=True, initializer_range=0.3)


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """The tiny model in float32, with small batches so that rows come and go."""
    import torch

    from counterpoise.lm.local import LocalLM

    return LocalLM.from_folder(tiny_folder, name="tiny", dtype=torch.float32, device="cpu", max_batch=4)
