#!/usr/bin/env bash
# Proves the GPU path on a machine with one GPU, in eight minutes and without a network, the most important things first.
#
#     bash benchmarks/gpu.sh [--dry-run | --rehearse] [FOLDER]
#
# It runs the tests marked `cuda`, speed.py at 512×512, and the report's protocol for the time that is left. For each of
# them it prints a line that begins with PASS, FAIL or SKIP, and it ends non-zero if one failed. FOLDER
# (benchmarks/results/gpu) gets these lines in summary.txt, all output in log.txt, and the measurements: commit it.
# Without a GPU it says so and ends.
#
#     --dry-run     lists the steps and the seconds planned for each
#     --rehearse    runs the same tests on the CPU, where there is no GPU, and the rest at a reduced size
#     PYTHON=…      the interpreter that has PyTorch (python3)
#     UNETPP_PLANT=cuda    plants a tensor on the wrong device in the tests: then they must fail
#
# What has to be carried along. A bare PyTorch image has torch, numpy and what torch itself needs; look there with
# `python3 -m pip list`. It may lack these packages, which are pure Python:
#     tyro docstring-parser typeguard typing-extensions tqdm pytest iniconfig packaging pluggy pygments sortedcontainers
# and these, which are binary. One wheel of safetensors serves all Pythons from 3.10 on; the wheels of the others serve
# one version of Python, given below, on x86-64:
#     safetensors pillow hypothesis scipy
# MONAI (monai, pure Python) and matplotlib (binary, with seven more) are used if they are there, and not missed
# otherwise. Name those that the image lacks, and the image's version of Python:
#     python -m pip download --no-deps --only-binary=:all: --dest gpu_files/wheels \
#         --python-version 3.12 --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 \
#         tyro docstring-parser typeguard monai
#     unetpp data download isbi2012
#     cp -rL "$(python -c 'from unetpp_lib.data import find_dataset; print(find_dataset("isbi2012"))')" gpu_files/
# gpu_files/ is ignored by git; UNETPP_GPU_FILES names another folder.
set -u
cd "$(dirname "$0")/.." || exit 1

LIMIT=480 # seconds for everything; each step has its own, and the protocol gets what is left, at least the rest
INSTALL=15 TESTS=190 SPEED_1=60 SPEED_8=75
PROTOCOL=$((LIMIT - INSTALL - TESTS - SPEED_1 - SPEED_8))
CUDA_TESTS=(tests/library/engine/test_cuda.py tests/library/engine/test_cuda_answers.py tests/course/lab/test_timing.py
    tests/library/engine/test_cuda_compiled.py) # last, so that a slow compiler hides nothing else
PYTHON=${PYTHON:-python3}
files=${UNETPP_GPU_FILES:-gpu_files}
rehearsal=""

case ${1:-} in
--dry-run)
    echo "$INSTALL s: install the wheels in $files/wheels"
    echo "$TESTS s: the tests marked cuda"
    echo "$SPEED_1 s: speed.py, batch 1"
    echo "$SPEED_8 s: speed.py, batch 8"
    echo "$PROTOCOL s or what is left: the report's protocol, U-Net and UNet++ without supervision"
    echo "$LIMIT s together"
    exit
    ;;
--rehearse) rehearsal=yes && shift ;;
-*)
    echo "$1 is no option: give --dry-run, --rehearse, or a folder for the results."
    exit 2
    ;;
esac
out=${1:-benchmarks/results/gpu}

gpu=$("$PYTHON" -c 'import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else "")') || {
    echo "$PYTHON has no PyTorch: name an interpreter that has it with PYTHON=…"
    exit 1
}
site=$(mktemp -d) && trap 'rm -rf "$site"' EXIT
if [ -n "$rehearsal" ]; then
    export UNETPP_REHEARSAL=cpu CUDA_VISIBLE_DEVICES=""
    size=(--device cpu --side 32 --widths 2 2 3 3 4)
    protocol=(--device cpu --source "$site/drawn" --patch 64 --widths 2 3)
    echo "A rehearsal on the CPU: it tries the script and the tests, and says nothing about a GPU."
elif [ -n "$gpu" ]; then
    size=(--side 512) protocol=()
    echo "On one $gpu."
else
    echo "There is no GPU here, so nothing was run. (--rehearse tries the same on the CPU.)"
    exit
fi

mkdir -p "$out"
: > "$out/log.txt"
: > "$out/summary.txt"
export PYTHONPATH="$site:$PWD" PYTHONUNBUFFERED=1
export UNETPP_DATA=${UNETPP_DATA:-$files}
export CUBLAS_WORKSPACE_CONFIG=:4096:8 # without it cuBLAS has no deterministic mode
failed=0

say() { # a line of the summary
    echo "$*" | tee -a "$out/summary.txt"
    case $* in FAIL*) failed=1 ;; esac
}

run() { # a name, its seconds and a command: its output goes to the log
    local name=$1 seconds=$2 code began=$SECONDS
    shift 2
    printf '\n=== %s: %s\n' "$name" "$*" >> "$out/log.txt"
    timeout --kill-after=5 "$seconds" "$@" >> "$out/log.txt" 2>&1
    code=$?
    case $code in
    0) say "PASS $name ($((SECONDS - began)) s)" ;;
    124 | 137) say "FAIL $name: stopped after its $seconds s" ;;
    *) say "FAIL $name: exit code $code, see log.txt" ;;
    esac
}

say "$(date -u +%F), ${gpu:-CPU}, $("$PYTHON" -c 'import sys, torch; print("Python", sys.version.split()[0], "PyTorch", torch.__version__)')"
if compgen -G "$files/wheels/*.whl" > /dev/null; then
    run "install" $INSTALL "$PYTHON" -m pip install --quiet --no-index --no-deps --target "$site" "$files"/wheels/*.whl
fi

run "tests" $TESTS "$PYTHON" -m pytest -v --tb=short -p no:cacheprovider -m cuda "${CUDA_TESTS[@]}"
while read -r result name; do # "PASSED one_training_step…", from pytest's "FILE::test_one_training_step… PASSED"
    case $result in
    PASSED) say "PASS   ${name//_/ }" ;;
    SKIPPED) say "SKIP   ${name//_/ }" ;;
    *) say "FAIL   ${name//_/ }" ;;
    esac
done < <(sed -nE 's/^tests\/.*::test_(.*) (PASSED|SKIPPED|FAILED|ERROR).*/\2 \1/p' "$out/log.txt")

networks="*[t+]" # U-Net and UNet++, ours and MONAI's, but not the pruned ones
for batch in 1 8; do
    seconds=$((batch == 1 ? SPEED_1 : SPEED_8))
    run "speed, batch $batch" $seconds "$PYTHON" benchmarks/speed.py "${size[@]}" --batch "$batch" --only "$networks" \
        --rounds 3 --warm-up 1 --out "$out/speed_batch_$batch.json"
done

left=$((LIMIT - SECONDS))
if [ -n "$rehearsal" ]; then # eight small drawn images in place of the thirty slices
    left=60
    "$PYTHON" -m unetpp_course draw "$site/drawn" --count 8 --size 64 >> "$out/log.txt" 2>&1
fi
run "the report's protocol" "$left" "$PYTHON" benchmarks/gpu_protocol.py "${protocol[@]}" --seconds $((left - 20)) --out "$out"
say "$SECONDS s of $LIMIT; $([ $failed = 0 ] && echo "all passed" || echo "something failed")"
exit $failed
