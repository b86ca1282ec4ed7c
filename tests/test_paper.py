"""Paper: what is printed can be read back, breaks over pages without losing a row, is tagged, and is the same twice."""

from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from outputs.paper import Paper, PaperColumn, Tile

WRITTEN = datetime(2026, 10, 28, 1, 47, tzinfo=UTC)
COLUMNS = [
    PaperColumn("name", "Name", 2),
    PaperColumn("number", "Number", 1, "number"),
    PaperColumn("rag", "Rating", 1, "tag"),
    PaperColumn("history", "Trend", 1, "spark"),
    PaperColumn("share", "Share", 1, "bar"),
]


def _row(number):
    return {
        "name": f"line {number:03}",
        "number": f"{number:,}",
        "rag": ("Red", "red"),
        "history": [1.0, None, number],
        "share": 0.5,
    }


def _paper(rows=3):
    paper = Paper("A pack", "Northmere, 27 October 2026", WRITTEN)
    paper.notice("Look here first", "critical")
    paper.heading("Żółć, Ōtāhuhu and O’Neill")
    paper.tiles([Tile("12", "children", "target 0", "bad"), Tile("3", "plans", tone="good")])
    paper.heading("Lines", 2)
    paper.paragraph("Some words. " * 40)
    paper.bullets(["first", "second"])
    paper.table([_row(number) for number in range(rows)], COLUMNS, "Caption", total={"name": "All", "number": "999"})
    paper.columns([("Nov 2026", 4, "late"), ("Dec 2026", 0, "")], "Four in November")
    paper.line([("Oct", 80.0), ("Nov", None), ("Dec", 81.5)], "From 80 to 81.5", target=100)
    paper.facts([("Run", "2026-10-27-1")])
    return paper


@pytest.fixture
def read(tmp_path):
    def read(paper):
        paper.save(tmp_path / "paper.pdf")
        return PdfReader(tmp_path / "paper.pdf")

    return read


def test_words_in_any_european_alphabet_are_read_back_from_the_embedded_font(read):
    text = "\n".join(page.extract_text() for page in read(_paper()).pages)
    for words in ("Żółć, Ōtāhuhu and O’Neill", "Look here first", "target 0", "Official: sensitive", "2026-10-27-1"):
        assert words in text


def test_a_table_of_many_pages_keeps_every_row_once_and_repeats_its_head(read):
    pages = [page.extract_text() for page in read(_paper(200)).pages]
    text = "\n".join(pages)
    assert all(text.count(f"line {number:03}") == 1 for number in range(200))
    holding = [page for page in pages if "line " in page]
    assert len(holding) > 3 and all("Rating" in page for page in holding)
    assert all(f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1))


def test_a_long_paragraph_goes_on_on_the_next_page(read):
    paper = Paper("A pack", "Northmere", WRITTEN)
    paper.paragraph(" ".join(f"word{number}" for number in range(3000)))
    text = " ".join(page.extract_text() for page in read(paper).pages).split()
    assert [word for word in text if word.startswith("word")] == [f"word{number}" for number in range(3000)]


def test_the_same_content_and_time_stamp_are_the_same_bytes(tmp_path):
    for name in ("one.pdf", "two.pdf"):
        _paper().save(tmp_path / name)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def test_the_document_says_its_language_title_and_structure(read):
    reader = read(_paper())
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en-GB" and reader.metadata.title == "A pack" and root["/MarkInfo"]["/Marked"]
    parts = [part.get_object() for part in root["/StructTreeRoot"]["/K"][0].get_object()["/K"]]
    assert [part["/T"] for part in parts if part["/S"] in ("/H1", "/H2", "/H3")] == [
        "A pack",
        "Żółć, Ōtāhuhu and O’Neill",
        "Lines",
    ]
    assert [part["/Alt"] for part in parts if part["/S"] == "/Figure"] == ["Four in November", "From 80 to 81.5"]


def test_text_that_holds_a_control_character_or_a_lone_surrogate_is_printed_without_it(read):
    paper = Paper("A pack", "Northmere", WRITTEN)
    paper.paragraph("left\x00 and \ud800right")
    assert "left and right" in read(paper).pages[0].extract_text()


@pytest.mark.parametrize("left", [25, 34, 40, 46, 60])
def test_a_heading_and_a_short_table_stand_on_one_page(read, left):
    paper = Paper("A pack", "Northmere", WRITTEN)
    paper.pdf.ln(paper.pdf.space_left - left)
    paper.heading("Can it be relied on?")
    paper.table([_row(number) for number in range(4)], COLUMNS, "Caption")
    [page] = [page.extract_text() for page in read(paper).pages if "Can it be relied on?" in page.extract_text()]
    assert "Caption" in page and all(f"line {number:03}" in page for number in range(4))
