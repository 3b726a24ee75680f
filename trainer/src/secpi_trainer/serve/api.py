"""The chat-completions wire format: strict parsing of requests, and answers in OpenAI's shape."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

MAX_CHOICES = 128
MAX_STOPS = 4
DEFAULT_NEW_TOKENS = 1024
ROLES = ("system", "user", "assistant")
FIELDS = {
    "model",
    "messages",
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "n",
    "stop",
    "stream",
}


class ApiError(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        kind = "invalid_request_error" if status < 500 else "server_error"
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True)
class ChatRequest:
    """A validated request. `content_key` is equal exactly for requests that ask for the same thing."""

    messages: list[dict[str, str]]
    temperature: float
    top_p: float
    max_new_tokens: int | None
    seed: int | None
    choices: int
    stop: list[str]

    @property
    def content_key(self) -> str:
        return hashlib.sha256(json.dumps(vars(self), sort_keys=True).encode()).hexdigest()


def _bad(param: str, message: str) -> ApiError:
    return ApiError(400, "invalid_value", f"{param}: {message}", param)


def _number(body: dict[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise _bad(name, f"must be a number from {low:g} to {high:g}")
    return float(value)


def _integer(body: dict[str, Any], name: str, low: int, high: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _bad(name, f"must be a whole number from {low} to {high}")
    return value


def _messages(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or not value:
        raise _bad("messages", "must be a list with at least one message")
    for message in value:
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            raise _bad("messages", "each message must have exactly role and content")
        if message["role"] not in ROLES or not isinstance(message["content"], str):
            raise _bad("messages", f"role must be one of {', '.join(ROLES)} and content a string")
    return value


def _stop(value: Any) -> list[str]:
    stops = [value] if isinstance(value, str) else (value or [])
    if not isinstance(stops, list) or len(stops) > MAX_STOPS or not all(isinstance(s, str) and s for s in stops):
        raise _bad("stop", f"must be a string or a list of at most {MAX_STOPS} strings")
    return stops


def parse_request(body: Any, model_name: str) -> ChatRequest:
    """Validates a request body. What is not supported is refused, never ignored."""
    if not isinstance(body, dict):
        raise ApiError(400, "invalid_json", "the body must be a JSON object")
    for name in body:
        if name not in FIELDS:
            raise ApiError(400, "unsupported_parameter", f"{name} is not supported by this server", name)
    if body.get("stream"):
        raise ApiError(400, "unsupported_parameter", "stream is not supported by this server", "stream")
    if body.get("model") != model_name:
        raise ApiError(404, "model_not_found", f"this server serves {model_name} only", "model")
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise _bad("max_tokens", "give either max_tokens or max_completion_tokens")
    limit = _integer(body, "max_completion_tokens", 1, 2**31) or _integer(body, "max_tokens", 1, 2**31)
    return ChatRequest(
        messages=_messages(body.get("messages")),
        temperature=_number(body, "temperature", 1.0, 0.0, 2.0),
        top_p=_number(body, "top_p", 1.0, 1e-6, 1.0),
        max_new_tokens=limit,
        seed=_integer(body, "seed", -(2**63), 2**63 - 1),
        choices=_integer(body, "n", 1, MAX_CHOICES) or 1,
        stop=_stop(body.get("stop")),
    )


def completion_body(model_name: str, choices: list[tuple[str, str]], prompt_tokens: int, new_tokens: int) -> Any:
    """The answer; `choices` are (text, finish reason)."""
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model_name,
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": text},
                "logprobs": None,
                "finish_reason": reason,
            }
            for index, (text, reason) in enumerate(choices)
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": new_tokens,
            "total_tokens": prompt_tokens + new_tokens,
        },
    }
