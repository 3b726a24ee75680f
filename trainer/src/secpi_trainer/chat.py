"""The one rendering of a conversation, shared by training and serving so that both see the same tokens."""

from __future__ import annotations

from typing import Any

from jinja2 import TemplateError

from .errors import TrainerError

THINK_OPEN = "<think>"
THINK_CLOSE = "</think>"


def _render(tokenizer: Any, messages: list[dict[str, str]], **options: Any) -> str:
    return tokenizer.apply_chat_template(messages, tokenize=False, **options)


def _knows_system_role(tokenizer: Any) -> bool:
    marker = "system-role-probe"
    try:
        conversation = [{"role": "system", "content": marker}, {"role": "user", "content": "x"}]
        return marker in _render(tokenizer, conversation, add_generation_prompt=True)
    except TemplateError:
        return False


def _without_system_role(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The system text before the first user message, as makers of models without that role advise."""
    system, first, *rest = messages
    return [{"role": first["role"], "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def prompt_text(tokenizer: Any, messages: list[dict[str, str]], *, thinking: bool = True) -> str:
    """The model's own chat template with its generation prompt, in the mode that it takes unasked.

    Some templates add a default system message when the conversation has none (SmolLM2 does); for one without a system
    role, the system text goes before the first user message. With `thinking` false, a template that has such a mode
    (`enable_thinking`, as Qwen3) is asked not to think.
    """
    if len(messages) > 1 and messages[0]["role"] == "system" and not _knows_system_role(tokenizer):
        messages = _without_system_role(messages)
    options = {} if thinking else {"enable_thinking": False}
    return _render(tokenizer, messages, add_generation_prompt=True, **options)


def prompt_token_ids(tokenizer: Any, messages: list[dict[str, str]]) -> list[int]:
    """Token ids of `prompt_text`; the template writes every special token itself, so none is added."""
    return tokenizer(prompt_text(tokenizer, messages), add_special_tokens=False)["input_ids"]


def completion_text(prompt: str, reasoning: str | None, answer: str) -> str:
    """What the model learns to write after `prompt`: `<think>\\n{reasoning}\\n</think>\\n\\n{answer}`.

    What the template's generation prompt has written of it already is left out: QwQ and DeepSeek-R1 open the think
    tag there, with or without the line break. Raises `RECIPE_INVALID` when it has closed the tag too, before a row
    that thinks: such a model would never be asked to. Without reasoning the answer stands alone, after an empty thought
    where the prompt has opened one.
    """
    _, tag, tail = prompt.rpartition(THINK_OPEN)
    is_open = tag != "" and tail.strip() == ""
    if reasoning is None:
        return f"\n{THINK_CLOSE}\n\n{answer}" if is_open else answer
    if prompt.rstrip().endswith(THINK_CLOSE):
        raise TrainerError(
            "RECIPE_INVALID",
            "modelDir: the chat template closes the think tag in its generation prompt, so reasoning cannot follow it",
            "Give the model a chat template whose unasked mode thinks.",
            field="modelDir",
        )
    text = f"{THINK_OPEN}\n{reasoning}\n{THINK_CLOSE}\n\n{answer}"
    # The line break after the tag is the template's where it has written one, and however many it wrote.
    return text.removeprefix(THINK_OPEN).removeprefix("\n" if tail else "") if is_open else text


def _special_token_ids(tokenizer: Any) -> set[int]:
    added = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    return added | set(tokenizer.all_special_ids)


def end_of_turn_token_id(tokenizer: Any) -> int:
    """The token that closes an assistant turn: the first special one the template writes after it, else EOS."""
    marker = "end-of-turn-probe"
    conversation = [{"role": "user", "content": "x"}, {"role": "assistant", "content": marker}]
    tail = _render(tokenizer, conversation).rpartition(marker)[2]
    specials = _special_token_ids(tokenizer)
    ids = tokenizer(tail, add_special_tokens=False)["input_ids"]
    return next((index for index in ids if index in specials), tokenizer.eos_token_id)
