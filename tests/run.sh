#!/bin/sh
# Everything that must hold, called by `make test`: format, lint, types, floors, then the tests.
# Browsers: see tests/browser.sh.
# KLING_NB_NO_NPM=1 leaves out the types of the front end, for which TypeScript comes from the npm registry.
set -eu
cd "$(dirname "$0")/.."
began=$(date +%s)

# Workers, kernels and hubs load the same modules, compiled by the first of them where it may write that down.
unset PYTHONDONTWRITEBYTECODE

# Said before anything runs: nobody should wait for minutes to learn it.
sh tests/browser.sh
[ "${KLING_NB_NO_BROWSER:-}" = 1 ] && driven=no || driven=yes

failed=""
step() {
  name=$1
  shift
  echo "--- $name"
  "$@" || failed="${failed:+$failed, }$name"
}

# The same beside the others: what it says is shown at the end.
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
beside() {
  output=$said/$1
  shift
  ("$@" >"$output" 2>&1 && touch "$output.passed") &
}

# Several processes, each with whole files of tests, in the order of tests/conftest.py. Who may import what is one of
# the plain tests.
several() {
  lane=$1 count=$2
  shift 2
  .venv/bin/python -m pytest -q -n "$count" --dist loadfile --no-loadscope-reorder -r fE -o cache_dir=".pytest_cache/$lane" \
    --durations=12 --durations-min=3 "$@" || again "$lane" $? "$@"
}

# Two cores run several workers, two browsers, and dozens of kernels and hubs, and a deadline may pass for that reason
# alone: the tests that failed are tried once more in the end, one after the other, when nothing else runs.
again() {
  [ "$2" = 1 ] || return "$2"
  lane=$1
  shift 2
  echo ".venv/bin/python -m pytest -q --last-failed -r fE -o cache_dir=.pytest_cache/$lane $*" >>"$said/again"
}

# The browser has a pytest of its own: after Playwright's sync API no event loop can be started in the same process.
# Each call is given its folders and no more, since every worker of a call loads all that it is given. Browsers wait
# much, type checkers use one core: both run beside the other tests.
types_and_browser() {
  failed=""
  step "types" make --no-print-directory .stamps/types
  [ $driven = no ] || step "tests in a browser" several browser 2 --timeout=240 -m browser tests/browser tests/ui/browser
  [ -z "$failed" ] || { echo "FAILED: $failed." && return 1; }
}

# Workers that collect at once would each compile what none has compiled yet: it is done once, beside the types, and
# again when a file has changed.
plain="tests --ignore=tests/browser --ignore=tests/ui/browser"
compiled() {
  [ -n "$(find tests kling_nb -name '*.py' -newer .stamps/collected -print -quit 2>/dev/null || echo none)" ] || return 0
  .venv/bin/python -m pytest -q --collect-only $plain >"$said/collected" || { tail -n 40 "$said/collected" && return 1; }
  touch .stamps/collected
}

beside "types, browser" types_and_browser
step "format" .venv/bin/ruff format --check --quiet .
step "lint" .venv/bin/ruff check --quiet .
step "plain English" .venv/bin/python tests/english.py
step "collection" compiled
step "tests, plain and in kernels" several plain 4 $plain
wait
cat "$said/types, browser"
[ -e "$said/types, browser.passed" ] || failed="${failed:+$failed, }types or tests in a browser"
[ ! -e "$said/again" ] || step "the tests that failed, alone" sh -e "$said/again"

took=$(($(date +%s) - began))
if [ -n "$failed" ]; then
  echo "FAILED after $took s: $failed."
  exit 1
fi
[ $driven = yes ] && echo "All tests passed in $took s." || echo "All tests but those in a browser passed in $took s."
