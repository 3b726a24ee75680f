"""
Prints what the checkout asks models, and the headers that it puts before C and C++, as one JSON object. Arguments: the checkout as the sandbox sees it.
Messages are made by upstream's own prompt classes, sent to an endpoint that keeps them.
"""

import contextlib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import secpi_upstream

PROMPTS = {"none": "direct", "generic": "secure"}


class Keeper:
    """Where upstream expects its client."""

    def __init__(self):
        self.messages = []

    def send_message(self, messages, **_):
        self.messages = messages
        return []


def message(make_prompt, name, case):
    keeper = Keeper()
    make_prompt(name).req_ai(keeper, case["lang"], case["code_prompt"], metadata={})
    return "\n\n".join(part["content"] for part in keeper.messages)


def main():
    home = sys.argv[1]
    os.chdir(home)
    secpi_upstream.use(home)
    # Upstream prints while it works.
    with contextlib.redirect_stdout(sys.stderr):
        from cweval.commons import BENCHMARK_DIR, complete_code
        from cweval.generate import Gener
        from cweval.ppt import make_prompt

        tasks = [
            {
                "path": os.path.relpath(path, BENCHMARK_DIR),
                "codePrompt": case["code_prompt"],
                "prompts": {variant: message(make_prompt, name, case) for variant, name in PROMPTS.items()},
            }
            for path, case in Gener().cases.items()
        ]
        headers = {lang: complete_code("", lang) for lang in ("c", "cpp")}
    json.dump({"benchmarkDir": BENCHMARK_DIR, "headers": headers, "tasks": tasks}, sys.stdout)


main()
