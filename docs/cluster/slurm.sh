#!/bin/bash
#SBATCH --job-name=lingopress
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=12:00:00
#
# sbatch slurm.sh recipe.yaml [options of lingopress run]
#
# The workspace must be on a disk that all nodes see; this takes the directory of the job.
# For GPUs add: #SBATCH --gpus-per-node=4

set -euo pipefail
export RAY_USAGE_STATS_ENABLED=0
port=6379
nodes=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=$(echo "$nodes" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 -w "$head" hostname --ip-address | awk '{print $1}')
export RAY_ADDRESS="$address:$port"

# Starts Ray on every node, runs the command on the first, and stops Ray when it ends (Ray 2.49).
srun --ntasks="$SLURM_JOB_NUM_NODES" ray symmetric-run \
    --address "$RAY_ADDRESS" \
    --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus "${SLURM_CPUS_ON_NODE:-1}" \
    -- lingopress run "$@" --on ray --workspace "${SLURM_SUBMIT_DIR:-$PWD}/.lingopress"
