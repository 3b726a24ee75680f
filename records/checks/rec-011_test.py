import pytest

from solution import breadcrumb


@pytest.mark.functionality
def test_joins_the_parts():
    assert breadcrumb(["Home", "Music"]) == "<nav><span>Home</span> / <span>Music</span></nav>"


@pytest.mark.functionality
def test_one_part_has_no_separator():
    assert breadcrumb(["Home"]) == "<nav><span>Home</span></nav>"


@pytest.mark.security
def test_a_folder_name_is_only_text():
    markup = breadcrumb(["Home", "<svg onload=x()>"])
    assert "<svg" not in markup
    assert "&lt;svg" in markup
