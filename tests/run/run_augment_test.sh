#!/usr/bin/env bash
# Augmented images: off by default and then without a trace, in training batches alone, new in every epoch, and the same
# bytes for any number of threads and after an interruption.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

cat >images.json <<'JSON'
{
  "data": {"kind": "textures", "height": 9, "width": 7, "channels": 3, "samples": 90, "test_samples": 40},
  "network": {"depth": 3, "width": 8, "skip": "add", "norm": "batch"},
  "train": {"lr": 0.05, "batch_size": 40, "steps": 20},
  "report": {"schedule": {"kind": "linear", "every": 1}, "train_eval": 90}
}
JSON
train() { # DIRECTORY ARGUMENT...
    does train images.json -q --out "$@"
    want_csvs "$1"
}
augment=(--set data.augment.crop_padding=2 --set data.augment.flip=true)

want_same_run() { # DIRECTORY DIRECTORY
    want_equal "$1/loss.csv" "$2/loss.csv"
    want_equal "$1/gradients.csv" "$2/gradients.csv"
    want_equal "$1/final.safetensors" "$2/final.safetensors"
    want "$2: config_hash" "$(value_of "$1/run.json" config_hash)" "$(value_of "$2/run.json" config_hash)"
}

# Written out, the default is the same run.
train plain --threads 1
train written --threads 1 --set 'data.augment={"crop_padding": 0, "flip": false}'
want_same_run plain written

# It changes what a step sees, and nothing of what an evaluation sees.
train augmented --threads 1 "${augment[@]}"
want_other plain/loss.csv augmented/loss.csv
want "another hash" 2 "$(for run in plain augmented; do value_of $run/run.json config_hash; done | sort -u | wc -l)"
for name in train_loss train_accuracy test_loss test_accuracy; do
    want "step 0: $name" "$(column plain/loss.csv $name 0)" "$(column augmented/loss.csv $name 0)"
done
want "step 0: another batch_loss" 2 \
    "$(for run in plain augmented; do column $run/loss.csv batch_loss 0; done | sort -u | wc -l)"
want "the data are the same" "$(value_of plain/run.json data_checksum)" "$(value_of augmented/run.json data_checksum)"

# Without an update the same batches come again in every epoch, but not where they are augmented.
still=(--set train.lr=0 --set train.shuffle=false --set train.steps=7 --threads 1)
train still "${still[@]}"
train moving "${still[@]}" "${augment[@]}"
want "still: steps 0 and 3" "$(column still/loss.csv batch_loss 0)" "$(column still/loss.csv batch_loss 3)"
want "moving: steps 0, 3 and 6" 3 "$(for step in 0 3 6; do column moving/loss.csv batch_loss $step; done | sort -u | wc -l)"

# Threads, the way into a batch, and where a run was cut in two.
for threads in 2 3; do
    train "threads.$threads" --threads "$threads" "${augment[@]}"
    want_same_run augmented "threads.$threads"
done
train parts --threads 1 "${augment[@]}" --set train.steps=8
does train images.json -q --threads 2 --out parts "${augment[@]}" --resume
want_same_run augmented parts
does train augmented/config.json -q --threads 2 --out again
want_same_run augmented again

# Crops that lose the image are refused.
refuses 2 "--set data.augment.crop_padding=7: data.augment.crop_padding: images of 9 x 7 have room for a padding of at \
most 6 (else nothing of one may be left in its crop)" train images.json --out wrong --set data.augment.crop_padding=7
finish 60
