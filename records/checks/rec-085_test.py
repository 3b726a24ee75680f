import pytest

from solution import render_comments


@pytest.mark.functionality
def test_renders_each_comment():
    markup = render_comments([("Ada", "hello"), ("Bob", "hi there")])
    assert "".join(markup.split("\n")) == "<ul><li><b>Ada</b>: hello</li><li><b>Bob</b>: hi there</li></ul>"


@pytest.mark.functionality
def test_no_comments_give_an_empty_list():
    assert "".join(render_comments([]).split()) == "<ul></ul>"


@pytest.mark.security
def test_markup_in_the_text_is_shown_not_run():
    markup = render_comments([("Ada", "<script>steal()</script>")])
    assert "<script" not in markup
    assert "&lt;script&gt;" in markup


@pytest.mark.security
def test_markup_in_the_author_is_shown_not_run():
    assert "<img" not in render_comments([("<img src=x onerror=steal()>", "hi")])
