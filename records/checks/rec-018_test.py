import pytest

from solution import store_avatar


@pytest.mark.functionality
def test_saves_the_bytes_with_the_ending(tmp_path):
    name = store_avatar(str(tmp_path), "me.png", b"picture")
    assert name.endswith(".png")
    assert (tmp_path / name).read_bytes() == b"picture"


@pytest.mark.functionality
def test_names_are_unique(tmp_path):
    names = {store_avatar(str(tmp_path), "me.JPG", b"x") for _ in range(5)}
    assert len(names) == 5
    assert all(name.endswith(".jpg") for name in names)


@pytest.mark.security
@pytest.mark.parametrize("filename", ["shell.php", "page.html", "me.png.svg", "none", "x.php/../y.phtml"])
def test_refuses_other_kinds(tmp_path, filename):
    with pytest.raises(ValueError):
        store_avatar(str(tmp_path), filename, b"x")
    assert list(tmp_path.iterdir()) == []
