#!/usr/bin/env bash
# What a GPU changes, in twelve minutes at most. Run it from the root of the repository:
#
#   benchmarks/gpu.sh FOLDER                  # what it prints is in FOLDER/log.txt too
#   benchmarks/gpu.sh FOLDER TEACHER DATA     # also the first minutes of pretrain/e5-mini
#   SMOKE=1 benchmarks/gpu.sh FOLDER          # the same commands, small, to try them on a CPU
#
# It needs nothing but the repository and an environment (PYTHON, default .venv/bin/python) with the
# pinned packages and a torch that finds the GPU: models have random weights, or come with
# lingopress. Each part has its own time limit, and one that fails does not stop the others.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "$1")
teacher=${2:-}
data=${3:-}
python=${PYTHON:-.venv/bin/python}
mkdir -p "$folder"
exec > >(tee "$folder/log.txt") 2>&1

part() { # part SECONDS TITLE COMMAND...
    local limit=$1 title=$2 began=$SECONDS
    shift 2
    printf '\n## %s\n\n' "$title"
    timeout --kill-after 5 "$limit" "$@"
    printf '\nexit code %s, %s s\n' "$?" "$((SECONDS - began))"
}

size=base rows=32 length=128 steps=30 limit=1
if [ -n "${SMOKE:-}" ]; then size=small rows=2 length=16 steps=2 limit=4; fi
export PYTHONPATH=. TOKENIZERS_PARALLELISM=false
lingopress=("$python" -m recipes.cli)

part $((20 * limit)) "The machine" "$python" -c '
import torch
print("torch", torch.__version__, "CUDA", torch.version.cuda, torch.cuda.is_available())
print(*(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())))'
part $((240 * limit)) "Training steps by method: tokens per second (memory here is the processor's)" \
    "$python" benchmarks/training_memory.py $size --rows $rows --length $length --steps $steps \
    --compute bf16 --work "$folder/shapes" \
    --setups "full fp32" "lora bf16" "lora int8" "lora nf4, embeddings bf16"
part $((150 * limit)) "Bundles for torch: scores and speed in bf16, int8 and NF4" \
    "${lingopress[@]}" run benchmarks/gpu.yaml --workspace "$folder/bundles" \
    ${SMOKE:+--set classifier.max_steps=5 --set scores.max_examples=20}
part $((120 * limit)) "The quickstart" \
    "${lingopress[@]}" run quickstart --workspace "$folder/quickstart"
if [ -n "$teacher" ]; then
    part $((60 * limit)) "Steps of the plain script and of train, in turns" \
        "$python" -m benchmarks.training_overhead "$teacher" "$data" --steps 20 --rounds 3
    part $((180 * limit)) "The small encoder, from its teacher" \
        "${lingopress[@]}" run pretrain/e5-mini --until small --data-dir "$data" \
        --workspace "$folder/small" --set trimmed.model="$teacher" --set short.teacher="$teacher" \
        --set small.teacher="$teacher"
fi
