#!/usr/bin/env bash
# Installs Debian's Slurm on this one machine, and really runs slurm-array.sh on it: four shards, one of
# which is killed and requeued on the way; then joins the results and compares them with one sweep.
#
#   sudo docs/clusters/try-slurm.sh [PROGRAM]
#
# Assumes: Debian 12 or the like, root, no Slurm in use here, port 6817 and 6818 free. It can be run again;
# at its end its daemons are stopped and its configuration is gone. The packages stay.
# Not for CI: it takes a machine for itself.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:-$here/../../target/release/cutwater}")
place=$(mktemp -d)
daemons=()

[ "$(id -u)" = 0 ] || { echo "must be root"; exit 2; }
if [ -e /etc/slurm/slurm.conf ] && ! grep -q cutwater-try /etc/slurm/slurm.conf; then
    echo "/etc/slurm/slurm.conf is there: this machine has a Slurm of its own"
    exit 2
fi

cleanup() {
    for pid in "${daemons[@]}"; do kill "$pid" 2> /dev/null || true; done
    for pid in "${daemons[@]}"; do
        for _ in $(seq 50); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2> /dev/null || true
    done
    rm -f /etc/slurm/slurm.conf
    rm -rf "$place"
}
trap cleanup EXIT

if ! command -v slurmctld slurmd sbatch munged > /dev/null; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends \
        slurmctld slurmd slurm-client munge
fi

await() { # what, command…
    local what=$1
    shift
    for _ in $(seq 300); do "$@" > /dev/null 2>&1 && return 0; sleep 0.2; done
    echo "$what did not happen within a minute"
    tail -n 20 "$place"/*.log 2> /dev/null || true
    exit 1
}

# Who authenticates.
[ -e /etc/munge/munge.key ] || { dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=1024 status=none; }
chown munge: /etc/munge/munge.key && chmod 400 /etc/munge/munge.key
if ! munge -n > /dev/null 2>&1; then
    mkdir -p /run/munge && chown munge: /run/munge
    setpriv --reuid=munge --regid=munge --init-groups \
        /usr/sbin/munged --force --foreground > "$place/munged.log" 2>&1 &
    daemons+=($!)
fi
await "munge" munge -n

# A cluster of one machine.
host=$(hostname -s)
cpus=$(nproc)
mkdir -p /etc/slurm "$place/state" "$place/spool"
cat > /etc/slurm/slurm.conf <<CONF
# cutwater-try: written by try-slurm.sh, removed at its end
ClusterName=try
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
MpiDefault=none
ReturnToService=2
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=try Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
slurmctld -D > "$place/slurmctld.log" 2>&1 &
daemons+=($!)
await "slurmctld" scontrol ping
slurmd -D > "$place/slurmd.log" 2>&1 &
daemons+=($!)
is_idle() { [ "$(sinfo -h -o %T)" = idle ]; }
await "an idle node" is_idle

# The array, with a task killed on the way.
export CUTWATER=$program SHARDS=4 SWEEP=$place/sweep RUNS="relay bank --seeds 0..${SEEDS:-2000}"
cd "$place"
job=$(sbatch --parsable --array=0-3 --mem=0 "$here/slurm-array.sh")
echo "array $job of 4 shards"
has_begun() { [ "$(wc -l < "$SWEEP/shard-0/results.jsonl")" -gt 20 ]; }
await "the first results" has_begun
before=$(wc -l < "$SWEEP/shard-0/results.jsonl")
scontrol requeue "${job}_0" && echo "shard 0 requeued after $before lines"
is_over() { [ -z "$(squeue -h -j "$job")" ]; }
for _ in $(seq 60); do
    is_over && break
    # A requeued job waits for two minutes, so that its nodes can recover; nobody here needs to.
    scontrol update JobId="${job}_0" StartTime=now > /dev/null 2>&1 || true
    sleep 5
done
is_over || { echo "the array did not end"; squeue; exit 1; }
grep -h "^resumed" cutwater-*.out || echo "(nothing was resumed)"

code=0
"$program" merge "$SWEEP"/shard-* --json joined.json --junit joined.xml > joined.txt || code=$?
cat joined.txt
"$program" sweep $RUNS --json whole.json --out whole > /dev/null
timeless() { sed '/"pace": {/,/}/d' "$1" | grep -v '"pace"\|"kept"'; }
diff <(timeless joined.json) <(timeless whole.json) && echo "the report of the shards is that of one sweep"
exit "$code"
