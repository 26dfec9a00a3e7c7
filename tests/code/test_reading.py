"""What people paste becomes a request; what could not be told is named, and no secret is shown."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kling_nb.code import read_request
from kling_nb.models.specs import form_of
from kling_nb.ui.panel.form import draft_of
from kling_nb.ui.panel.uploads import Shelf

MODEL = "kling-video-o3-pro-reference-to-video"
SHOTS = [{"prompt": "a kite", "duration": 2}, {"prompt": "it's a hand", "duration": 1}]
KEY = "sk-verysecretkey1234567890"

DOCUMENTED = f"""
curl -X POST https://hub.oxen.ai/api/ai/queue \\
  -H "Authorization: Bearer $OXEN_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{{
    "model": "{MODEL}",
    "prompt": "@Image1 waves",
    "input_image": ["https://example.org/a.png"],
    "duration": 5,
    "num_generations": 2
  }}'
"""
WANTED = {
    "model": MODEL,
    "prompt": "@Image1 waves",
    "input_image": ["https://example.org/a.png"],
    "duration": 5,
    "num_generations": 2,
}


def test_the_documented_command_is_read_whole():
    assert read_request(DOCUMENTED) == (WANTED, [])


BODY = json.dumps(WANTED)


@pytest.mark.parametrize(
    "command",
    [
        f"curl https://hub.oxen.ai/api/ai/queue --json '{BODY}'",
        f"curl https://hub.oxen.ai/api/ai/queue -sSd'{BODY}'",
        f"curl -sS --data-raw='{BODY}' --url https://hub.oxen.ai/api/ai/queue",
        f"curl -d @- https://hub.oxen.ai/api/ai/queue <<'EOF'\n{BODY}\nEOF\n",
        f"curl -d @- https://hub.oxen.ai/api/ai/queue <<EOF\n{BODY}\nEOF",
        f"curl -d @- https://hub.oxen.ai/api/ai/queue <<< '{BODY}'",
        f"echo '{BODY}' | curl -X POST --data-binary @- https://hub.oxen.ai/api/ai/videos/generate",
        f"cat <<EOF | curl -d @- https://hub.oxen.ai/api/ai/queue\n{BODY}\nEOF",
        f"BODY='{BODY}'\ncurl https://hub.oxen.ai/api/ai/queue -d \"$BODY\"",
        f"ANSWER=$(curl -s https://hub.oxen.ai/api/ai/queue -d '{BODY}')",
        f'curl https://hub.oxen.ai/api/ai/queue -d "$(cat <<EOF\n{BODY}\nEOF\n)"',
        f"curl https://hub.oxen.ai/api/ai/queue -d $'{BODY}'",
        'curl.exe https://hub.oxen.ai/api/ai/queue ^\n  -d "' + BODY.replace('"', '\\"') + '"',
        f"$ curl https://hub.oxen.ai/api/ai/queue -d '{BODY}'  # what it costs: ...",
        f"%%bash\ncurl https://hub.oxen.ai/api/ai/queue -d '{BODY}'",
        f"!curl https://hub.oxen.ai/api/ai/queue -d '{BODY}'",
        f"Try this: curl https://hub.oxen.ai/api/ai/queue -d '{BODY}'",
        f"```bash\ncurl https://hub.oxen.ai/api/ai/queue -d '{BODY}'\n```",
        BODY,
        f"```json\n{BODY}\n```",
        f"payload = {WANTED!r}",
        repr(WANTED),
        f"import requests\nrequests.post('https://hub.oxen.ai/api/ai/queue', headers=headers, json={WANTED!r})",
        f"body = {WANTED!r}\nr = httpx.post(f'{{BASE}}/ai/videos/generate', json=body)",
        f"body = {WANTED!r}\nclient.request('POST', BASE + '/api/ai/queue', content=json.dumps(body).encode())",
        f"async with Client() as c:\n    r = await c.post(url='https://x.org/api/ai/queue', json={WANTED!r})",
        f"import kling_nb as kn\njob = kn.generate(**{WANTED!r})",
        f"kn.panel({WANTED!r})",
        f"fields = {WANTED!r}\nfields['duration'] = 5\nkn.generate(kn.ReferenceToVideo(**fields))",
    ],
)
def test_a_request_is_read_in_the_forms_that_people_write(command):
    assert read_request(command) == (WANTED, [])


def test_our_own_classes_are_read():
    text = """
    job = kn.generate(
        multi_prompt=[kn.Shot("a kite", duration=2), Shot(prompt="it's a hand", duration=1)],
        elements=[kn.Element(frontal_image_url=Path("face.png"), reference_image_urls=("side.png",))],
        generate_audio=true,
    )
    """
    fields, not_understood = read_request(text.replace("\n    ", "\n"))

    assert not_understood == []
    assert fields == {
        "multi_prompt": SHOTS,
        "elements": [{"frontal_image_url": "face.png", "reference_image_urls": ["side.png"]}],
        "generate_audio": True,
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("curl -d @body.json https://hub.oxen.ai/api/ai/queue", "body.json"),
        ('curl https://hub.oxen.ai/api/ai/queue -d \'{"prompt": "x",}\'', "no JSON at line 1"),
        ('curl https://hub.oxen.ai/api/ai/queue -d "{\\"prompt\\": \\"$PROMPT\\"}"', "$PROMPT"),
        ('curl https://hub.oxen.ai/api/ai/queue -d \'{"prompt": ', "left open"),
        ('curl https://fal.run/kling -d \'{"prompt": "x"}\'', "https://fal.run/kling"),
        ('curl https://x.org/api/ai/queue -H "X-Odd: 1" -d \'{"prompt": "x"}\'', "X-Odd"),
        ('{"prompt": "x", "seed": 7}', "seed: the model has no such field"),
        ('{"prompt": "x", "duration": "long"}', "duration: 'long' is no whole number"),
        ('{"prompt": "x", "multi_prompt": 3}', "multi_prompt: 3 is no list"),
        ('{"prompt": "\\ud800"}', "half a character"),
        ("kn.generate('x', duration=seconds)", "seconds is not set in the text"),
        ("kn.generate(f'a {thing}')", "prompt: f'a {thing}'"),
        ("kn.generate('x', input_image=[load(1), 'https://example.org/b.png'])", "input_image.0: load(1)"),
        ("body = {'prompt': 'x'}\nbody.update(seed=1)\nrequests.post(H + '/api/ai/queue', json=body)", "body.update"),
        ("kn.generate('x')\nkn.generate('y')", "another request in line 2"),
        ("A cat walks over the piano", "no request was found"),
        ("", "no request was found"),
        ("(" * 500, "no request was found"),
        ("[" * 100_000, "no request was found"),
        ('{"a":' * 100_000, "no request was found"),
    ],
)
def test_what_is_not_understood_is_named(text, named):
    assert named in "\n".join(read_request(text).not_understood)


SECRETS = [
    f"curl https://x.org/api/ai/queue -H 'Authorization: Bearer {KEY}' -H 'X-Own: {KEY}' -d '{{\"prompt\": \"x\"}}'",
    f'curl -u me:{KEY} https://me:{KEY}@fal.run/x?token={KEY} -d \'{{"prompt": "x"}}\'',
    f"curl --oauth2-bearer {KEY} -b session={KEY} https://hub.oxen.ai/api/ai/queue",
    f"requests.post('https://x.org/?key={KEY}', headers={{'Authorization': 'Bearer {KEY}'}}, json={{'prompt': 'x'}})",
    f"kn.generate('x', duration=ask(api_key='{KEY}'), seed=auth('Bearer {KEY}'))",
    f"kn.generate('x', start_image_url=sign('https://e.org/a.png?signature={KEY}'))",
    f'{{"model": "another", "prompt": "x", "api_key": "{KEY}", "token": "{KEY}"}}',
    f"client.generate(prompt='x', api_key='{KEY}', model='another')",
    f"kn.configure(key='{KEY}')\nkn.generate('x')",
    f'curl "localhost:3000/api?key={KEY}&x=1" -d \'{{"prompt": "x"}}\'',
    f'curl "fal.run/x?size=5&X-Amz-Signature={KEY}" -d \'{{"prompt": "x"}}\'',
    f'curl me:{KEY}@localhost:3000/api -d \'{{"prompt": "x"}}\'',
    f"requests.post('localhost:3000/?key={KEY}', json={{'prompt': 'x'}})",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_in_pasted_text_is_left_behind(text):
    fields, not_understood = read_request(text)

    assert KEY not in repr(fields)
    assert KEY not in repr(not_understood)


_POST = "requests.post('https://hub.oxen.ai/api/ai/queue', json={})"


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        (["a = {'prompt': 'x', 'duration': 5}", _POST.format("a"), "a['duration'] = 15", _POST.format("a")], 5),
        (["a = {'prompt': 'x', 'duration': 5}", _POST.format("a"), "a = {'prompt': 'y'}", _POST.format("a")], 5),
        (["a = {'prompt': 'x'}", "a['duration'] = 5", "a['duration'] = 6", _POST.format("a")], 6),
        (["a = {'prompt': 'x', 'duration': 5}", "b = a", "b['duration'] = 10", _POST.format("a")], 10),
        (["a = {'prompt': 'x', 'duration': 5}", "b = a", "a['duration'] = 10", _POST.format("b")], 10),
        (["a = {'prompt': 'x'}", "b = a", "b['duration'] = 5", "a['duration'] = 6", _POST.format("b")], 6),
        (["a = {'prompt': 'x', 'duration': 5}", "b = {**a}", "b['duration'] = 10", _POST.format("a")], 5),
        (["a = {'prompt': 'x', 'duration': 5}", "b = a", _POST.format("a"), "b['duration'] = 10"], 5),
        (
            ["a = {'prompt': 'x', 'duration': 5}", f"def go():\n    {_POST.format('a')}", "a['duration'] = 10", "go()"],
            10,
        ),
        ([f"def go(n):\n    a = {{'prompt': 'x', 'duration': 5}}\n    {_POST.format('a')}\n    a['duration'] = 10"], 5),
    ],
)
def test_a_request_is_read_as_it_stands_when_it_is_sent(lines, seconds):
    assert read_request("\n".join(lines)).fields["duration"] == seconds


def test_what_is_done_after_the_request_is_not_said():
    text = f"a = {{'prompt': 'x'}}\n{_POST.format('a')}\na.update(duration=4)"
    assert read_request(text).not_understood == []
    assert "not followed" in read_request(f"a = {{'prompt': 'x'}}\na.update(duration=4)\n{_POST.format('a')}")[1][0]
    assert read_request("a = b\nb = a\n" + _POST.format("a")).not_understood


@example(text="null")
@given(text=st.text(max_size=80) | st.text(st.sampled_from("curl -d@'\"$({}[]):,\\\n <EOF=|;`%"), max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_reader(text):
    for whole in (text, f"curl {text}", f"kn.generate({text})", f'{{"prompt": {text}}}'):
        fields, not_understood = read_request(whole)
        assert isinstance(fields, dict)
        assert fields or not_understood


FIELDS = ["prompt", "duration", "multi_prompt", "elements", "input_image", "tail_image_url", "model"]
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


FORM = form_of("kling-video-o3-pro-reference-to-video")


@given(value=values, name=st.sampled_from(FIELDS))
@settings(max_examples=150, deadline=None)
def test_any_value_is_shown_by_a_form_or_named(name, value):
    fields, not_understood = read_request(json.dumps({"negative_prompt": "n", name: value}))
    media = ("elements", "input_image", "tail_image_url")
    draft_of({key: item for key, item in fields.items() if key not in media}, Shelf(), FORM)

    assert name in fields or value is None or not_understood


@pytest.mark.parametrize("flavour", ["'", '"'])
def test_a_large_picture_in_a_command_is_read_at_once(flavour):
    body = json.dumps({"prompt": "@Image1", "input_image": ["data:image/png;base64," + "A" * 10_000_000]})
    quoted = body if flavour == "'" else body.replace('"', '\\"')
    began = time.process_time()

    fields, not_understood = read_request(f"curl https://x.org/api/ai/queue -d {flavour}{quoted}{flavour}")

    assert not_understood == []
    assert len(fields["input_image"][0]) > 10_000_000
    assert time.process_time() - began < 5  # a twentieth of that on a machine that is free
