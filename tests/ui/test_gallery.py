"""The gallery's Python side: what a browser may send, and what comes of it."""

import pytest
from gallery_stand import PLANTED, START, Stand
from kling_nb.exchange.selection import records_of

from kling_nb.errors import CreditError, KlingError
from kling_nb.models.judgements import Score
from kling_nb.ui.compare import CompareWidget
from kling_nb.ui.gallery.controller import tile_of
from kling_nb.ui.gallery.gallery import GalleryWidget


class Clock:
    now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def stand(tmp_path):
    stand = Stand(tmp_path / "log", 12)
    yield stand
    stand.log.close()


@pytest.fixture
def gallery(stand):
    return listening(stand.gallery())


def listening(gallery):
    gallery.replies, gallery.buffers = [], []

    def send(content, buffers=None):
        gallery.replies.append(content)
        gallery.buffers.append(buffers)

    gallery._widget.send = send
    gallery._guard._clock = Clock()
    return gallery


def say(gallery, kind, **content):
    gallery._widget._handle_custom_msg({"kind": kind, **content}, [])
    return gallery.replies[-1] if gallery.replies else None


def records(gallery, **filters):
    return say(gallery, "records", call="q", filters=filters, offset=0, limit=5)


def test_a_clip_that_moves_on_elsewhere_is_read_again_and_one_that_does_not_costs_no_message(stand, gallery):
    queued = stand.record("job00003").model_copy(update={"id": "job00099", "status": "queued", "clip": None})
    stand.log.save(queued)
    say(gallery, "poll", statuses={"job00099": "queued"})
    assert gallery.replies == []

    stand.log.save(queued.model_copy(update={"status": "failed"}))
    assert say(gallery, "poll", statuses={"job00099": "queued"}) == {"kind": "changed"}
    stand.log.trash("job00099")
    assert say(gallery, "poll", statuses={"job00099": "failed"}) == {"kind": "changed"}


@pytest.mark.parametrize("seen", [None, [], "x", {"no-such": "queued"}, {"../x": 3}])
def test_nonsense_that_is_looked_after_is_no_error(gallery, seen):
    say(gallery, "poll", statuses=seen)
    assert gallery._widget.alert == {}


def test_a_page_has_tiles_newest_first_and_how_many_there_are(gallery):
    page = say(gallery, "records", call="q", filters={}, offset=2, limit=3)

    assert (page["call"], page["offset"], page["total"]) == ("q", 2, 12)
    assert [tile["id"] for tile in page["tiles"]] == ["job00009", "job00008", "job00007"]
    assert page["tiles"][1]["poster"].startswith("data:image/jpeg;base64,")
    assert (page["tiles"][0]["clip"], page["tiles"][0]["status_text"]) == (False, "Failed")


def test_a_tile_has_its_scores_read_in_one_question_for_the_page(gallery, stand, monkeypatch):
    score = Score(clip=stand.clips[1].digest, name="motion", version="1", unit="px", value=1.25, at=START)
    stand.log.scores.add([score, score.model_copy(update={"name": "silence", "value": None})])
    asked = []
    read = stand.actions.scores
    monkeypatch.setattr(stand.actions, "scores", lambda records: asked.append(len(records)) or read(records))

    tiles = {tile["id"]: tile["scores"] for tile in records(gallery)["tiles"]}

    assert asked == [5]
    assert (tiles["job00010"], tiles["job00011"]) == (["motion 1.25 px"], [])
    assert say(gallery, "annotate", id="job00010", changes={"stars": 2})["tile"]["scores"] == ["motion 1.25 px"]


def test_a_tile_of_a_picture_is_one_and_has_no_length(stand):
    clip = stand.clips[0].model_copy(update={"media_type": "image/png", "duration": None})
    record = stand.record("job00003").model_copy(update={"clip": clip})

    tile = tile_of(record, None)

    assert (tile["image"], tile["length"], tile["figures"]) == (True, "", "336×192")
    assert tile_of(stand.record("job00003"), None)["image"] is False


def test_nobody_can_ask_for_more_than_a_page(gallery):
    assert len(say(gallery, "records", filters={}, offset=-5, limit=10**6)["tiles"]) == 12
    assert say(gallery, "records", filters={}, offset="x", limit="y")["total"] == 12


def test_filters_of_the_controls_stand_in_for_those_that_were_given(stand):
    stand.log.annotate("job00003", stars=5)
    gallery = listening(stand.gallery(status="succeeded", batch="batch"))

    assert gallery._widget.filters == {"status": "succeeded"}
    assert records(gallery)["total"] == 12
    assert records(gallery, status="failed")["total"] == 1
    assert records(gallery, stars=4, text="kite")["total"] == 1
    assert records(gallery, unheard_of="x")["total"] == 12


def test_a_filter_that_makes_no_sense_is_said_in_the_answer(gallery):
    assert "bogus" in records(gallery, status="bogus")["reason"]


def test_what_the_user_says_is_in_the_log_at_once(gallery, stand):
    say(gallery, "annotate", id="job00002", changes={"stars": 4})
    say(gallery, "annotate", id="job00002", changes={"tags": ["hero", "v2"], "note": "the one"})

    kept = stand.record("job00002")
    assert (kept.stars, kept.tags, kept.note) == (4, ("hero", "v2"), "the one")
    assert gallery._widget.choices["tags"] == ["hero", "v2"]
    assert gallery.replies[-1]["tile"]["note"] == "the one"


def test_no_stars_takes_them_back_and_nonsense_is_shown_as_an_error(gallery, stand):
    say(gallery, "annotate", id="job00002", changes={"stars": 4})
    say(gallery, "annotate", id="job00002", changes={"stars": 0})
    assert stand.record("job00002").stars is None

    say(gallery, "annotate", id="job00002", changes={"stars": 99})
    assert "give 1 to 5" in gallery._widget.alert["message"]


def test_a_clip_comes_as_its_bytes_and_a_lost_one_is_said(gallery, stand):
    assert say(gallery, "clip", call="c", id="job00000") == {"kind": "clip", "call": "c"}
    assert gallery.buffers[-1][0][4:8] == b"ftyp"

    stand.log.file(stand.clips[0].digest).unlink()
    assert "not there any more" in say(gallery, "clip", call="d", id="job00000")["reason"]
    assert "no record" in say(gallery, "clip", call="e", id="elsewhere")["reason"]


def test_generating_again_says_the_price_and_starts_what_was_agreed_to(gallery, stand):
    price = say(gallery, "price", call="o", ids=["job00000", "job00001"])["price"]
    assert price == "$1.57"  # 3 s and 4 s at $0.224

    say(gallery, "generate", press="p", ids=["job00000", "job00001"], price=price)

    assert [rerun_of for _, rerun_of in stand.started] == ["job00000", "job00001"]
    assert len(gallery._widget.rows) == 2


def test_one_press_starts_once_however_often_it_arrives(gallery, stand):
    for press in ("p", "p", "another half of a double click"):
        say(gallery, "generate", press=press, ids=["job00000"], price="$0.67")
    assert len(stand.started) == 1


def test_another_price_than_the_one_on_the_button_starts_nothing(gallery, stand):
    say(gallery, "generate", press="p", ids=["job00000"], price="$0.10")

    assert stand.started == []
    assert "the price is now $0.67" in gallery._widget.alert["message"]


def test_a_refusal_is_shown_and_what_had_started_is_kept(gallery, stand):
    stand.fault = CreditError("The account has no credits.")
    say(gallery, "generate", press="p", ids=["job00000"], price="$0.67")
    assert gallery._widget.alert["message"].startswith("The account has no credits.")


def test_a_job_that_ends_leaves_its_card_and_the_grid_is_told(gallery, stand):
    say(gallery, "generate", press="p", ids=["job00000"], price="$0.67")
    stand.started[0][0].become("succeeded")

    assert len(gallery._outlet.cards) == 1
    assert gallery.replies[-1] == {"kind": "changed"}


def test_deleting_goes_to_the_trash_and_can_be_undone(gallery, stand):
    assert say(gallery, "trash", ids=["job00000", "job00001"])["ids"] == ["job00000", "job00001"]
    assert stand.log.trashed() == ["job00000", "job00001"] and records(gallery)["total"] == 10

    say(gallery, "restore", ids=["job00000", "job00001"])

    assert stand.log.trashed() == [] and records(gallery)["total"] == 12
    assert stand.log.verify() == []


def test_what_was_deleted_before_a_fault_is_told(gallery):
    say(gallery, "trash", ids=["job00000", "gone", "job00001"])

    assert {"kind": "trashed", "ids": ["job00000"]} in gallery.replies
    assert "gone" in gallery._widget.alert["message"]


def test_comparing_opens_and_shuts_the_player(gallery):
    say(gallery, "compare", ids=["job00000", "job00001"])
    assert [take["letter"] for take in gallery._widget.comparison["clips"]] == ["A", "B"]

    say(gallery, "compare", ids=[])
    assert gallery._widget.comparison == {}


def test_a_record_without_a_clip_cannot_be_compared_and_this_is_said(gallery):
    say(gallery, "compare", ids=["job00000", "job00009"])
    assert "job00009 is failed: it has no clip" in gallery._widget.alert["message"]


@pytest.mark.parametrize("message", [{}, {"kind": "nonsense"}, {"kind": "trash", "ids": None}, {"kind": "annotate"}])
def test_a_message_that_makes_no_sense_harms_nothing(gallery, stand, message):
    gallery._widget._handle_custom_msg(message, [])
    assert stand.log.count() == 12


@pytest.mark.parametrize("ids", [[], ["job00000"], ["job00000", "job00000"], [f"job{n:05}" for n in range(12)]])
def test_a_comparison_takes_two_to_nine_different_clips(stand, ids):
    with pytest.raises(KlingError, match=r"2 to 9 different clips|has no clip"):
        stand.actions.comparison(records_of(ids, stand.record))


def test_records_clips_jobs_ids_and_lists_of_them_can_be_compared(stand):
    one, two = stand.record("job00000"), stand.record("job00001")
    assert records_of([one, ["job00001", (two, "job00002")]], stand.record) == [one, two, stand.record("job00002")]
    with pytest.raises(KlingError, match="3 is no record: give records"):
        records_of([3], stand.record)


def test_the_player_gives_the_bytes_of_its_own_clips_only(stand):
    view = listening_view(stand.compare("job00000", "job00001"))
    view._widget._handle_custom_msg({"kind": "clip", "call": "a", "id": "job00001"}, [])
    view._widget._handle_custom_msg({"kind": "clip", "call": "b", "id": "job00002"}, [])
    assert view.replies == [{"kind": "clip", "call": "a"}]


def listening_view(view):
    view.replies = []
    view._widget.send = lambda content, buffers=None: view.replies.append(content)
    return view


def test_the_browser_sides_are_small_enough_to_send_with_every_widget():
    for kind in (CompareWidget, GalleryWidget):
        assert len(kind._esm) + len(kind._css) < 120_000


def test_the_static_forms_keep_planted_text_as_text(tmp_path):
    stand = Stand(tmp_path / "planted", 2, prompts=(PLANTED, "calm"))
    stand.log.annotate("job00000", tags=[PLANTED], note=PLANTED)
    sheet = stand.actions.sheet({"kind": "result"})["text/html"]
    table = stand.actions.compare(["job00000", "job00001"]).static["text/html"]
    stand.log.close()
    for html in (sheet, table):
        assert "<script" not in html and "<img src=x" not in html
        assert "&lt;script&gt;" in html


def test_the_selected_are_exported_beside_the_notebook_and_never_over_another(gallery, stand, tmp_path):
    ids = [tile["id"] for tile in records(gallery)["tiles"][:2]]
    first, second = (say(gallery, "export", call="x", ids=ids)["text"] for _ in range(2))
    assert "an RO-Crate of 2 records" in first
    assert first.partition(":")[0] != second.partition(":")[0]
    assert len(list(tmp_path.glob("clips-*.zip"))) == 2


def test_an_export_that_fails_says_so_and_frees_the_button(gallery):
    assert say(gallery, "export", call="x", ids=["gone"]) == {"kind": "exported", "call": "x", "text": ""}
    assert "gone" in str(gallery._widget.alert)


def test_a_record_that_is_open_fills_the_panel_and_what_stops_it_is_said(gallery, stand):
    gallery._on_open({"id": "job00002", "call": "a"}, [])
    assert gallery.replies == [{"kind": "done", "call": "a", "text": "job00002 is in the panel"}]

    def without_a_panel(record_id):
        raise KlingError("There is no panel to put it in.")

    stand.actions.fill = without_a_panel
    gallery._on_open({"id": "job00002", "call": "b"}, [])
    assert gallery.replies[-1]["text"] == "There is no panel to put it in."
