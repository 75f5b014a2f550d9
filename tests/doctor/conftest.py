import pytest

PLAIN = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
MARKED = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}<|end|>{% endgeneration %}"
    "{% else %}{{ message['content'] }}<|end|>{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


@pytest.fixture
def tokenizer(byte_tokenizer):
    """Makes a tokenizer with a chat template; every byte and special token is one token, unless there are merges."""

    def make(template=PLAIN, *, merges=False):
        made = byte_tokenizer(merges=merges)
        made.chat_template = template
        return made

    return make


@pytest.fixture(scope="session")
def templates():
    """Chat templates by name: without marks of what the assistant says, and with them."""
    return {"plain": PLAIN, "marked": MARKED}
