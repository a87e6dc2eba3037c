#!/bin/sh
# All stages in order, each resumable: a stage that was cut short goes on when the line is run again.
#
#     sh train.sh FOLDER
#
# FOLDER gets data/, work/ and checkpoint/. PYTHON names the interpreter of the environment of requirements.txt; the minutes and
# sizes below are for a GPU with 16 processor cores (about twelve minutes in all). On two processor cores, quiet: JOBS=2
# TEXTS=16000 VOICE_TEXTS=8000 TEXT_MINUTES=4 SPEECH_MINUTES=240 ENCODER_MINUTES=24 ENCODER_BATCH=4 POSITIONS=3000 SPELLING_OPTIONS=--f32.
set -eu
here=$(dirname "$0")
out=${1:?usage: train.sh FOLDER}
python=${PYTHON:-python3}
mkdir -p "$out/data" "$out/work"
common="--data $out/data --work $out/work"

synth() { "$python" "$here/make_data.py" synth --out "$out/data" --jobs "${JOBS:-16}" "$@"; }
codec() { "$python" "$here/train_codec.py" $common "$@"; }
lm() { "$python" "$here/train_lm.py" "$@" $common; }

[ -f "$out/data/train.json" ] || "$python" "$here/make_data.py" text --out "$out/data" --train "${TEXTS:-20000}" --voices "${VOICE_TEXTS:-8000}"
for split in heldout open voices train; do synth --split $split; done
[ -f "$out/work/codec-feat.pt" ] || codec --stage adopt
codec --stage feat
[ -f "$out/work/tokenizer.json" ] || lm prepare
[ -f "$out/work/lm.pt" ] || lm text --init "$here/../checkpoint" --minutes "${TEXT_MINUTES:-0.5}" ${SPELLING_OPTIONS:-}
codec --stage enc --splits voices --minutes "${ENCODER_MINUTES:-1.5}" --lr 2e-3 --lr-end 1e-4 --phone 0.05 --bs "${ENCODER_BATCH:-16}"
codec --stage hear
lm train --minutes "${SPEECH_MINUTES:-6}" --positions "${POSITIONS:-60000}"
"$python" "$here/export.py" --work "$out/work" --out "$out/checkpoint"
"$python" "$here/make_voices.py" --out "$out/voices"
