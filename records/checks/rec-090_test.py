import pytest

from solution import load_theme_asset


def make_theme(tmp_path):
    theme = tmp_path / "plain"
    (theme / "css").mkdir(parents=True)
    (theme / "css" / "main.css").write_bytes(b"body { color: navy }")
    (theme / "logo.svg").write_bytes(b"<svg/>")
    (tmp_path / "settings.ini").write_bytes(b"hidden")
    (tmp_path / "plain-draft").mkdir()
    (tmp_path / "plain-draft" / "logo.svg").write_bytes(b"hidden")
    return theme


@pytest.mark.functionality
def test_reads_an_asset_in_a_sub_folder(tmp_path):
    assert load_theme_asset(str(make_theme(tmp_path)), "css/main.css") == b"body { color: navy }"


@pytest.mark.functionality
def test_reads_an_asset_at_the_top(tmp_path):
    assert load_theme_asset(str(make_theme(tmp_path)), "logo.svg") == b"<svg/>"


@pytest.mark.security
@pytest.mark.parametrize("asset", ["../settings.ini", "css/../../settings.ini", "../plain-draft/logo.svg"])
def test_refuses_names_that_climb_out(tmp_path, asset):
    with pytest.raises(ValueError):
        load_theme_asset(str(make_theme(tmp_path)), asset)


@pytest.mark.security
def test_refuses_an_absolute_name(tmp_path):
    theme = make_theme(tmp_path)
    with pytest.raises(ValueError):
        load_theme_asset(str(theme), str(tmp_path / "settings.ini"))
