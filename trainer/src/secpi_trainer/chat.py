"""The one rendering of a conversation, shared by training and serving so that both see the same tokens."""

from __future__ import annotations

from typing import Any

THINK_OPEN = "<think>\n"


def prompt_text(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    """The model's own chat template with its generation prompt.

    Some templates add a default system message when the conversation has none (SmolLM2 does).
    """
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def prompt_token_ids(tokenizer: Any, messages: list[dict[str, str]]) -> list[int]:
    """Token ids of `prompt_text`; the template writes every special token itself, so none is added."""
    return tokenizer(prompt_text(tokenizer, messages), add_special_tokens=False)["input_ids"]


def completion_text(prompt: str, reasoning: str, answer: str) -> str:
    """What the model learns to write after `prompt`.

    A template that opens the think tag in its generation prompt (QwQ does) has written it already.
    """
    text = f"{THINK_OPEN}{reasoning}\n</think>\n\n{answer}"
    return text.removeprefix(THINK_OPEN) if prompt.endswith(THINK_OPEN) else text


def end_of_turn_token_id(tokenizer: Any) -> int:
    """The token that closes an assistant turn: the special token the template writes after it, else EOS."""
    marker = "end-of-turn-probe"
    conversation = [{"role": "user", "content": "x"}, {"role": "assistant", "content": marker}]
    tail = tokenizer.apply_chat_template(conversation, tokenize=False).rpartition(marker)[2]
    ids = tokenizer(tail, add_special_tokens=False)["input_ids"]
    if ids and ids[0] in tokenizer.all_special_ids:
        return ids[0]
    return tokenizer.eos_token_id
