"""Plain English: phrases that nobody would say, counted. `make check` fails when a count rises; it may only fall.

The phrases are looked for in docstrings, messages and comments of the package, the tests and the browser side, and in
the documentation. `python -m tests.english` lists each place; `--write` writes lower counts down.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
COUNTS = Path(__file__).with_name("english.json")

PHRASES = {
    "is no <noun>": r"\b(?:is|are|was|were|be) no (?!(?:more|longer|such|other|need|way to|\w+er)\b)[a-z]+\b",
    "a docstring that begins with a question word": r"^\s*[\"']{3}(?:What|Where|Who|How)\b(?! to )",
    "whoever, nobody": r"\b(?:[Ww]hoever|[Nn]obody|[Ss]omebody)\b",
    "what is left": r"\b[Ww]hat (?:is|was|were|are) (?:\w+ )?(?:left|kept|said|given|asked|shown|meant|missing)\b",
    "fronted Of": r"(?:^|[.!?] |\"\"\")Of (?:a|an|the|what|each|all|those) ",
    "it is said": r"\b(?:is|are|was|were) said\b|\bsaid (?:so|plainly|in words)\b|\bsays so\b",
    "stands, lies": r"\b(?:stands?|stood|lies|lay) (?:in|at|on|by|beside|there|for itself|alone)\b",
    "as it wishes, in words": r"\bas it wishes\b|\bin words\b|\banew\b|\bto be seen\b|\b(?:thrown|put) away\b",
    "one that is": r"\b(?:one|ones) (?:that|which|of) (?:is|are|was|has|had|can)\b",
    "returns at once": r"\b(?:[Rr]eturns?|saved|sent|shown|drawn|fails|polls?|released|refused) at once\b",
    "in a folder of its own": r"\bin an? \w+ of (?:its|their) own\b",
    "go on": r"\b(?:jobs?|runs?|requests?|hub) goe?s? on\b(?! (?:not|to|with))",
    "is too little": r"\bis too (?:little|much)\b",
    "mend, doubt": r"\b(?:[Mm]end(?:s|ed|ing)?|[Dd]oubts|[Dd]oubted)\b",
}
#: Any of them, also where no string or comment begins: most files have none, and need not be taken apart.
ANYWHERE = [re.compile(pattern.removeprefix(r"^\s*"), re.MULTILINE) for pattern in PHRASES.values()]


def texts_of(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each string and comment of a Python file, or each line of another file."""
    text = file.read_text("utf-8")
    if not any(pattern.search(text) for pattern in ANYWHERE):
        return
    if file.suffix == ".ipynb":
        for cell in json.loads(text)["cells"]:
            yield from enumerate("".join(cell["source"]).splitlines(), 1)
    elif file.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
    else:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in (tokenize.STRING, tokenize.COMMENT):
                yield token.start[0], token.string


def places() -> Iterator[tuple[str, Path, int, str]]:
    """Yield each place of a phrase: the phrase, the file, the line and the words."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - git is found on the path
    for name in tracked.split("\0"):
        file = ROOT / name
        if file.suffix not in (".py", ".pyi", ".js", ".md", ".ipynb", ".jinja") or file == Path(__file__):
            continue
        for line, text in texts_of(file):
            for phrase, pattern in PHRASES.items():
                for found in re.finditer(pattern, text, re.MULTILINE):
                    yield phrase, file.relative_to(ROOT), line + text.count("\n", 0, found.start()), found[0]


def main(arguments: list[str]) -> int:
    """Count the phrases, compare them with the last counts, and return the exit status."""
    found = list(places())
    counts = {phrase: sum(one[0] == phrase for one in found) for phrase in PHRASES}
    allowed = json.loads(COUNTS.read_text()) if COUNTS.exists() else counts
    if "--write" in arguments:
        lower = {phrase: min(count, allowed.get(phrase, count)) for phrase, count in counts.items()}
        COUNTS.write_text(json.dumps(lower, indent=2) + "\n")
        return 0
    more = [phrase for phrase, count in counts.items() if count > allowed.get(phrase, 0)]
    for phrase, file, line, words in found if "--all" in arguments else [one for one in found if one[0] in more]:
        print(f"{file}:{line}: {words.strip()!r} ({phrase})")
    print(", ".join(f"{phrase}: {count} of {allowed.get(phrase, 0)}" for phrase, count in counts.items()))
    return bool(more)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
