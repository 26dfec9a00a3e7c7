#!/bin/sh
# Everything that must hold, called by `make test`: format, lint, types, floors, then the tests.
# KLING_NB_NO_BROWSER=1 leaves the browser out; KLING_NB_CHROMIUM names one that is not on the PATH.
# KLING_NB_NO_NPM=1 leaves out the types of the front end, for which TypeScript comes from the npm registry.
set -eu
cd "$(dirname "$0")/.."
began=$(date +%s)

browser() {
  for name in "${KLING_NB_CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$name" ] && command -v "$name" && return
  done
  return 1
}

install_browser() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
  echo "Installing Chromium and fonts with apt-get, for the tests that drive a browser ..."
  said=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  # The fonts: without them captions and pages have no letters, Latin or Chinese.
  if apt-get update >"$said" 2>&1 && apt-get install -y --no-install-recommends \
      chromium fonts-dejavu-core fonts-noto-cjk >>"$said" 2>&1 </dev/null; then
    rm -f "$said"
  else
    tail -n 20 "$said" >&2
    rm -f "$said"
    return 1
  fi
}

# Said before anything runs: nobody should wait for minutes to learn it.
driven=yes
if [ "${KLING_NB_NO_BROWSER:-}" = 1 ]; then
  driven=no
  echo "KLING_NB_NO_BROWSER=1: leaving out tests/browser and tests/views/browser."
elif ! browser >/dev/null && { ! install_browser || ! browser >/dev/null; }; then
  cat >&2 <<'SAY'
No Chromium was found, and it could not be installed from here (that takes apt-get and root).
Without one these tests cannot run: tests/browser (the whole story in JupyterLab) and tests/views/browser (the panel
under mouse and keyboard). Install Chromium or Google Chrome, or set KLING_NB_CHROMIUM to its path;
or set KLING_NB_NO_BROWSER=1 to run everything else.
SAY
  exit 1
fi

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
  .venv/bin/python -m pytest -q -n "$count" --dist loadfile "$@"
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
