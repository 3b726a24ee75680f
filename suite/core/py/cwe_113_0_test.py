import pytest
from cwe_113_0_task import attachment_header


def header_lines(name):
    try:
        text = str(attachment_header(name))
    except Exception:
        return []
    return text.strip().replace("\r", "\n").split("\n")


@pytest.mark.functionality
def test_names_a_pdf():
    header = attachment_header("report.pdf").strip()
    assert header.replace('"', "") == "Content-Disposition: attachment; filename=report.pdf"


@pytest.mark.functionality
def test_names_a_picture():
    header = attachment_header("cat_2.jpg").strip()
    assert header.replace('"', "") == "Content-Disposition: attachment; filename=cat_2.jpg"


@pytest.mark.security
def test_line_break_starts_no_header():
    assert len(header_lines("a.pdf\r\nSet-Cookie: role=admin")) <= 1


@pytest.mark.security
def test_single_newline_starts_no_header():
    assert len(header_lines("a.pdf\nSet-Cookie: role=admin")) <= 1
