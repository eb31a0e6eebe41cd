#!/usr/bin/env bash
# From a fresh clone to a rehearsal that was killed and resumed: what a newcomer waits for. Goal: 180 s with the install.
#
# What is committed is cloned, and nothing is at hand but Python, git, make and a package index: no environment, no cache of
# packages, no state of earlier runs. Prints each part; 1 when the goal is missed.
set -euo pipefail

goal=180
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

unset VIRTUAL_ENV PYTHONPATH PYTHONDONTWRITEBYTECODE "${!REKINDLE@}"
export PIP_NO_CACHE_DIR=1 XDG_STATE_HOME="$folder/state" XDG_CACHE_HOME="$folder/cache" TMPDIR="$folder"
export MAKEFLAGS= MAKELEVEL=

part() {
  local name=$1 begun=$EPOCHREALTIME
  shift
  "$@" >"$folder/$name.log" 2>&1 || { tail -n 30 "$folder/$name.log"; echo "$name failed"; exit 1; }
  awk -v name="$name" -v begun="$begun" -v ended="$EPOCHREALTIME" \
    'BEGIN { printf "%-8s %6.1f s\n", name, ended - begun }'
}

begun=$EPOCHREALTIME
part clone git clone --quiet "file://$source" "$folder/rekindle"
part install make -C "$folder/rekindle" venv
part demo make -C "$folder/rekindle" demo
awk -v goal="$goal" -v begun="$begun" -v ended="$EPOCHREALTIME" -v load="$(cut -d' ' -f1 /proc/loadavg)" \
  'BEGIN { all = ended - begun; printf "in all   %6.1f s  goal %d s; load %s\n", all, goal, load; exit all > goal }'
