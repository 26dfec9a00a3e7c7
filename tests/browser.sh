#!/bin/sh
# Is there a browser for the tests that drive one? Installs Debian's where that is possible; else says what cannot run
# and why, and ends with 1. KLING_NB_NO_BROWSER=1 leaves those tests out; KLING_NB_CHROMIUM names a browser by its path.
set -eu

found() {
  for name in "${KLING_NB_CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$name" ] && command -v "$name" >/dev/null && return
  done
  return 1
}

install() {
  echo "Installing Chromium and fonts with apt-get, for the tests that drive a browser ..."
  said=$(mktemp)
  trap 'rm -f "$said"' EXIT
  export DEBIAN_FRONTEND=noninteractive
  # The fonts: without them captions and pages have no letters, Latin or Chinese.
  apt-get update >"$said" 2>&1 && apt-get install -y --no-install-recommends \
    chromium fonts-dejavu-core fonts-noto-cjk >>"$said" 2>&1 </dev/null && return
  tail -n 20 "$said" >&2
  return 1
}

if [ "${KLING_NB_NO_BROWSER:-}" = 1 ]; then
  echo "KLING_NB_NO_BROWSER=1: leaving out tests/browser and tests/ui/browser."
  exit
fi
found && exit
if ! command -v apt-get >/dev/null; then
  why="there is no apt-get to install it with"
elif [ "$(id -u)" != 0 ]; then
  why="only root may install it with apt-get"
elif install && found; then
  exit
else
  why="apt-get did not bring it"
fi
cat >&2 <<SAY
No Chromium was found, and $why.
Without one these tests cannot run: tests/browser (the whole story in JupyterLab) and tests/ui/browser (the panel
under mouse and keyboard). Install Chromium or Google Chrome, or set KLING_NB_CHROMIUM to its path;
or set KLING_NB_NO_BROWSER=1 to run everything else.
SAY
exit 1
