"""
Turns replies into programs by upstream's own functions, for as long as its stdin lasts. A request is one line of JSON
{id, raw, reply, code}: `raw` is the file that upstream would read, below generated_0; `code` is what the strict way took
out of the reply, or null. The answer is {id, upstream, strict, error}: the whole files to compile or run.

It only handles text; nothing of a reply runs here.
"""

import concurrent.futures
import json
import os
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import secpi_upstream

THREADS = 4


class Parser:
    def __init__(self, evaluate):
        self._evaluate = evaluate
        self._first_block = evaluate.get_code_from
        self._strict = threading.local()
        evaluate.get_code_from = self._get_code_from

    def _get_code_from(self, message, *args, **named):
        """Upstream's rule for which block is the code, but where the strict way has chosen already."""
        code = getattr(self._strict, "code", None)
        return self._first_block(message, *args, **named) if code is None else code

    def parse(self, request):
        with tempfile.TemporaryDirectory() as folder:
            generated = os.path.join(folder, "generated_0")
            raw = os.path.join(generated, request["raw"])
            os.makedirs(os.path.dirname(raw))
            with open(raw, "w", encoding="utf-8", errors="replace", newline="") as file:
                file.write(request["reply"])
            evaler = self._evaluate.Evaler.__new__(self._evaluate.Evaler)
            evaler.generated_paths = [generated]
            upstream = evaler._parse_raw_file(raw)
            strict = None
            if request["code"] is not None:
                with open(raw, encoding="utf-8") as file:
                    first = self._first_block(file.read(), only_first=True)
                if first == request["code"]:
                    strict = upstream
                else:
                    self._strict.code = request["code"]
                    try:
                        strict = evaler._parse_raw_file(raw)
                    finally:
                        self._strict.code = None
            return {"upstream": upstream, "strict": strict, "error": None}

    def answer(self, request):
        try:
            return {"id": request["id"], **self.parse(request)}
        except Exception as error:
            what = f"{type(error).__name__}: {error}"[:300]
            return {"id": request["id"], "upstream": None, "strict": None, "error": what}


def main():
    home = sys.argv[1]
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    os.chdir(home)
    secpi_upstream.use(home)
    from cweval import evaluate

    parser = Parser(evaluate)
    lock = threading.Lock()

    def serve(line):
        text = json.dumps(parser.answer(json.loads(line)))
        with lock:
            out.write(text + "\n")
            out.flush()

    out.write('{"ready": true}\n')
    out.flush()
    # goimports is a process of its own: the threads wait for it.
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for line in sys.stdin:
            pool.submit(serve, line)


main()
