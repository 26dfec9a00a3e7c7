"""The gallery's Python side: messages from the browser and their effects."""

from types import SimpleNamespace

import pytest
from gallery_stand import START, Stand
from stand_in import Clock

from kling_nb.errors import ArgumentError, ArgumentTypeError, CreditError, KlingError
from kling_nb.models.judgements import Score
from kling_nb.selection import records_of
from kling_nb.ui.gallery.controller import tile_of
from tests.support.frontend import FakeFrontend


@pytest.fixture
def stand(tmp_path):
    stand = Stand(tmp_path / "log", 12)
    yield stand
    stand.log.close()


@pytest.fixture
def page(stand):
    return FakeFrontend(stand.gallery(clock=Clock()))


def records(page, **filters):
    return page.say("records", call="q", filters=filters, offset=0, limit=5)


def test_a_change_in_another_kernel_is_noticed_and_no_change_costs_no_message(stand, page):
    queued = stand.record("job00003").model_copy(update={"id": "job00099", "status": "queued", "clip": None})
    stand.log.save(queued)
    page.say("poll", statuses={"job00099": "queued"})
    assert page.replies == []

    stand.log.save(queued.model_copy(update={"status": "failed"}))
    assert page.say("poll", statuses={"job00099": "queued"}) == {"kind": "changed"}
    stand.log.trash("job00099")
    assert page.say("poll", statuses={"job00099": "failed"}) == {"kind": "changed"}


@pytest.mark.parametrize("seen", [None, [], "x", {"no-such": "queued"}, {"../x": 3}])
def test_polling_malformed_statuses_is_not_an_error(page, seen):
    page.say("poll", statuses=seen)
    assert page.alert == ""


def test_a_page_has_the_newest_tiles_first_and_the_total(page):
    page = page.say("records", call="q", filters={}, offset=2, limit=3)

    assert (page["call"], page["offset"], page["total"]) == ("q", 2, 12)
    assert [tile["id"] for tile in page["tiles"]] == ["job00009", "job00008", "job00007"]
    assert page["tiles"][1]["poster"].startswith("data:image/jpeg;base64,")
    assert (page["tiles"][0]["clip"], page["tiles"][0]["status_text"]) == (False, "Failed")


def test_the_scores_of_a_page_are_read_with_one_query(page, stand, monkeypatch):
    score = Score(clip=stand.clips[1].digest, name="motion", version="1", unit="px", value=1.25, at=START)
    stand.log.scores.add([score, score.model_copy(update={"name": "silence", "value": None})])
    asked = []
    kind = type(stand.log.scores)
    read = kind.of
    monkeypatch.setattr(kind, "of", lambda self, records: asked.append(len(records)) or read(self, records))

    tiles = {tile["id"]: tile["scores"] for tile in records(page)["tiles"]}

    assert asked == [5]
    assert (tiles["job00010"], tiles["job00011"]) == (["motion 1.25 px"], [])
    assert page.say("annotate", id="job00010", changes={"stars": 2})["tile"]["scores"] == ["motion 1.25 px"]


def test_the_tile_of_an_image_has_no_duration(stand):
    clip = stand.clips[0].model_copy(update={"media_type": "image/png", "duration": None})
    record = stand.record("job00003").model_copy(update={"clip": clip})

    tile = tile_of(record, None)

    assert (tile["image"], tile["length"], tile["figures"]) == (True, "", "336×192")
    assert tile_of(stand.record("job00003"), None)["image"] is False


def test_a_page_has_a_largest_size(page):
    assert len(page.say("records", filters={}, offset=-5, limit=10**6)["tiles"]) == 12
    assert page.say("records", filters={}, offset="x", limit="y")["total"] == 12


def test_filters_in_the_browser_replace_the_given_ones(stand):
    stand.log.annotate("job00003", stars=5)
    page = FakeFrontend(stand.gallery(status="succeeded", batch="batch"))

    assert page.widget.filters == {"status": "succeeded"}
    assert records(page)["total"] == 12
    assert records(page, status="failed")["total"] == 1
    assert records(page, stars=4, text="kite")["total"] == 1
    assert records(page, unheard_of="x")["total"] == 12


def test_an_invalid_filter_is_reported_in_the_reply(page):
    assert "bogus" in records(page, status="bogus")["reason"]


def test_annotations_are_written_to_the_log_immediately(page, stand):
    page.say("annotate", id="job00002", changes={"stars": 4})
    page.say("annotate", id="job00002", changes={"tags": ["hero", "v2"], "note": "the one"})

    kept = stand.record("job00002")
    assert (kept.stars, kept.tags, kept.note) == (4, ("hero", "v2"), "the one")
    assert page.widget.choices["tags"] == ["hero", "v2"]
    assert page.replies[-1]["tile"]["note"] == "the one"


def test_no_stars_removes_the_rating_and_too_many_are_an_error(page, stand):
    page.say("annotate", id="job00002", changes={"stars": 4})
    page.say("annotate", id="job00002", changes={"stars": 0})
    assert stand.record("job00002").stars is None

    page.say("annotate", id="job00002", changes={"stars": 99})
    assert "99" in page.alert


def test_a_clip_is_sent_as_bytes_and_a_missing_one_is_reported(page, stand):
    assert page.say("clip", call="c", id="job00000") == {"kind": "clip", "call": "c"}
    assert page.buffers[-1][0][4:8] == b"ftyp"

    stand.log.file(stand.clips[0].digest).unlink()
    assert "missing" in page.say("clip", call="d", id="job00000")["reason"]
    assert "no record" in page.say("clip", call="e", id="elsewhere")["reason"]


def test_generating_again_shows_the_price_and_starts_the_jobs(page, stand):
    price = page.say("price", call="o", ids=["job00000", "job00001"])["price"]
    assert price == "$1.568"  # 3 s and 4 s at $0.224

    page.say("generate", id="p", ids=["job00000", "job00001"], price=price)

    assert [rerun_of for _, rerun_of in stand.started] == ["job00000", "job00001"]
    assert len(page.widget.rows) == 2


def test_a_press_starts_once_however_often_it_arrives(page, stand):
    for press in ("p", "p", "the second click"):
        page.say("generate", id=press, ids=["job00000"], price="$0.672")
    assert len(stand.started) == 1


def test_a_price_other_than_the_one_on_the_button_starts_nothing(page, stand):
    page.say("generate", id="p", ids=["job00000"], price="$0.10")

    assert stand.started == []
    assert "the price is now $0.672" in page.alert


def test_an_error_of_the_hub_is_shown(page, stand):
    stand.fault = CreditError("The account has no credits.")
    page.say("generate", id="p", ids=["job00000"], price="$0.672")
    assert page.alert.startswith("The account has no credits.")


def test_a_job_that_ends_leaves_its_card_and_refreshes_the_grid(page, stand):
    page.say("generate", id="p", ids=["job00000"], price="$0.672")
    stand.started[0][0].become("succeeded")

    assert len(page.view.outlet.cards) == 1
    assert page.replies[-1] == {"kind": "changed"}


def test_deleting_moves_to_the_trash_and_can_be_undone(page, stand):
    assert page.say("trash", ids=["job00000", "job00001"])["ids"] == ["job00000", "job00001"]
    assert stand.log.trashed() == ["job00000", "job00001"] and records(page)["total"] == 10

    page.say("restore", ids=["job00000", "job00001"])

    assert stand.log.trashed() == [] and records(page)["total"] == 12
    assert stand.log.verify() == []


def test_records_deleted_before_an_error_are_reported(page):
    page.say("trash", ids=["job00000", "gone", "job00001"])

    assert {"kind": "trashed", "ids": ["job00000"]} in page.replies
    assert "gone" in page.alert


def test_comparing_opens_and_closes_the_player(page):
    page.say("compare", ids=["job00000", "job00001"])
    assert [take["letter"] for take in page.widget.comparison["clips"]] == ["A", "B"]

    page.say("compare", ids=[])
    assert page.widget.comparison == {}


def test_a_record_without_a_clip_cannot_be_compared(page):
    page.say("compare", ids=["job00000", "job00009"])
    assert "job00009" in page.alert
    assert page.widget.comparison == {}


@pytest.mark.parametrize("message", [{}, {"kind": "nonsense"}, {"kind": "trash", "ids": None}, {"kind": "annotate"}])
def test_a_malformed_message_is_harmless(page, stand, message):
    page.say(**message)
    assert stand.log.count() == 12


@pytest.mark.parametrize("ids", [[], ["job00000"], [f"job{number:05}" for number in range(12)]])
def test_a_comparison_takes_two_to_nine_clips(stand, ids):
    with pytest.raises(ArgumentError):
        stand.controller.comparison(stand.controller.records(ids))


def test_records_ids_and_lists_of_them_can_be_compared(stand):
    session = SimpleNamespace(store=stand.log, bind=lambda record: record)
    one, two, three = (stand.record(f"job0000{number}") for number in range(3))

    assert records_of(session, [one, ["job00001", (two, "job00002"), "job00000"]]) == [one, two, three]
    with pytest.raises(ArgumentTypeError):
        records_of(session, [3])


def test_the_player_gets_only_its_own_clips(stand):
    page = FakeFrontend(stand.compare("job00000", "job00001"))
    page.say("clip", call="a", id="job00001")
    page.say("clip", call="b", id="job00002")
    assert page.replies == [{"kind": "clip", "call": "a"}]


def test_selected_records_are_exported_and_nothing_is_overwritten(page, stand, tmp_path):
    ids = [tile["id"] for tile in records(page)["tiles"][:2]]
    first, second = (page.say("export", call="x", ids=ids)["text"] for _ in range(2))
    assert "an RO-Crate of 2 records" in first
    assert first != second
    assert len(list(tmp_path.glob("clips-*.zip"))) == 2


def test_a_failed_export_is_reported_and_enables_the_button_again(page):
    assert page.say("export", call="x", ids=["gone"]) == {"kind": "exported", "call": "x", "text": ""}
    assert "gone" in page.alert


def test_opening_a_record_in_the_panel_is_confirmed_and_errors_are_reported(page, stand):
    page.say("open", id="job00002", call="a")
    assert page.replies == [{"kind": "done", "call": "a", "text": "job00002 is in the panel"}]

    def without_a_panel(record_id):
        raise KlingError("No panel is open.")

    stand.controller.open_record = without_a_panel
    assert page.say("open", id="job00002", call="b")["text"] == "No panel is open."
