#!/usr/bin/env bash
# The timings of run.json: all steps are counted once, parts make up the whole, what cannot be told is null.  No time is
# compared with another program's or another day's.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

write_tiny tiny.json
timing() { value_of "$1/run.json" "$2"; }

# holds EXPRESSION: of awk, over the timings of the run `run` by their names.
holds() {
    local names=() name
    for name in train_s evaluate_s first_step_s plain_steps_s plain_steps observed_steps_s observed_steps last_step_s \
        statistics_s format_s statistics_share reporting_share evaluate_share; do
        names+=(-v "$name=$(timing run "$name")")
    done
    want "$1" 1 "$(awk "${names[@]}" "BEGIN { print ($1) }")"
}

does train tiny.json -q --threads 1 --out run --set train.steps=100
holds "plain_steps + observed_steps + 1 == 100"
holds "plain_steps > 0 && observed_steps > 2"
holds "first_step_s > 0 && plain_steps_s > 0 && observed_steps_s > 0 && last_step_s > 0 && format_s > 0"
holds "first_step_s + plain_steps_s + observed_steps_s + last_step_s + format_s + evaluate_s <= train_s"
extra="(observed_steps_s - plain_steps_s / plain_steps * observed_steps)"
holds "(statistics_s - ($extra > 0 ? $extra : 0) - last_step_s) ^ 2 < (1e-6 * train_s) ^ 2"
holds "statistics_share * (first_step_s + plain_steps_s + observed_steps_s + last_step_s) / statistics_s < 1.000001"
holds "reporting_share * train_s / (statistics_s + format_s) > 0.999999"
holds "evaluate_share * train_s / evaluate_s > 0.999999 && evaluate_share < 1"

# Where every step is observed, there is nothing to compare with; where there is no update, only the last step is.
rm -r run
does train tiny.json -q --threads 1 --out run --set report.schedule='{"kind": "linear", "every": 1}'
holds "plain_steps == 0 && observed_steps == 9"
want "every step observed: no statistics" "null null null" \
    "$(timing run statistics_s) $(timing run statistics_share) $(timing run reporting_share)"
rm -r run
does train tiny.json -q --threads 1 --out run --set train.steps=0
holds "plain_steps == 0 && observed_steps == 0 && first_step_s == 0 && last_step_s > 0 && statistics_s == last_step_s"
finish 12
