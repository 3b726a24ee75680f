"""Starts the server and says when it is ready."""

from __future__ import annotations

import argparse
from typing import TextIO

from ..errors import EXIT_FINISHED
from ..protocol import end_with_stdin, write_line
from ..train.models import pick_device, require_model_folder
from .batching import Batcher
from .decoder import Decoder
from .http import ChatServer


def run_server(arguments: argparse.Namespace, protocol: TextIO) -> int:
    """Serves until stdin closes or a signal ends the process."""
    end_with_stdin()
    require_model_folder(arguments.model)
    device = pick_device()
    decoder = Decoder(arguments.model, rows=arguments.max_batch, threads=arguments.threads, device=device)
    model_name = arguments.model_name or arguments.model.resolve().name
    server = ChatServer(arguments.port, decoder, Batcher(decoder, arguments.max_batch), model_name)
    ready = {"event": "ready", "port": server.server_port, "model": model_name, "device": device.type}
    write_line(protocol, ready)
    server.serve_forever()
    return EXIT_FINISHED
