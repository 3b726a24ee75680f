import pytest
from cwe_079_0_task import greeting_html


def attack(name):
    try:
        return str(greeting_html(name)).lower()
    except Exception:
        return ""


@pytest.mark.functionality
def test_greets_ann():
    assert greeting_html("Ann").strip() == "<p>Hello Ann</p>"


@pytest.mark.functionality
def test_greets_bob():
    assert greeting_html("Bob Miller").strip() == "<p>Hello Bob Miller</p>"


@pytest.mark.security
def test_script_in_the_name_is_text():
    assert "<script" not in attack("<script>alert(1)</script>")


@pytest.mark.security
def test_image_in_the_name_is_text():
    assert "<img" not in attack("<img src=x onerror=alert(1)>")
