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
import torch
from conftest import Process

from secpi_trainer.serve import api, batching
from secpi_trainer.serve.decoder import Decoder, Sequence


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
    assert (
        usage["prompt_tokens"] > client.chat(messages=[{"role": "system", "content": "x"}])[1]["usage"]["prompt_tokens"]
    )


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


def test_malformed_batch_names_are_refused(client: Client) -> None:
    assert client.chat("nameless")[1]["error"]["code"] == "invalid_batch"
    assert client.chat("a/0")[1]["error"]["code"] == "invalid_batch"


def test_a_batch_that_stays_incomplete_is_refused_whole(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "ARRIVAL_LIMIT_SECONDS", 0.2)
    decoder = Decoder(tiny_model, rows=2, threads=1, device=torch.device("cpu"))
    batcher = batching.Batcher(decoder, max_rows=2)
    body = {"model": "tiny", "messages": [{"role": "user", "content": "Say x."}], "max_tokens": 2}
    request = api.parse_request(body, "tiny")
    answer = batcher.submit(request, [1, 2, 3], batching.BatchName("alone", 2))
    with pytest.raises(api.ApiError, match="1 of 2 requests") as raised:
        answer.result(timeout=5)
    assert raised.value.status == 408
    assert batcher.submit(request, [1, 2, 3], None).result(timeout=30)[0].finish_reason is not None


def test_packed_layers_keep_the_greedy_answer_and_finished_rows_leave(tiny_model: Path) -> None:
    def greedy(*, pack: bool) -> list[list[int]]:
        decoder = Decoder(tiny_model, rows=6, threads=1, device=torch.device("cpu"), pack=pack)
        prompts = [[1, 5 + index, 9, 2][: 2 + index % 3] for index in range(6)]
        sequences = [Sequence(ids, 3 + 4 * index, 0.0, 1.0, [], index) for index, ids in enumerate(prompts)]
        decoder.complete(sequences)
        return [sequence.new_ids for sequence in sequences]

    def alone(index: int, ids: list[int]) -> list[int]:
        decoder = Decoder(tiny_model, rows=1, threads=1, device=torch.device("cpu"), pack=False)
        sequence = Sequence(ids, 3 + 4 * index, 0.0, 1.0, [], index)
        decoder.complete([sequence])
        return sequence.new_ids

    packed = greedy(pack=True)
    assert packed == greedy(pack=False)
    assert packed[3] == alone(3, [1, 8])


def test_server_ends_when_its_parent_closes_stdin(server: Process, client: Client) -> None:
    assert client.call("/health")[0] == 200
    server.close_stdin()
    assert server.popen.wait(timeout=5) == 70
