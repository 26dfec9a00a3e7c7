"""One press, one job."""

import threading

from kling_nb.ui.panel.uploads import PressGuard

DRAFT = {"prompt": "a", "edit": "v:1"}


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_press_is_carried_out_once_however_often_it_arrives():
    guard = PressGuard(clock := Clock())
    assert guard.admit("p", "generate", DRAFT)
    guard.release()
    clock.now += 60

    assert not guard.admit("p", "generate", DRAFT)


def test_the_second_half_of_a_double_click_does_nothing():
    guard = PressGuard(clock := Clock())
    guard.admit("p1", "generate", DRAFT)
    guard.release()
    clock.now += 0.4

    assert not guard.admit("p2", "generate", {**DRAFT, "edit": "v:2"})


def test_the_same_request_can_be_wanted_again_a_second_later():
    guard = PressGuard(clock := Clock())
    guard.admit("p1", "generate", DRAFT)
    guard.release()
    clock.now += 1.1

    assert guard.admit("p2", "generate", DRAFT)


def test_a_preview_and_then_generate_are_two_wishes():
    guard = PressGuard(Clock())
    guard.admit("p1", "preview", DRAFT)
    guard.release()

    assert guard.admit("p2", "generate", DRAFT)


def test_of_many_presses_at_once_one_is_admitted():
    guard, parse_record = PressGuard(), []
    gate = threading.Barrier(8)

    def press(number):
        gate.wait()
        if guard.admit(f"p{number}", "generate", {"prompt": str(number)}):
            parse_record.append(number)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(parse_record) == 1
