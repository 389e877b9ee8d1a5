#!/bin/bash
# A sweep as a Slurm job array: one shard a task.
#
#   sbatch --array=0-3 docs/clusters/slurm-array.sh
#
# Assumes:
# - Slurm 20.11 or later, and a shared file system: SWEEP is the same directory on every node;
# - one build of cutwater, the same file on every node (results of two builds are not joined);
# - the array begins at 0 and has no gaps, and SHARDS is its length.
#
# A task that is killed, preempted or requeued goes on where its results end: no seed is lost, none is run
# twice. To run some shards again, submit only those: sbatch --array=2 … with SHARDS=4.
#SBATCH --job-name=cutwater-sweep
#SBATCH --array=0-3
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=3G
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=cutwater-%A-%a.out
set -uo pipefail

CUTWATER=${CUTWATER:-cutwater}
SHARDS=${SHARDS:-4}
SWEEP=${SWEEP:-$PWD/cutwater-sweep}
# What decides the runs. All shards, and every repetition, must say the same.
RUNS=${RUNS:---seeds 0..20000}

# Word splitting is meant: RUNS holds several arguments. Below --mem, a seed that takes too much memory
# fails alone; beyond it, Slurm would kill the whole task.
# shellcheck disable=SC2086
"$CUTWATER" sweep $RUNS \
    --shard "auto/$SHARDS" \
    --jobs "${SLURM_CPUS_PER_TASK:-1}" \
    --memory 2GiB \
    --resume "$SWEEP/shard-$SLURM_ARRAY_TASK_ID"
code=$?

# 1, 3 and 4 are findings, which the merge reports: the task itself has done its work.
case $code in
    0 | 1 | 3 | 4) exit 0 ;;
    *) exit "$code" ;;
esac

# When all tasks have ended, or in a job submitted with --dependency=afterok:JOB :
#
#   cutwater merge "$SWEEP"/shard-* --junit sweep.xml --json sweep.json
#
# Its exit code is that of one sweep over everything; 2 when runs are missing, with the shards that lack them.
