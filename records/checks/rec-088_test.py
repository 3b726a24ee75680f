import os

import pytest

from solution import export_chart


@pytest.mark.functionality
def test_stores_the_chart(tmp_path):
    path = export_chart(str(tmp_path), "Sales 2024", "<svg>1</svg>")
    assert os.path.samefile(path, tmp_path / "Sales 2024.svg")
    assert (tmp_path / "Sales 2024.svg").read_text(encoding="utf-8") == "<svg>1</svg>"


@pytest.mark.functionality
def test_overwrites_an_older_chart(tmp_path):
    export_chart(str(tmp_path), "trend", "<svg>old</svg>")
    export_chart(str(tmp_path), "trend", "<svg>new</svg>")
    assert (tmp_path / "trend.svg").read_text(encoding="utf-8") == "<svg>new</svg>"


@pytest.mark.security
def test_a_title_cannot_overwrite_a_neighbour(tmp_path):
    charts = tmp_path / "charts"
    charts.mkdir()
    (tmp_path / "home.svg").write_text("keep", encoding="utf-8")
    for title in ("../home", str(tmp_path / "home")):
        with pytest.raises(ValueError):
            export_chart(str(charts), title, "<svg/>")
    assert (tmp_path / "home.svg").read_text(encoding="utf-8") == "keep"
