"""A stand-in for CWEval's package of this name."""


class Direct:
    extra = ""

    @classmethod
    def req_ai(cls, ai, lang, code_prompt, metadata):
        return ai.send_message([{"role": "user", "content": f"Complete this {lang} code.{cls.extra}\n\n{code_prompt}\n"}])


class Secure(Direct):
    extra = " Mind its security."


def make_prompt(name):
    return {"direct": Direct, "secure": Secure}[name]
