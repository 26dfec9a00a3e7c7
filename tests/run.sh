#!/bin/sh
# Everything that must hold, called by `make test`: format, lint, types, floors, then the tests.
# Browsers: see tests/browser.sh.
# KLING_NB_NO_NPM=1 leaves out the types of the front end, for which TypeScript comes from the npm registry.
set -eu
cd "$(dirname "$0")/.."
began=$(date +%s)

# Said before anything runs: nobody should wait for minutes to learn it.
sh tests/browser.sh
[ "${KLING_NB_NO_BROWSER:-}" = 1 ] && driven=no || driven=yes

# Two lanes beside each other, since most tests wait for processes of their own and a machine has at least two cores:
# what is checked as text and the plain tests in one, the browser and the kernels in the other. The browser has a pytest
# of its own in any case: after Playwright's sync API no event loop can be started in the same process. Each call is
# given its folders and no more, since every worker of a call loads all that it is given.
lanes=$(mktemp -d)
trap 'rm -rf "$lanes"' EXIT

# What a step printed comes in one piece when the step is over; the name of one that failed is kept.
step() {
  name=$1
  shift
  said=$(mktemp "$lanes/said.XXXXXX")
  if "$@" >"$said" 2>&1; then
    echo "--- $name: passed"
  else
    echo "--- $name: FAILED"
    echo "$name" >>"$lanes/failed"
  fi
  cat "$said"
}

# Several processes, each with whole files of tests. Who may import what is one of the plain tests.
several() {
  count=$1
  shift
  .venv/bin/python -m pytest -q -n "$count" --dist loadfile --durations=12 --durations-min=3 "$@"
}

plain_lane() {
  step "format" .venv/bin/ruff format --check --quiet .
  step "lint" .venv/bin/ruff check --quiet .
  step "plain tests" several 3 tests --ignore=tests/kernels --ignore=tests/browser --ignore=tests/views/browser
  step "types" .venv/bin/basedpyright
  step "types of the front end" .venv/bin/python -m tests.frontend
}

slow_lane() {
  [ $driven = no ] || step "tests in a browser" several 2 -m browser tests/browser tests/views/browser
  step "tests in kernels" several 2 tests/kernels
}

plain_lane &
slow_lane &
wait

took=$(($(date +%s) - began))
if [ -s "$lanes/failed" ]; then
  echo "FAILED after $took s: $(paste -sd, "$lanes/failed" | sed 's/,/, /g')."
  exit 1
fi
[ $driven = yes ] && echo "All tests passed in $took s." || echo "All tests but those in a browser passed in $took s."
