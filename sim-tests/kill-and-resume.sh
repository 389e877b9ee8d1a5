#!/usr/bin/env bash
# Kills a sweep of many seeds with SIGKILL at random moments, resumes it each time, and checks that no
# seed was lost and none was run twice, and that the report is that of a sweep that nobody killed.
#
#   sim-tests/kill-and-resume.sh [SEEDS] [KILLS] [PROGRAM]
#
# Assumes: bash, coreutils, a built program (target/release/cutwater unless told otherwise).
# RANDOM=7 sim-tests/kill-and-resume.sh … repeats the moments, as far as a machine can.
set -euo pipefail

seeds=${1:-20000}
kills=${2:-20}
program=$(realpath "${3:-$(dirname "$0")/../target/release/cutwater}")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

cat > cheap.toml <<'SCENARIO'
version = 1
name = "cheap"
about = "60 records, one crash: as many runs a second as possible"
[job]
workload = "relay"
records = 60
parallelism = 2
[cluster]
workers = 2
[faults]
crash-worker = 1
[nemesis]
window_ms = [10, 60]
aimed_percent = 50
SCENARIO

# A defect, so that there are failures to report as well.
sweep=("$program" sweep cheap.toml --seeds "0..$seeds" --defect acknowledge-before-durable --resume)

lines() { if [ -e killed/results.jsonl ]; then wc -l < killed/results.jsonl; else echo 0; fi }
indices() { grep -o '^{"index":[0-9]*' "$1/results.jsonl" | cut -d: -f2; }
# All of a report but how long it took and where it is.
timeless() { grep -v '"seconds"\|"runs"\|"events"\|"virtual_ns"\|"kept"\|"command"' "$1/report.json"; }

begun=$(date +%s%N)
"${sweep[@]}" whole > whole.txt || [ $? = 1 ]
took=$((($(date +%s%N) - begun) / 1000000))
echo "uninterrupted: $seeds seeds in $took ms"

for kill in $(seq "$kills"); do
    "${sweep[@]}" killed > /dev/null 2>&1 &
    sweeping=$!
    # Anywhere in the time that all of them need together.
    wait_ms=$((RANDOM * 32768 + RANDOM))
    wait_ms=$((wait_ms % (3 * took / (2 * kills + 2) + 1)))
    sleep "$((wait_ms / 1000)).$(printf %03d $((wait_ms % 1000)))"
    kill -9 "$sweeping" 2> /dev/null || true
    wait "$sweeping" 2> /dev/null && { echo "over before kill $kill"; break; } || true
    torn=$(tail -c 1 killed/results.jsonl 2> /dev/null | wc -l || true)
    echo "kill $kill after $wait_ms ms: $(lines) lines, $([ "$torn" = 1 ] && echo whole || echo torn)"
done

"${sweep[@]}" killed > killed.txt || [ $? = 1 ]
[ "$(indices killed | wc -l)" = "$seeds" ] || { echo "FAILED: $(indices killed | wc -l) records"; exit 1; }
[ "$(indices killed | sort -u | wc -l)" = "$seeds" ] || { echo "FAILED: seeds lost and run twice"; exit 1; }
diff <(indices killed | sort -n) <(seq 0 $((seeds - 1))) > /dev/null || { echo "FAILED: other seeds"; exit 1; }
diff <(sort whole/results.jsonl) <(sort killed/results.jsonl) > /dev/null || { echo "FAILED: other results"; exit 1; }
diff <(timeless whole) <(timeless killed) || { echo "FAILED: another report"; exit 1; }
echo "held: $seeds seeds, none lost, none twice; the same records and the same report"
