"""Text is cut at the ends of records and nowhere else, in blocks of any size."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boringml.batch import cutting
from boringml.batch.cutting import Piece, TextCutter, pieces_of_groups
from boringml.errors import BoringError

FIELD = st.text(alphabet='ab",\n é', max_size=6)
ROWS = st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=30)


def cut(content: bytes, chunk_rows: int, block: int, **options: int) -> list[Piece]:
    cutter = TextCutter(chunk_rows, True, 0, **options)
    blocks = (content[at : at + block] for at in range(0, len(content), block))
    return [*(piece for part in blocks for piece in cutter.feed(part)), *cutter.finish()]


def written(rows: list[tuple[str, str]], ending: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(1, 7), st.integers(1, 40), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_the_pieces_hold_every_record_once_and_whole(
    rows: list[tuple[str, str]], chunk_rows: int, block: int, ending: str, cut_end: bool
) -> None:
    content = written(rows, ending)
    if cut_end:
        content = content[: -len(ending)]
    pieces = cut(content, chunk_rows, block)
    assert [piece.start for piece in pieces] == [0, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == len(content)
    read = []
    for piece in pieces:
        part = io.StringIO(content[piece.start : piece.end].decode(), newline="")
        found = [tuple(row) for row in csv.reader(part)]
        assert (piece.rows, piece.first_row) == (len(found), len(read) + 1)
        assert piece.rows <= chunk_rows
        read += found
    assert read == rows


def test_blank_lines_are_no_records() -> None:
    pieces = cut(b"a,b\n\n\r\nc,d\n\n", 1, 3)
    assert [(piece.first_row, piece.rows) for piece in pieces] == [(1, 1), (2, 1)]


@pytest.mark.parametrize("content", [b"a,b\nc", b"a,b\nc\n", b"a,b\r\nc\r\n"])
def test_a_last_record_of_one_byte_is_a_record(content: bytes) -> None:
    assert sum(piece.rows for piece in cut(content, 10, 4)) == 2


def test_a_chunk_has_no_more_bytes_than_the_limit_and_one_record() -> None:
    pieces = cut(b"abcdefg\n" * 100, 1000, 16, most_bytes=40)
    assert max(piece.end - piece.start for piece in pieces) <= 48
    assert sum(piece.rows for piece in pieces) == 100


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b'a,"b\nc,d\n', "left open"), (b"a,b\rc,d\n", "carriage return")],
)
def test_what_cannot_be_cut_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(BoringError, match=problem) as refused:
        cut(content, 10, 4)
    assert refused.value.code == "data_unreadable"


def test_a_record_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(BoringError, match="left open"):
        cut(b"x" * 20 * 1024 * 1024, 10, 1024 * 1024)


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 60))
def test_row_groups_are_joined_and_never_split(groups: list[int], chunk_rows: int) -> None:
    pieces = list(pieces_of_groups(groups, chunk_rows))
    assert sum(piece.rows for piece in pieces) == sum(groups)
    for piece in pieces:
        assert piece.rows == sum(groups[index] for index in piece.row_groups)
        assert piece.rows <= chunk_rows or len([i for i in piece.row_groups if groups[i]]) == 1
    firsts = [1]
    for piece in pieces:
        firsts.append(firsts[-1] + piece.rows)
    assert [piece.first_row for piece in pieces] == firsts[:-1]


def test_a_row_group_that_no_scorer_could_hold_is_refused() -> None:
    with pytest.raises(BoringError) as refused:
        list(pieces_of_groups([cutting.MOST_GROUP_ROWS + 1], 10))
    assert refused.value.code == "row_group_too_large"
