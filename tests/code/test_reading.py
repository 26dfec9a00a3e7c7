"""Pasted code becomes a request; everything that is not understood is named, and no secret is shown."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kling_nb.code.read import read_request
from kling_nb.models.specs import form_of
from kling_nb.ui.panel.form import draft_of
from kling_nb.ui.panel.uploads import AssetTable

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


CHROME = f"""curl 'https://hub.oxen.ai/api/ai/queue' \\
  -H 'accept: application/json' \\
  -H 'accept-language: en-GB,en;q=0.9' \\
  -H 'authorization: Bearer {KEY}' \\
  -b 'session={KEY}; theme=dark' \\
  -H 'content-type: application/json' \\
  -H 'origin: https://www.oxen.ai' \\
  -H 'priority: u=1, i' \\
  -H 'sec-ch-ua: "Chromium";v="136", "Not.A/Brand";v="99"' \\
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \\
  --data-raw $'{{"model":"{MODEL}","prompt":"It\\'s \\u0040Image1\\u0021 \\ud83d\\udc31\\\\n","duration":5}}' \\
  --compressed"""
FIREFOX = f"""curl 'https://hub.oxen.ai/api/ai/queue' --compressed -X POST \\
  -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:138.0) Gecko/20100101 Firefox/138.0' \\
  -H 'Accept-Encoding: gzip, deflate, br, zstd' -H 'Referer: https://www.oxen.ai/' -H 'DNT: 1' \\
  -H 'Authorization: Bearer {KEY}' -H 'Connection: keep-alive' -H 'Sec-Fetch-Dest: empty' \\
  -H 'TE: trailers' --data-raw '{{"model":"{MODEL}","prompt":"$HOME `ls` \\"@Image1\\"","duration":5}}'"""
CHROME_CMD = (
    'curl ^"https://hub.oxen.ai/api/ai/queue^" ^\n  -H ^"content-type: application/json^" ^\n'
    f'  --data-raw ^"^{{^\\^"model^\\^":^\\^"{MODEL}^\\^",^\\^"prompt^\\^":^\\^"50^% off^\\^",^\\^"duration^\\^":5^}}^"'
)


@pytest.mark.parametrize(
    ("command", "prompt"),
    [(CHROME, "It's @Image1! \N{CAT FACE}\n"), (FIREFOX, '$HOME `ls` "@Image1"'), (CHROME_CMD, "50% off")],
)
def test_the_curl_that_a_browser_copies_is_read_whole(command: str, prompt: str) -> None:
    assert read_request(command) == ({"model": MODEL, "prompt": prompt, "duration": 5}, [])


@pytest.mark.parametrize(
    "command",
    [
        f"curl https://hub.oxen.ai/api/ai/queue --json '{BODY}'",
        f"curl https://hub.oxen.ai/api/ai/queue -sSd'{BODY}'",
        f"curl -sS --data-raw='{BODY}' --url https://hub.oxen.ai/api/ai/queue",
        f"echo '{BODY}' | curl -X POST --data-binary @- https://hub.oxen.ai/api/ai/videos/generate",
        f"ANSWER=$(curl -s https://hub.oxen.ai/api/ai/queue -d '{BODY}')",
        f"curl https://hub.oxen.ai/api/ai/queue -d $'{BODY}'",
        'curl.exe https://hub.oxen.ai/api/ai/queue ^\n  -d "' + BODY.replace('"', '\\"') + '"',
        f"$ curl https://hub.oxen.ai/api/ai/queue -d '{BODY}'  # what it costs: ...",
        f"%%bash\ncurl https://hub.oxen.ai/api/ai/queue -d '{BODY}'",
        f"!curl https://hub.oxen.ai/api/ai/queue -d '{BODY}'",
        f"Try this: curl https://hub.oxen.ai/api/ai/queue -d '{BODY}'",
        f"```bash\ncurl https://hub.oxen.ai/api/ai/queue -d '{BODY}'\n```",
        f"curl https://hub.oxen.ai/api/ai/queue -d '{BODY}' > queued.json 2>&1 && cat queued.json",
        BODY,
        f"```json\n{BODY}\n```",
        f"payload = {WANTED!r}",
        repr(WANTED),
        f"import requests\nrequests.post('https://hub.oxen.ai/api/ai/queue', headers=headers, json={WANTED!r})",
        f"url = 'https://hub.oxen.ai/api/ai/queue'\nrequests.post(url, data='{BODY}')",
        f"body = {WANTED!r}\nr = httpx.post(f'{{BASE}}/ai/videos/generate', json=body)\nbody = r.json()",
        f"body = {WANTED!r}\nprint(body['prompt'])\nhttpx.post(BASE + '/api/ai/queue', json=body)",
        f"body = {WANTED!r}\nclient.request('POST', BASE + '/api/ai/queue', content=json.dumps(body).encode())",
        f"async with Client() as c:\n    r = await c.post(url='https://x.org/api/ai/queue', json={WANTED!r})",
        f"import kling_nb as kn\njob = kn.generate(**{WANTED!r})",
        f"kn.panel({WANTED!r})",
        f"fields = {WANTED!r}\nkn.generate(kn.ReferenceToVideo(**fields))",
        f"request = kn.ReferenceToVideo(**{WANTED!r})\nkn.generate(request)",
        f"seconds = 5\nfields = {WANTED!r}\nkn.generate(**{{**fields, 'duration': seconds}})",
    ],
)
def test_a_request_is_read_in_the_forms_that_people_write(command):
    assert read_request(command) == (WANTED, [])


def test_lines_of_a_prompt_may_look_like_magics():
    text = 'kn.generate("""A sign:\n% off\n!now\n>>> here""")'

    assert read_request(text) == ({"prompt": "A sign:\n% off\n!now\n>>> here"}, [])
    assert read_request("%load_ext kling_nb\n>>> kn.generate('x')") == ({"prompt": "x"}, [])


def test_our_own_classes_are_read():
    text = """
    job = kn.generate(
        multi_prompt=[kn.Shot(prompt="a kite", duration=2), Shot(prompt="it's a hand", duration=1)],
        elements=[kn.Element(frontal_image_url=Path("face.png"), reference_image_urls=("side.png",))],
        generate_audio=True,
    )
    """
    fields, not_understood = read_request(text.replace("\n    ", "\n"))

    assert not_understood == []
    assert fields == {
        "multi_prompt": SHOTS,
        "elements": [{"frontal_image_url": "face.png", "reference_image_urls": ["side.png"]}],
        "generate_audio": True,
    }


QUEUE = "https://hub.oxen.ai/api/ai/queue"
NOTHING = "no request was found: paste a cURL command, a JSON body, or a call in Python or JavaScript"
X = {"prompt": "x"}


@pytest.mark.parametrize(
    ("text", "fields", "notes"),
    [
        (f"curl -d @body.json {QUEUE}", {}, ["-d @body.json: the body is in a file; paste the JSON itself"]),
        (f"curl {QUEUE} -d '{{\"prompt\": x}}'", {}, ["the body is not valid JSON (line 1, column 12)"]),
        (f"curl {QUEUE} -d '[1]'", {}, ["the body is not a JSON object"]),
        (f'curl {QUEUE} -d \'{{"prompt": ', {}, ["the command is incomplete: No closing quotation"]),
        (f"curl {QUEUE}", {}, ["no cURL command in the text has a JSON body (-d '{…}')"]),
        (
            f'curl {QUEUE} -F "prompt=x" -K options.txt',
            {},
            ["-F: the option is not supported", "-K: the option is not supported"],
        ),
        ('curl https://fal.run/kling -d \'{"prompt": "x"}\'', X, ["not an address of the hub: https://fal.run/kling"]),
        (f"curl {QUEUE} -H 'X-Odd: 1' -d '{{\"prompt\": \"x\"}}'", X, ["X-Odd: the header is not used"]),
        (
            f'curl {QUEUE} -d \'{{"prompt": "x"}}\'\n' * 2,
            X,
            ["1 more request in the text: only the first was read"],
        ),
        ('{"prompt": "x", "seed": 7}', X, ["seed: the model has no such field"]),
        ('{"prompt": "x", "api_key": "k"}', X, ["api_key: keys are not part of a request"]),
        ('{"prompt": "x", "duration": "long"}', X, ["duration: 'long' is not a whole number"]),
        ('{"prompt": "x", "duration": true}', X, ["duration: True is not a whole number"]),
        ('{"prompt": "x", "generate_audio": "often"}', X, ["generate_audio: 'often' is not true or false"]),
        ('{"prompt": "x", "multi_prompt": 3}', X, ["multi_prompt: 3 is not a list"]),
        ('{"prompt": "x", "multi_prompt": ["y"]}', X, ["multi_prompt.0: 'y' is not an object with fields"]),
        ("kn.generate('x', duration=seconds)", X, ["duration: seconds is not set in the text"]),
        ("kn.generate(f'a {thing}')", {}, ["prompt: f'a {thing}' is not a literal value"]),
        ("kn.generate(7)", {}, ["7 is not a prompt or a request"]),
        ("kn.generate('x', 5)", X, ["5: arguments need a name"]),
        (
            "kn.generate('x', input_image=[load(1), 'https://example.org/b.png'])",
            {**X, "input_image": ["https://example.org/b.png"]},
            [
                "input_image.0: load(1) is not a literal value",
                "input_image: the items after those left out have moved up",
            ],
        ),
        ("kn.generate('x')\nkn.generate('y')", X, ["line 2: another request; only the first was read"]),
        ("A cat walks over the piano", {}, [NOTHING]),
        ("", {}, [NOTHING]),
        ("(" * 500, {}, [NOTHING]),
        ("[" * 100_000, {}, [NOTHING]),
        ('{"a":' * 100_000, {}, [NOTHING]),
    ],
)
def test_each_part_that_is_not_understood_is_named(text, fields, notes):
    assert read_request(text) == (fields, notes)


def test_half_a_character_is_named():
    fields, (note,) = read_request('{"prompt": "\\ud800"}')

    assert fields == {}
    assert note.startswith("prompt: ")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"curl -d @- {QUEUE} <<'EOF'\n{BODY}\nEOF\n", "<<EOF: here-documents are not read; paste the JSON itself"),
        (f"curl -d @- {QUEUE} <<EOF\n{BODY}\nEOF", "<<EOF: here-documents are not read; paste the JSON itself"),
        (f"cat <<EOF | curl -d @- {QUEUE}\n{BODY}\nEOF", "<<EOF: here-documents are not read; paste the JSON itself"),
        (f"curl -d @- {QUEUE} <<< '{BODY}'", "<<<: here-strings are not read; paste the JSON itself"),
        (f"cat body.json | curl -d @- {QUEUE}", "-d @-: the body comes from another command; paste the JSON itself"),
        (f"BODY='{BODY}'\ncurl {QUEUE} -d \"$BODY\"", "$BODY: shell variables and commands are not expanded"),
        (f'curl {QUEUE} -d "$(cat body.json)"', "$(cat body.json): shell variables and commands are not expanded"),
        (f'curl {QUEUE} -d "{{\\"prompt\\": $P}}"', "$P: shell variables and commands are not expanded"),
    ],
)
def test_shell_syntax_that_is_not_followed_is_named_in_place_of_a_request(text, note):
    fields, not_understood = read_request(text)

    assert fields == {}
    assert note in not_understood


def test_a_shell_variable_in_a_prompt_is_named():
    command = f'curl {QUEUE} -d "{{\\"prompt\\": \\"$PROMPT\\"}}"'

    assert read_request(command).not_understood == ["$PROMPT: shell variables and commands are not expanded"]


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
def test_a_secret_in_pasted_text_is_neither_read_nor_shown(text):
    fields, not_understood = read_request(text)

    assert KEY not in repr(fields)
    assert KEY not in repr(not_understood)


_POST = "requests.post('https://hub.oxen.ai/api/ai/queue', json={})"
_A = "a = {'prompt': 'x', 'duration': 5}"


@pytest.mark.parametrize(
    "lines",
    [
        [_A, _POST.format("a"), "a['duration'] = 15", _POST.format("a")],
        [_A, _POST.format("a"), "a = {'prompt': 'y'}", _POST.format("a")],
        [_A, "b = {**a}", "b['duration'] = 10", _POST.format("a")],
        [_A, "print(a, a['duration'], f'{a}')", _POST.format("a")],
        [_A, f"def go(n):\n    {_POST.format('a')}"],
    ],
)
def test_a_request_is_read_as_it_is_when_it_is_sent(lines):
    assert read_request("\n".join(lines)).fields == {"prompt": "x", "duration": 5}


@pytest.mark.parametrize(
    ("lines", "fields", "note"),
    [
        ([_A, "a['duration'] = 10"], X, "duration: a['duration'] = 10 in line 2 is not followed"),
        ([_A, "a['duration'] += 5"], X, "duration: a['duration'] += 5 in line 2 is not followed"),
        ([_A, "del a['duration']"], X, "duration: del a['duration'] in line 2 is not followed"),
        ([_A, "a.update(duration=10)"], {}, "a: a.update(duration=10) in line 2 is not followed"),
        ([_A, "with_defaults(a)"], {}, "a: with_defaults(a) in line 2 is not followed"),
        ([_A, "b = a", "b['duration'] = 10"], {}, "a: b = a in line 2 is not followed"),
        ([_A, "a |= extra"], {}, "a is set more than once in the text"),
        (["a = {'prompt': 'y'}", _A], {}, "a is set more than once in the text"),
        (["a, b = {'prompt': 'y'}, 2"], {}, "a is not set to a literal value in the text"),
        (["a = b = {'prompt': 'y'}"], {}, "a is not set to a literal value in the text"),
        (["a = b", "b = a"], {}, "a is not set to a literal value in the text"),
        (["a = {'prompt': 'y', **more}"], {}, "more is not set in the text"),
        (["a = {'prompt': 'x', **more, 'prompt': 'x'}"], X, "more is not set in the text"),
        (["a = {'prompt': 'x', 'duration': time() + 1}"], X, "duration: time() + 1 is not a literal value"),
        (["s = 5", "s = 10", "a = {'prompt': 'x', 'duration': s}"], X, "duration: s is set more than once in the text"),
    ],
)
def test_a_value_that_may_change_before_it_is_sent_is_left_out_and_named(lines, fields, note):
    assert read_request("\n".join([*lines, _POST.format("a")])) == (fields, [note])


@pytest.mark.parametrize("after", ["a['duration'] = 10\ngo()", "def more():\n    a['duration'] = 10"])
def test_a_function_may_run_after_any_line_of_the_text(after):
    text = f"{_A}\ndef go():\n    {_POST.format('a')}\n{after}"
    fields, (note,) = read_request(text)

    assert fields == X
    assert note.startswith("duration: a['duration'] = 10")


def test_a_parameter_of_a_function_is_not_guessed():
    fields, not_understood = read_request(f"{_A}\ndef go(a):\n    {_POST.format('a')}\ngo(0)")

    assert fields == {}
    assert not_understood == ["a is set more than once in the text"]


@example(text="null")
@given(text=st.text(max_size=80) | st.text(st.sampled_from("curl -d@'\"$({}[]):,\\\n <EOF=|;`%"), max_size=60))
@settings(max_examples=37, deadline=None)
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
@settings(max_examples=37, deadline=None)
def test_any_value_is_shown_by_a_form_or_named(name, value):
    fields, not_understood = read_request(json.dumps({"negative_prompt": "n", name: value}))
    media = ("elements", "input_image", "tail_image_url")
    draft_of({key: item for key, item in fields.items() if key not in media}, AssetTable(), FORM)

    assert name in fields or value is None or not_understood


@pytest.mark.parametrize("flavour", ["'", '"'])
def test_a_large_image_in_a_command_is_read_quickly(flavour):
    body = json.dumps({"prompt": "@Image1", "input_image": ["data:image/png;base64," + "A" * 10_000_000]})
    quoted = body if flavour == "'" else body.replace('"', '\\"')
    began = time.process_time()

    fields, not_understood = read_request(f"curl https://x.org/api/ai/queue -d {flavour}{quoted}{flavour}")

    assert not_understood == []
    assert len(fields["input_image"][0]) > 10_000_000
    assert time.process_time() - began < 5  # a twentieth of that on an idle machine
