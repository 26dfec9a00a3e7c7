"""One press, one job."""

import threading

from stand_in import Clock

from kling_nb.ui.messages import PressGuard

DRAFT = {"prompt": "a", "edit": "v:1"}


def test_a_press_is_admitted_once_however_often_it_arrives():
    guard = PressGuard(clock := Clock())
    assert guard.admit("p", "generate", DRAFT)
    guard.release()
    clock.now += 60

    assert not guard.admit("p", "generate", DRAFT)


def test_the_second_click_of_a_double_click_is_not_admitted():
    guard = PressGuard(clock := Clock())
    guard.admit("p1", "generate", DRAFT)
    guard.release()
    clock.now += 0.4

    assert not guard.admit("p2", "generate", {**DRAFT, "edit": "v:2"})


def test_the_same_request_is_admitted_again_a_second_later():
    guard = PressGuard(clock := Clock())
    guard.admit("p1", "generate", DRAFT)
    guard.release()
    clock.now += 1.1

    assert guard.admit("p2", "generate", DRAFT)


def test_a_preview_and_generate_are_different_presses():
    guard = PressGuard(Clock())
    guard.admit("p1", "preview", DRAFT)
    guard.release()

    assert guard.admit("p2", "generate", DRAFT)


def test_one_of_many_concurrent_presses_is_admitted():
    guard, admitted = PressGuard(), []
    gate = threading.Barrier(8)

    def press(number):
        gate.wait()
        if guard.admit(f"p{number}", "generate", {"prompt": str(number)}):
            admitted.append(number)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(admitted) == 1
