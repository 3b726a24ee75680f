"""The HTTP face of the server, on the loopback interface only."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .. import chat
from . import api
from .api import ApiError
from .batching import Batcher, parse_batch_name
from .decoder import Decoder

MAX_BODY_BYTES = 8 * 2**20


class ChatServer(ThreadingHTTPServer):
    """One thread per connection; all of them wait on the batcher."""

    daemon_threads = True
    # A whole batch connects at once.
    request_queue_size = 1024

    def __init__(self, port: int, decoder: Decoder, batcher: Batcher, model_name: str) -> None:
        self.decoder = decoder
        self.batcher = batcher
        self.model_name = model_name
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"
    # Headers and body leave in separate writes; without this each answer waits for a delayed acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/health":
            self._send(200, {"status": "ok"})
        elif self.path == "/v1/models":
            model = {"id": self.server.model_name, "object": "model", "created": 0, "owned_by": "local"}
            self._send(200, {"object": "list", "data": [model]})
        else:
            self._not_found()

    def do_POST(self) -> None:
        try:
            body = self._read_body()
            if self.path == "/v1/chat/completions":
                self._send(200, self._complete(body))
            else:
                self._not_found()
        except ApiError as error:
            self._send(error.status, error.body)

    def _not_found(self) -> None:
        self._send(404, ApiError(404, "not_found", f"no such path: {self.path}").body)

    def _read_body(self) -> Any:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise ApiError(413, "invalid_body", f"a content-length of at most {MAX_BODY_BYTES} bytes is required")
        try:
            return json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise ApiError(400, "invalid_json", f"the body is not JSON: {error}") from error

    def _complete(self, body: Any) -> Any:
        server = self.server
        request = api.parse_request(body, server.model_name)
        header = self.headers.get("x-secpi-batch")
        batch = None if header is None else parse_batch_name(header)
        prompt_ids = chat.prompt_token_ids(server.decoder.tokenizer, request.messages)
        sequences = server.batcher.submit(request, prompt_ids, batch).result()
        choices = [(str(sequence.text), str(sequence.finish_reason)) for sequence in sequences]
        new_tokens = sum(len(sequence.new_ids) for sequence in sequences)
        return api.completion_body(server.model_name, choices, len(prompt_ids), new_tokens)

    def _send(self, status: int, body: Any) -> None:
        content = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """No access log: the caller counts its own requests."""
