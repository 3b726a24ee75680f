"""A stand-in for CWEval's module of this name."""

import litellm


class AIAPI:
    def send_message(self, messages):
        return litellm.completion(messages=messages)
