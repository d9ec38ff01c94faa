# The virtual environment that scripts/demo and scripts/test share. It is sourced from the
# repository's root, as `. scripts/environment.sh`, and defines one function; see there.
# shellcheck shell=sh

# Sets `venv`. Usage: prepare EXTRA [oldest], with EXTRA "" (the package) or "test" (and what tests
# need). Versions are those of constraints.txt; with "oldest" the lowest that pyproject.toml allows,
# in a folder of its own. The package is installed editable, so that a change in src/ needs no new installation. The stamp
# is written last: an installation that was interrupted is done again.
prepare() {
    oldest=${2:+-$2}
    venv=${ACCLIMATE_VENV:-.venv}$oldest
    case $venv in
    /*) ;;
    *) venv=$PWD/$venv ;;
    esac
    wanted=$(pwd && cksum pyproject.toml constraints.txt src/acclimate/_version.py ${2:+scripts/oldest.py})
    stamp=$venv/acclimate-installed
    # Whoever has the test environment has the plain one too.
    for name in "$stamp${1:+-$1}" "$stamp-test"; do
        if [ -x "$venv/bin/python" ] && [ "$(cat "$name" 2>/dev/null)" = "$wanted" ]; then
            return 0
        fi
    done

    if [ ! -x "$venv/bin/python" ]; then
        if [ -d "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
            fail "$venv is a folder with other content. Set ACCLIMATE_VENV to a new folder."
        fi
        base=$(find_python) ||
            fail "Python 3.11 or later was not found as python3.11 or python3. Install it first."
        echo "Making $venv with $("$base" --version)" >&2
        "$base" -m venv --without-pip "$venv" ||
            fail "$base cannot make $venv. Is there space, and the permission to write?"
    fi
    is_recent "$venv/bin/python" ||
        fail "$venv is broken or older than Python 3.11. Remove it, then run this again."
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$venv/bin/python" -m ensurepip --upgrade >/dev/null ||
            fail "pip is missing. On Debian and Ubuntu: apt-get install python3-venv"
    fi

    rm -f "$stamp" "$stamp-test"
    "$venv/bin/python" scripts/torch_build.py >&2
    echo "Installing acclimate${1:+ with what its tests need}; the first time takes minutes" >&2
    versions=constraints.txt
    extras=$1
    # Encoders of texts ask for a numpy above the lowest; their tests are skipped without them.
    [ "$1" != test ] || [ -n "$oldest" ] || extras=test,text
    if [ -n "$oldest" ]; then
        versions=$venv/oldest.txt
        "$venv/bin/python" scripts/oldest.py >"$versions" || fail "The lowest versions are unclear."
    fi
    quiet=--quiet
    [ ! -t 2 ] || quiet=--progress-bar=on
    "$venv/bin/python" -m pip install "$quiet" --disable-pip-version-check \
        -c "$versions" -e ".${extras:+[$extras]}" >&2 ||
        fail "The installation failed; pip's message is above. Run this again to go on."
    echo "$wanted" >"$stamp${1:+-$1}"
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in python3.11 python3 python; do
        if is_recent "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

fail() {
    echo "$0: $1" >&2
    exit 1
}
