"""Files that arrive in pieces."""

import hashlib
import random

from hypothesis import given
from hypothesis import strategies as st

from kling_nb.ui.panel.uploads import MAX_BYTES, MAX_OPEN, Uploads

PIECE = 1024 * 1024


def send(uploads, data, *, upload="u", piece=PIECE):
    count = max(1, -(-len(data) // piece))
    for number in range(count):
        head = {"id": upload, "name": "face.png", "size": len(data), "piece": number}
        reply, whole = uploads.piece(head, data[number * piece : (number + 1) * piece])
    return reply, whole


def test_fifty_megabytes_arrive_whole():
    data = random.Random(1).randbytes(50 * 1024 * 1024)  # noqa: S311 - bytes to compare, no secret

    _, whole = send(Uploads(), data)

    assert whole is not None
    assert hashlib.sha256(whole[1]).digest() == hashlib.sha256(data).digest()


@given(data=st.binary(max_size=300), piece=st.integers(1, 80))
def test_any_size_in_any_pieces_arrives_as_it_was(data, piece):
    assert send(Uploads(), data, piece=piece)[1] == ("face.png", data)


def test_each_piece_is_acknowledged():
    reply, whole = Uploads().piece({"id": "u", "name": "x", "size": 4, "piece": 0}, b"ab")

    assert (reply, whole) == ({"kind": "received", "id": "u", "pieces": 1}, None)


def test_a_repeated_piece_is_acknowledged_and_not_added():
    uploads = Uploads()
    head = {"id": "u", "name": "x", "size": 4}
    uploads.piece({**head, "piece": 0}, b"ab")

    again, _ = uploads.piece({**head, "piece": 0}, b"ab")
    _, whole = uploads.piece({**head, "piece": 1}, b"cd")

    assert again["pieces"] == 1
    assert whole == ("x", b"abcd")


def test_a_piece_of_an_unknown_upload_is_refused():
    reply, whole = Uploads().piece({"id": "old", "name": "x", "size": 9, "piece": 3}, b"zz")

    assert reply["kind"] == "refused" and "again" in reply["reason"]
    assert whole is None


def test_a_gap_or_excess_ends_the_upload():
    for number, data in ((2, b"x"), (1, b"x" * 99)):
        uploads = Uploads()
        uploads.piece({"id": "u", "name": "x", "size": 9, "piece": 0}, b"a")

        reply, _ = uploads.piece({"id": "u", "name": "x", "size": 9, "piece": number}, data)

        assert reply["kind"] == "refused"


def test_two_uploads_at_once_do_not_mix():
    uploads = Uploads()
    for number in range(2):
        for name in "ab":
            head = {"id": name, "name": name, "size": 2, "piece": number}
            _, whole = uploads.piece(head, name.encode())
            if number:
                assert whole == (name, name.encode() * 2)


def test_a_file_that_is_too_large_is_refused_at_its_first_piece():
    reply, _ = Uploads().piece({"id": "u", "name": "x", "size": MAX_BYTES + 1, "piece": 0}, b"a")

    assert reply["kind"] == "refused"


def test_the_oldest_unfinished_uploads_are_forgotten():
    uploads = Uploads()
    for number in range(MAX_OPEN + 1):
        uploads.piece({"id": str(number), "name": "x", "size": 9, "piece": 0}, b"a")

    assert uploads.piece({"id": "0", "name": "x", "size": 9, "piece": 1}, b"a")[0]["kind"] == "refused"
    assert uploads.piece({"id": "1", "name": "x", "size": 9, "piece": 1}, b"a")[0]["kind"] == "received"
