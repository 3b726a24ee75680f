"""Of each shape of chat template, exactly what a model would write is trained: reasoning, answer and end of turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secpi_trainer import chat
from secpi_trainer.errors import TrainerError
from secpi_trainer.train.dataset import UNTRAINED, Row, tokenise_row


def _turns(content: str, opening: str) -> str:
    """A template in the style of ChatML, with an expression for a turn's content and what follows `assistant`."""
    return (
        (
            "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + CONTENT + '<|im_end|>\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}OPENING{% endif %}"
        )
        .replace("CONTENT", content)
        .replace("OPENING", opening)
    )


SPOKEN = "(m.content.split('</think>')[-1].lstrip('\n') if m.role == 'assistant' else m.content)"
# No think tag of its own; the whole content is kept.
PLAIN = _turns("m.content", "")
# Drops what earlier turns thought, and opens the tag for the next (the shape of QwQ).
OPENS = _turns(SPOKEN, "{{ '<think>\n' }}")
OPENS_WITHOUT_BREAK = _turns(SPOKEN, "{{ '<think>' }}")
# Thinks unless told not to (the shape of Qwen3).
HYBRID = _turns(
    SPOKEN,
    "{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif %}",
)
NEVER_THINKS = _turns(SPOKEN, "{{ '<think>\n\n</think>\n\n' }}")
# One line, the system text in front, another token at the end of a turn (the shape of DeepSeek-R1).
ONE_LINE = (
    "{{ '<|begin|>' }}{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}"
    "{% elif m.role == 'user' %}{{ '<|user|>' + m.content }}"
    "{% else %}{{ '<|assistant|>' + m.content.split('</think>')[-1] + '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|><think>\n' }}{% endif %}"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for m in messages %}{{ '<|user|>' if m.role == 'user' else '<|assistant|>' }}{{ m.content + '\n<|end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
SWALLOWS_SYSTEM = (
    "{% for m in messages if m.role != 'system' %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

CONVERSATION = [
    {"role": "user", "content": "First."},
    {"role": "assistant", "content": "<think>\nearlier thought\n</think>\n\nDone."},
    {"role": "user", "content": "Second."},
]
WITH_SYSTEM = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Sum."}]
ROW = Row("one", CONVERSATION, "a+b", "r")
THOUGHT = "<think>\nr\n</think>\n\na+b"
CHATML_HEAD = (
    "<|im_start|>user\nFirst.<|im_end|>\n<|im_start|>assistant\nDone.<|im_end|>\n"
    "<|im_start|>user\nSecond.<|im_end|>\n<|im_start|>assistant\n"
)


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(tiny_model)
    loaded.add_special_tokens({"extra_special_tokens": ["<|begin|>", "<|user|>", "<|assistant|>", "<|end|>"]})
    return loaded


def _prompt_and_trained(tokenizer: Any, template: str, row: Row) -> tuple[str, str]:
    """The row's tokens as text: what is given, and what is trained; checks that the mask has one border."""
    tokenizer.chat_template = template
    example = tokenise_row(tokenizer, row, chat.end_of_turn_token_id(tokenizer))
    border = example.labels.index(next(label for label in example.labels if label != UNTRAINED))
    assert example.labels == [UNTRAINED] * border + example.input_ids[border:]
    return tokenizer.decode(example.input_ids[:border]), tokenizer.decode(example.input_ids[border:])


@pytest.mark.parametrize(
    ("template", "prompt", "trained"),
    [
        (PLAIN, CHATML_HEAD.replace("Done.", CONVERSATION[1]["content"]), f"{THOUGHT}<|im_end|>"),
        (OPENS, f"{CHATML_HEAD}<think>\n", "r\n</think>\n\na+b<|im_end|>"),
        (OPENS_WITHOUT_BREAK, f"{CHATML_HEAD}<think>", "\nr\n</think>\n\na+b<|im_end|>"),
        (HYBRID, CHATML_HEAD, f"{THOUGHT}<|im_end|>"),
        (
            ONE_LINE,
            "<|begin|><|user|>First.<|assistant|>\n\nDone.<|end|><|user|>Second.<|assistant|><think>\n",
            "r\n</think>\n\na+b<|end|>",
        ),
        (
            NO_SYSTEM,
            f"<|user|>First.\n<|end|><|assistant|>{CONVERSATION[1]['content']}\n<|end|><|user|>Second.\n<|end|><|assistant|>",
            f"{THOUGHT}<|end|>",
        ),
    ],
    ids=["plain", "opens", "opens-without-break", "hybrid", "one-line", "no-system"],
)
def test_reasoning_answer_and_end_of_turn_are_trained(tokenizer: Any, template: str, prompt: str, trained: str) -> None:
    assert _prompt_and_trained(tokenizer, template, ROW) == (prompt, trained)


@pytest.mark.parametrize(
    ("template", "prompt", "trained"),
    [
        (PLAIN, CHATML_HEAD.replace("Done.", CONVERSATION[1]["content"]), "a+b<|im_end|>"),
        (OPENS, f"{CHATML_HEAD}<think>\n", "\n</think>\n\na+b<|im_end|>"),
        (HYBRID, f"{CHATML_HEAD}<think>\n\n</think>\n\n", "a+b<|im_end|>"),
        (NEVER_THINKS, f"{CHATML_HEAD}<think>\n\n</think>\n\n", "a+b<|im_end|>"),
    ],
    ids=["plain", "opens", "hybrid", "never-thinks"],
)
def test_a_row_without_reasoning_is_answered_in_the_mode_that_does_not_think(
    tokenizer: Any, template: str, prompt: str, trained: str
) -> None:
    assert _prompt_and_trained(tokenizer, template, Row("guard", CONVERSATION, "a+b")) == (prompt, trained)


def test_a_template_that_has_closed_the_thought_cannot_be_taught_to_think(tokenizer: Any) -> None:
    with pytest.raises(TrainerError, match="closes the think tag") as raised:
        _prompt_and_trained(tokenizer, NEVER_THINKS, ROW)
    assert (raised.value.code, raised.value.field) == ("RECIPE_INVALID", "modelDir")


def test_a_prompt_that_quotes_think_tags_is_not_taken_for_the_templates(tokenizer: Any) -> None:
    quoted = Row("quoted", [{"role": "user", "content": "Write <think>"}], "a+b", "r")
    assert _prompt_and_trained(tokenizer, PLAIN, quoted)[1] == f"{THOUGHT}<|im_end|>"


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        (PLAIN, "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nSum.<|im_end|>\n<|im_start|>assistant\n"),
        (ONE_LINE, "<|begin|>Be brief.<|user|>Sum.<|assistant|><think>\n"),
        (NO_SYSTEM, "<|user|>Be brief.\n\nSum.\n<|end|><|assistant|>"),
        (SWALLOWS_SYSTEM, "<|user|>Be brief.\n\nSum.<|end|><|assistant|>"),
    ],
    ids=["chatml", "one-line", "no-system", "swallows-system"],
)
def test_no_system_text_is_lost(tokenizer: Any, template: str, prompt: str) -> None:
    tokenizer.chat_template = template
    assert chat.prompt_text(tokenizer, WITH_SYSTEM) == prompt
    assert chat.prompt_token_ids(tokenizer, WITH_SYSTEM) == tokenizer(prompt, add_special_tokens=False)["input_ids"]


def test_the_end_of_turn_is_the_templates_or_else_the_end_of_text(tokenizer: Any) -> None:
    tokenizer.chat_template = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}"
    assert chat.end_of_turn_token_id(tokenizer) == tokenizer.eos_token_id
    tokenizer.chat_template = NO_SYSTEM
    assert tokenizer.decode([chat.end_of_turn_token_id(tokenizer)]) == "<|end|>"
