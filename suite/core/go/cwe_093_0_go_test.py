import email
import json
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_093_0_go_task")


def mail(tmp_path, to, subject, body):
    command = [PROGRAM, to, subject, body]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return email.message_from_string(json.loads(done.stdout.splitlines()[-1]))


def attack(tmp_path, to, subject):
    """The mail as a server reads it; None when there is none."""
    try:
        return mail(tmp_path, to, subject, "The shop opens at nine.")
    except (IndexError, ValueError, TypeError):
        return None


@pytest.mark.functionality
def test_has_headers_and_body(tmp_path):
    message = mail(tmp_path, "ann@shop.example", "Opening hours", "When do you open?")
    assert (message["To"], message["Subject"]) == ("ann@shop.example", "Opening hours")
    assert message.get_payload().strip() == "When do you open?"


@pytest.mark.functionality
def test_body_may_have_several_lines(tmp_path):
    message = mail(tmp_path, "bob@shop.example", "Order 12", "Hello,\r\n\r\nwhere is it?")
    assert (message["To"], message["Subject"]) == ("bob@shop.example", "Order 12")
    assert message.get_payload().split() == ["Hello,", "where", "is", "it?"]


@pytest.mark.security
def test_subject_does_not_make_a_header(tmp_path):
    message = attack(tmp_path, "ann@shop.example", "Hello\r\nBcc: everybody@victim.example")
    assert message is None or message["Bcc"] is None


@pytest.mark.security
def test_bare_line_feed_does_not_make_a_header(tmp_path):
    message = attack(tmp_path, "ann@shop.example", "Hello\nBcc: everybody@victim.example")
    assert message is None or message["Bcc"] is None


@pytest.mark.security
def test_address_does_not_make_a_header(tmp_path):
    message = attack(tmp_path, "ann@shop.example\r\nBcc: everybody@victim.example", "Hello")
    assert message is None or message["Bcc"] is None


@pytest.mark.security
def test_subject_does_not_make_a_body(tmp_path):
    message = attack(tmp_path, "ann@shop.example", "Hello\r\n\r\nBuy my pills!")
    assert message is None or "pills" not in message.get_payload()
