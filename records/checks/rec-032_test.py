import pytest

from solution import fill_letter


def make_letters(tmp_path):
    folder = tmp_path / "letters"
    (folder / "de").mkdir(parents=True)
    (folder / "welcome.txt").write_text("Dear $name, welcome.", encoding="utf-8")
    (folder / "de" / "invoice.txt").write_text("Betrag: $amount €", encoding="utf-8")
    (tmp_path / "internal.txt").write_text("not a letter", encoding="utf-8")
    return folder


@pytest.mark.functionality
def test_fills_the_values_in(tmp_path):
    assert fill_letter(make_letters(tmp_path), "welcome", {"name": "Ada"}) == "Dear Ada, welcome."


@pytest.mark.functionality
def test_finds_templates_in_sub_folders(tmp_path):
    assert fill_letter(make_letters(tmp_path), "de/invoice", {"amount": "12"}) == "Betrag: 12 €"


@pytest.mark.security
def test_refuses_a_parent_step(tmp_path):
    with pytest.raises(ValueError):
        fill_letter(make_letters(tmp_path), "../internal", {})


@pytest.mark.security
def test_refuses_an_absolute_name(tmp_path):
    folder = make_letters(tmp_path)
    with pytest.raises(ValueError):
        fill_letter(folder, str(tmp_path / "internal"), {})
