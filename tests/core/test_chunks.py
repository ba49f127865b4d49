"""Series keep their chunk, and what chunks keep survives as bytes."""

from __future__ import annotations

import pytest

from alerting.core.chunks import Chunk, Share, named, packed, shared_out, unpacked

A, B, C, D, E = ({"c": name} for name in "abcde")
CHUNKS = (Chunk((named(A), named(C)), b"\x00 one \n"), Chunk((named(E),), b"two"))


def test_chunks_come_back_from_their_bytes() -> None:
    assert unpacked(packed(CHUNKS)) == CHUNKS


def test_the_bytes_are_hardly_longer_than_the_states() -> None:
    state = bytes(range(256)) * 4000
    assert len(packed([Chunk((named(A),), state)])) < len(state) + 100


def test_where_no_detector_keeps_anything_nothing_is_kept() -> None:
    assert packed([Chunk((named(A),)), Chunk((named(B),))]) == b""


@pytest.mark.parametrize("cut", [5, 12, 30, -1])
def test_damaged_bytes_are_no_chunks(cut: int) -> None:
    assert unpacked(packed(CHUNKS)[:cut]) == ()


@pytest.mark.parametrize("foreign", [None, b"", b'["AAAA", "BBBB"]', b"\x93NUMPY"])
def test_bytes_of_something_else_are_no_chunks(foreign: bytes | None) -> None:
    assert unpacked(foreign) == ()


def test_without_a_past_series_fill_one_chunk_after_another() -> None:
    assert shared_out([A, B, C, D, E], (), 2) == [Share((0, 1)), Share((2, 3)), Share((4,))]


def test_a_series_that_sorts_in_between_moves_nobody() -> None:
    assert shared_out([A, B, C, E], CHUNKS, 2) == [Share((0, 2), CHUNKS[0].state), Share((1, 3), CHUNKS[1].state)]


def test_a_new_series_begins_a_chunk_where_all_are_full() -> None:
    chunks = (Chunk((named(A), named(B)), b"one"), Chunk((named(C), named(E)), b"two"))
    assert shared_out([A, B, C, D, E], chunks, 2) == [Share((0, 1), b"one"), Share((2, 4), b"two"), Share((3,))]


def test_a_series_that_is_gone_leaves_its_place_to_the_next_new_one() -> None:
    chunks = (Chunk((named(A), named(B)), b"one"), Chunk((named(C), named(D)), b"two"))
    assert shared_out([B, C, D, E], chunks, 2) == [Share((0, 3), b"one"), Share((1, 2), b"two")]


def test_a_chunk_of_which_nobody_is_left_is_gone() -> None:
    assert shared_out([A, C], CHUNKS, 2) == [Share((0, 1), CHUNKS[0].state)]
