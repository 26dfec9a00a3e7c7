#!/bin/sh
# The plain tests with every other Python that is on this machine, called by `make test-pythons`: each in an environment
# of its own under .pythons/. A version is found on the PATH or among pyenv's.
set -eu
cd "$(dirname "$0")/.."
folders="models code engine hubs store render sweeps localhub exchange interactive magics notebook ui kernels"
failed=""
ran=""
for version in "$@"; do
  python=""
  for found in "$(command -v "python$version")" "$HOME"/.pyenv/versions/"$version".*/bin/python; do
    "$found" --version >/dev/null 2>&1 && python=$found && break
  done
  if [ -z "$python" ]; then
    echo "--- Python $version is not on this machine: skipped"
    continue
  fi
  echo "--- $("$python" --version)"
  here=.pythons/$version
  [ -x "$here/bin/python" ] || { "$python" -m venv "$here" && "$here/bin/python" -m pip install --quiet -c constraints.txt "pip>=25.1"; }
  if [ ! -e "$here/.stamp" ] || [ pyproject.toml -nt "$here/.stamp" ] || [ constraints.txt -nt "$here/.stamp" ]; then
    .venv/bin/uv pip install --quiet --python "$here/bin/python" -c constraints.txt -e . --group test ||
      "$here/bin/python" -m pip install --quiet -c constraints.txt -e . --group test
    touch "$here/.stamp"
  fi
  # Python 3.13 has `pdb` import `code`, for which it would take tests/code. What failed is tried once more, alone.
  # shellcheck disable=SC2046,SC2086  # lists
  tests() {
    "$here/bin/python" -m pytest -q -p no:debugging -p no:rerunfailures -o cache_dir=".pytest_cache/$version" "$@" \
      $(printf 'tests/%s ' $folders) --ignore=tests/ui/browser
  }
  tests -n 2 --dist loadfile || tests --last-failed || failed="$failed $version"
  ran="$ran $version"
done
[ -z "$failed" ] || { echo "FAILED with Python$failed." && exit 1; }
echo "Passed with Python${ran:- (none was found)}."
