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

quietly() {
  said=$(mktemp)
  if "$@" >"$said" 2>&1; then
    rm -f "$said"
  else
    cat "$said" >&2
    rm -f "$said"
    echo "FAILED: $*" >&2
    exit 1
  fi
}

quietly .venv/bin/ruff format --check .
quietly .venv/bin/ruff check .
quietly .venv/bin/basedpyright
quietly .venv/bin/lint-imports
quietly .venv/bin/python -m tests.frontend
echo "Format, lint, types and floors hold."

# Several at a time: most tests wait for processes of their own. The browser has a call of its own in any case: after
# Playwright's sync API no event loop can be started in the same process.
several() {
  count=$1
  shift
  .venv/bin/python -m pytest -q -n "$count" --dist loadfile -m "$@"
}
failed=""
several 4 "not browser and not kernel" || failed="a test of the first process"
several 2 "kernel and not browser" || failed="${failed:+$failed and }one in a kernel"
if [ $driven = yes ]; then
  several 2 browser || failed="${failed:+$failed and }one in the browser"
fi

took=$(($(date +%s) - began))
if [ -n "$failed" ]; then
  echo "FAILED after $took s: $failed."
  exit 1
fi
[ $driven = yes ] && echo "All tests passed in $took s." || echo "All tests but those in a browser passed in $took s."
