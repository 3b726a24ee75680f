"""The server speaks OpenAI's protocol, refuses what it cannot do, and repeats a named batch exactly."""

from __future__ import annotations

import json
import random
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import Process


class Client:
    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"

    def call(self, path: str, body: Any = None, batch: str | None = None) -> tuple[int, Any]:
        headers = {"content-type": "application/json", **({"x-secpi-batch": batch} if batch else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def chat(self, batch: str | None = None, **fields: Any) -> tuple[int, Any]:
        body = {"model": "tiny", "messages": [{"role": "user", "content": "Say x."}], "max_tokens": 12, **fields}
        return self.call("/v1/chat/completions", body, batch)


@pytest.fixture(scope="module")
def server(tiny_model: Path) -> Iterator[Process]:
    process = Process("serve", "--model", str(tiny_model), "--max-batch", "8", "--threads", "1")
    try:
        yield process
    finally:
        process.stop()


@pytest.fixture(scope="module")
def client(server: Process) -> Client:
    return Client(server.until("ready")["port"])


def _text(answer: tuple[int, Any]) -> str:
    status, body = answer
    assert status == 200, body
    return body["choices"][0]["message"]["content"]


def test_health_and_models(client: Client) -> None:
    assert client.call("/health") == (200, {"status": "ok"})
    assert [model["id"] for model in client.call("/v1/models")[1]["data"]] == ["tiny"]
    assert client.call("/v1/other")[0] == 404


def test_usage_choices_and_finish_reason(client: Client) -> None:
    status, body = client.chat(n=3, temperature=1, seed=5)
    assert status == 200
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert len({choice["message"]["content"] for choice in body["choices"]}) == 3
    assert {choice["finish_reason"] for choice in body["choices"]} <= {"stop", "length"}
    usage = body["usage"]
    assert 0 < usage["completion_tokens"] <= 36
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    # The default system message of the template counts: serving renders prompts as training does.
    assert usage["prompt_tokens"] > client.chat(messages=[{"role": "system", "content": "x"}])[1]["usage"]["prompt_tokens"]


def test_greedy_and_seeded_answers_repeat(client: Client) -> None:
    assert _text(client.chat(temperature=0)) == _text(client.chat(temperature=0))
    assert _text(client.chat(seed=1)) == _text(client.chat(seed=1))
    assert len({_text(client.chat(seed=seed)) for seed in range(4)}) == 4
    assert _text(client.chat()) != _text(client.chat())


def test_stop_text_ends_the_answer(client: Client) -> None:
    whole = _text(client.chat(temperature=0, max_tokens=30))
    stop = whole[len(whole) // 2 : len(whole) // 2 + 2]
    status, body = client.chat(temperature=0, max_tokens=30, stop=[stop])
    assert status == 200
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["choices"][0]["message"]["content"] == whole[: whole.index(stop)]


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"response_format": {"type": "json_object"}}, 400, "response_format"),
        ({"stream": True}, 400, "stream"),
        ({"temperature": 3}, 400, "temperature"),
        ({"n": 0}, 400, "n"),
        ({"messages": []}, 400, "messages"),
        ({"max_tokens": 100_000}, 400, "messages"),
        ({"model": "other"}, 404, "model"),
    ],
)
def test_unsupported_requests_are_refused(client: Client, fields: dict[str, Any], status: int, param: str) -> None:
    answer, body = client.chat(**fields)
    assert (answer, body["error"]["param"]) == (status, param)
    assert body["error"]["type"] == "invalid_request_error"


def _run_batch(client: Client, name: str, order: list[int]) -> dict[int, str]:
    def one(index: int) -> tuple[int, str]:
        message = [{"role": "user", "content": f"Task {index % 5}"}]
        batch = f"{name}/{len(order)}"
        return index, _text(client.chat(batch, messages=message, seed=index // 2, max_tokens=8 + 5 * index))

    with ThreadPoolExecutor(len(order)) as pool:
        return dict(pool.map(one, order))


def test_a_named_batch_repeats_whatever_the_order_of_arrival(client: Client) -> None:
    order = list(range(11))
    first = _run_batch(client, "run-1/filter", order)
    for attempt in range(2):
        random.Random(attempt).shuffle(order)
        assert _run_batch(client, f"run-{attempt + 2}/filter", order) == first
    assert len(set(first.values())) == len(first)


def test_malformed_and_incomplete_batches_are_refused(client: Client) -> None:
    assert client.chat("nameless")[1]["error"]["code"] == "invalid_batch"
    assert client.chat("a/0")[1]["error"]["code"] == "invalid_batch"
    status, body = client.chat("never-complete/2")
    assert (status, body["error"]["code"]) == (408, "batch_incomplete")


def test_server_ends_when_its_parent_closes_stdin(server: Process, client: Client) -> None:
    assert client.call("/health")[0] == 200
    server.close_stdin()
    assert server.popen.wait(timeout=5) == 70
