#!/bin/sh
# The two commands from nothing: a clone of HEAD, an empty HOME, and a PATH that holds Python, make, sh and coreutils
# and nothing else (no git, no node, no npm). Runs the demonstration twice, then the smallest part of the tests that
# proves their set-up; with FRESH_TEST=1 all tests. Leaves no process and no folder behind.
set -eu
# A Makefile runs this with its own options in the environment; the clone's make starts without them.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEFILES

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
clone=$work/certledger
set_up_proof=tests/acceptance/test_bad_bundles.py

# Processes that name the temporary folder: only such as this script started, since nobody else knows the folder.
left_running() {
    for folder in /proc/[0-9]*; do
        pid=${folder#/proc/}
        [ "$pid" = "$$" ] || ! tr '\0' ' ' < "$folder/cmdline" | grep -qF "$work" || echo "$pid"
    done 2> /dev/null # a process may be gone before it is looked at
}

leave() {
    status=$?
    trap - EXIT
    left=$(left_running)
    if [ -n "$left" ]; then
        echo "fresh: still running, ended now: $left"
        # shellcheck disable=SC2086  # one argument a process
        kill $left 2> /dev/null || true
        sleep 1
        status=1
    fi
    rm -rf "$work"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT TERM

# The interpreter itself: a shim or a virtual environment's link would bring its own surroundings along.
python=$(command -v python3.11 || command -v python3)
python=$("$python" -c 'import os, sys; print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))')

mkdir "$work/bin" "$work/home"
ln -s "$python" "$work/bin/python3.11"
for tool in make sh '[' basename cat chmod comm cp cut date dirname echo env expr false head id install ln ls mkdir \
    mktemp mv nproc paste printf pwd readlink realpath rm rmdir seq sleep sort split stat tail tee test timeout touch \
    tr true uname uniq wc; do
    ln -s "$(PATH=/usr/bin:/bin command -pv "$tool" | grep / || echo "/usr/bin/$tool")" "$work/bin/$tool"
done

git clone --quiet "$root" "$clone"
[ ! -d "$root/../shared" ] || ln -s "$(cd "$root/../shared" && pwd)" "$work/shared"

# Only what the package clients need to reach their registries from this machine, and CI, which forbids skips.
set -- HOME="$work/home" PATH="$work/bin" TMPDIR="$work" LANG=C.UTF-8
names=$(env | grep -E '^(PIP_|npm_config_|NPM_CONFIG_|SSL_CERT_|[A-Za-z]+_proxy=|[A-Z]+_PROXY=|CI=|REQUESTS_CA_BUNDLE=|CURL_CA_BUNDLE=|NODE_EXTRA_CA_CERTS=)' \
    | grep -E '^[A-Za-z0-9_]+=' | cut -d= -f1)
for name in $names; do
    eval "set -- \"\$@\" \"$name=\$$name\""
done

# run LABEL COMMAND…: in the clone, its output shown; prints the seconds it took and those to its first line.
run() {
    label=$1
    shift
    begun=$(date +%s)
    { (cd "$clone" && "$@" < /dev/null) && echo 0 > "$work/status" || echo "$?" > "$work/status"; } 2>&1 | {
        if IFS= read -r line; then
            echo "$(($(date +%s) - begun))" > "$work/first"
            printf '%s\n' "$line"
            cat
        fi
    }
    echo "fresh: $label: $(($(date +%s) - begun)) s, first line after $(cat "$work/first") s"
    [ "$(cat "$work/status")" = 0 ] || { echo "fresh: $label failed"; exit 1; }
}

echo "fresh: HEAD $(git -C "$clone" rev-parse --short HEAD), $("$python" --version), PATH of $(ls "$work/bin" | wc -l) programs"
run 'make demo, from nothing' env -i "$@" make demo
run 'make demo, again' env -i "$@" make demo
if [ "${FRESH_TEST:-}" = 1 ]; then
    run 'make test' env -i "$@" make test
else
    run "make test T=$set_up_proof" env -i "$@" make test "T=$set_up_proof"
fi
left=$(left_running)
[ -z "$left" ] || { echo "fresh: left running: $left"; exit 1; }
echo 'fresh: nothing left running'
