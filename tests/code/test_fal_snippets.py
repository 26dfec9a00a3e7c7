"""fal's own snippets, as its pages show them, become requests."""

from __future__ import annotations

import pytest

from kling_nb.code.read import read_request

ENDPOINT = "fal-ai/kling-video/o3/pro/reference-to-video"
TARGET, OMNI = "kling-video-o3-pro-reference-to-video", "kling-video-o3-omni"
SECRET = "0e0a1b2c-1111-2222-3333-444455556666:00112233445566778899aabbccddeeff"  # noqa: S105 - planted

PYTHON = f"""
import fal_client

def on_queue_update(update):
    if isinstance(update, fal_client.InProgress):
        for log in update.logs:
           print(log["message"])

result = fal_client.subscribe(
    "{ENDPOINT}",
    arguments={{
        "prompt": "@Image1 waves",
        "image_urls": ["https://example.org/a.png"],
        "end_image_url": "https://example.org/b.png",
        "duration": "8",
        "shot_type": "customize",
        "generate_audio": True
    }},
    with_logs=True,
    on_queue_update=on_queue_update,
)
print(result)
"""
JAVASCRIPT = f"""
import {{ fal }} from "@fal-ai/client";

const result = await fal.subscribe("{ENDPOINT}", {{
  input: {{
    prompt: "@Image1 waves",
    image_urls: ["https://example.org/a.png"], // the face
    end_image_url: 'https://example.org/b.png',
    "duration": "8",
    shot_type: `customize`,
    generate_audio: true,
  }},
  logs: true,
  onQueueUpdate: (update) => {{
    if (update.status === "IN_PROGRESS") {{
      update.logs.map((log) => log.message).forEach(console.log);
    }}
  }},
}});
console.log(result.data);
console.log(result.requestId);
"""
CURL = f"""
response=$(curl --request POST \\
  --url https://queue.fal.run/{ENDPOINT} \\
  --header "Authorization: Key $FAL_KEY" \\
  --header "Content-Type: application/json" \\
  --data '{{
     "prompt": "@Image1 waves",
     "image_urls": ["https://example.org/a.png"],
     "end_image_url": "https://example.org/b.png",
     "duration": "8",
     "generate_audio": true
   }}')
REQUEST_ID=$(echo "$response" | grep -o '"request_id": *"[^"]*"' | sed 's/"request_id": *//; s/"//g')
"""
WANTED = {
    "model": TARGET,
    "prompt": "@Image1 waves",
    "input_image": ["https://example.org/a.png"],
    "tail_image_url": "https://example.org/b.png",
    "duration": 8,
    "generate_audio": True,
}


@pytest.mark.parametrize(
    "text", [PYTHON, JAVASCRIPT, CURL, f"```js{JAVASCRIPT}```"], ids=["python", "js", "curl", "md"]
)
def test_the_snippets_of_fals_pages_are_read_whole(text: str) -> None:
    assert read_request(text) == (WANTED, [])


@pytest.mark.parametrize(
    "text",
    [
        f'handler = fal_client.submit("{ENDPOINT}", {{"prompt": "a"}}, webhook_url="https://example.org")',
        f'r = await fal_client.run_async(application="{ENDPOINT}", arguments=dict(prompt="a"))',
        f'fal.queue.submit("{ENDPOINT}", {{ input: {{ prompt: "a" }}, webhookUrl: "https://example.org" }})',
        f'const prompt = "a";\nawait fal.run("{ENDPOINT}", {{ input: {{ prompt }} }});',
        f'const input = {{ prompt: "a" }};\nfal.subscribe("{ENDPOINT}", {{ input }});',
        f'requests.post("https://queue.fal.run/{ENDPOINT}", json={{"prompt": "a"}})',
        f'fetch("https://fal.run/{ENDPOINT}", {{ method: "POST", body: JSON.stringify({{ prompt: "a" }}, null, 2) }})',
    ],
)
def test_every_way_of_sending_is_read(text: str) -> None:
    assert read_request(text) == ({"model": TARGET, "prompt": "a"}, [])


@pytest.mark.parametrize(
    ("endpoint", "sent", "fields"),
    [
        ("o3/standard/reference-to-video", {}, {"model": OMNI, "resolution": "720p"}),
        ("o3/pro/video-to-video/edit", {}, {"model": OMNI, "resolution": "1080p", "video_mode": "edit"}),
        ("o3/pro/text-to-video", {"duration": "5"}, {"duration": "5"}),
        ("o3/pro/reference-to-video", {"shot_type": "intelligent"}, {"shot_type": "intelligent"}),
        ("o3/pro/reference-to-video", {"elements": [{"video_url": "https://example.org/a.mp4"}]}, ...),
        ("o3/4k/reference-to-video", {"multi_prompt": [{"prompt": "b", "duration": "3"}]}, ...),
    ],
)
def test_a_request_keeps_fals_names_unless_each_has_a_counterpart(endpoint: str, sent: dict, fields: object) -> None:
    endpoint = f"fal-ai/kling-video/{endpoint}"
    kept = {"model": endpoint, **(sent if fields is ... else fields)}
    text = f"fal_client.subscribe({endpoint!r}, arguments={ {'prompt': 'a', **sent}!r})"
    assert read_request(text) == ({"prompt": "a", **kept}, [])


def test_a_file_that_python_uploads_is_read_as_its_path() -> None:
    text = f'url = fal_client.upload_file("a.png")\nfal_client.run("{ENDPOINT}", arguments={{"image_urls": [url]}})'
    assert read_request(text) == ({"model": TARGET, "input_image": ["a.png"]}, [])


def test_an_expression_that_is_not_followed_is_named() -> None:
    text = f"""
    fal.config({{ credentials: "{SECRET}" }});
    const image = await fal.storage.upload(file);
    await fal.subscribe("{ENDPOINT}", {{ input: {{
      image_urls: [image], duration: seconds + 1, prompt: `a ${{who}}`, tail: call("{SECRET}"), aspect_ratio: "1:1",
    }} }});
    await fal.subscribe("{ENDPOINT}", {{ input: {{ prompt: "another" }} }});
    """
    fields, notes = read_request(text)
    assert fields == {"model": TARGET, "input_image": [], "aspect_ratio": "1:1"}
    assert [note.partition(":")[0] for note in notes] == [
        "image_urls.0", "image_urls", "duration", "prompt", "tail", "line 7",
    ]  # fmt: skip
    assert SECRET.partition(":")[2] not in str(notes)


@pytest.mark.parametrize(
    "text",
    [
        f'fal.subscribe("{ENDPOINT}", {{ input: {{ prompt: "a',
        f'fal.subscribe("{ENDPOINT}", options)',
        f'fal.subscribe("{ENDPOINT}"',
        'fal.subscribe(endpoint, { input: { prompt: "a" } })',
        "fal.run(",
        f'fal.subscribe("{ENDPOINT}", {{ input: {"[" * 3000}',
    ],
)
def test_broken_code_is_not_read_as_a_request_or_names_the_missing_part(text: str) -> None:
    fields, notes = read_request(text)
    assert notes or fields == {"model": TARGET, "prompt": "a"}
