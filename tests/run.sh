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

# The browser has a pytest of its own: after Playwright's sync API no event loop can be started in the same process.
# Each call is given its folders and no more, since every worker of a call loads all that it is given.
failed=""
step() {
  name=$1
  shift
  echo "--- $name"
  "$@" || failed="${failed:+$failed, }$name"
}

# Several processes, each with whole files of tests. Who may import what is one of the plain tests.
several() {
  count=$1
  shift
  .venv/bin/python -m pytest -q -n "$count" --dist loadfile --durations=12 --durations-min=3 "$@"
}

step "format" .venv/bin/ruff format --check --quiet .
step "lint" .venv/bin/ruff check --quiet .
step "plain English" .venv/bin/python tests/english.py
step "types" make --no-print-directory .stamps/types
step "tests, plain and in kernels" several 6 tests --ignore=tests/browser --ignore=tests/ui/browser
[ $driven = no ] || step "tests in a browser" several 3 -m browser tests/browser tests/ui/browser

took=$(($(date +%s) - began))
if [ -n "$failed" ]; then
  echo "FAILED after $took s: $failed."
  exit 1
fi
[ $driven = yes ] && echo "All tests passed in $took s." || echo "All tests but those in a browser passed in $took s."
