#!/usr/bin/env bash
# Score a model by domain: examples/score_model.sh MODEL [BENCHMARK]. MODEL is a folder, ORG/NAME@REV or random.
set -euo pipefail
model=${1:-random}
benchmark=${2:-benchmark}
webfaq-eval score --model "$model" --benchmark "$benchmark" --subset 'webfaq_???_*' --out results
webfaq-eval report results --out report
