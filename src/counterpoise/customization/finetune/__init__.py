"""Fine-tuning with TRL and PEFT; the only room of the package that trains.

A checkpoint is a chain: the base model's folder and, for each training step so far, an adapter (or a whole model
after full fine-tuning). A chain is loaded by merging its adapters one after the other in float32, so what a step adds
is never rounded away; only arithmetic in training and generation is bfloat16, where the processor has it.

Only the assistant's turn and its end-of-turn token carry loss (with a template that ends turns with a line break,
that too). The mask doctor confirms it on every example before a step is trained, and the trainer's own labels are
counted against it.

- ``recipe``: how a step is trained, and the named recipes;
- ``masks``: examples as conversations, their tokens, and which of them carry loss;
- ``chain``: checkpoints in memory, and exported as one model;
- ``checks``: what would stop a training, all at once; disk;
- ``packing``: the examples of a step in one row without padding, where that is right;
- ``order``: the order of the examples;
- ``training``: one step with TRL; ``step``: the same with what is on the disk before and after;
- ``job``, ``launch``: the same step in several processes;
- ``finetuner``: all of it behind one class.
"""

from counterpoise.customization.finetune.checks import checkpoint_bytes, preflight
from counterpoise.customization.finetune.finetuner import Finetuner
from counterpoise.customization.finetune.recipe import RECIPES, Recipe
from counterpoise.customization.finetune.result import RESULT_FILE, FinetuneResult, OnStep, finished

__all__ = [
    "RECIPES",
    "RESULT_FILE",
    "FinetuneResult",
    "Finetuner",
    "OnStep",
    "Recipe",
    "checkpoint_bytes",
    "finished",
    "preflight",
]
