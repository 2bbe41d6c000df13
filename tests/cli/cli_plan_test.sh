#!/usr/bin/env bash
# skipnet check --plan: the exact plans of a concat net, of a net with sums over the batch, and of what neither has.
# That of a residual net stands in docs/engine.md, where scripts/docs_test.sh compares it.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"

# All but two lines: how many panels a thread takes at once, how much memory there is, to which a checked build adds.
plan_of() { # ARGUMENT...: the file `plan`
    does check "$@" --plan --threads 1
    want "nothing on stderr" "" "$(cat err)"
    want batch 1 "$(grep -cE '^batch +[0-9]+ samples in [0-9]+ panels of 16, a thread walks up to [0-9] at once$' out)"
    want arena 1 "$(grep -cE '^arena +[0-9.]+ [KM]iB for 1 thread, elements of [48] bytes$' out)"
    grep -vE '^(batch|arena) ' out >plan
}

write_tiny tiny.json
plan_of tiny.json --set network.depth=3 --set network.skip.kind=concat --set network.skip.growth=4
want "concat" "\
nodes          10, the input among them
segments       1
buffers        6 batch (all samples), 5 scratch (memory of a thread)
copies         0

  time  pass      node         op      lives in              reads; gradients by inputs
     0  gather    input                b10 batch
     1  forward   hidden1      linear  b8 scratch            reads input b10
     2  forward   hidden2.act  tanh    b2[0:8] batch         reads hidden1 b8
     3  forward   hidden2      linear  b6 scratch            reads hidden2.act b2[0:8]
     4  forward   block1       concat  -                     is not needed whole
     5  forward   hidden3.act  tanh    b2[0:12] batch        reads hidden2 b6; goes on from hidden2.act b2[0:8]
     6  forward   hidden3      linear  b4 scratch            reads hidden3.act b2[0:12]
     7  forward   block2       concat  -                     is not needed whole
     8  forward   output.act   tanh    b2 batch              reads hidden3 b4; goes on from hidden3.act b2[0:12]
     9  forward   output       linear  b0 scratch            reads output.act b2
    10  loss      output       linear  b1 batch              reads output b0
    11  backward  output       linear  b1 batch              output.act: b3 = dx
    12  backward  output.act   tanh    b3 scratch            reads output.act b2; hidden3: b5 = dx
    13  backward  block2       concat  -                     is not needed whole
    14  backward  hidden3      linear  b5 batch              hidden3.act: b3[0:12] += dx
    15  backward  hidden3.act  tanh    b3[0:12] scratch      reads hidden3.act b2[0:12]; hidden2: b7 = dx
    16  backward  block1       concat  -                     is not needed whole
    17  backward  hidden2      linear  b7 batch              hidden2.act: b3[0:8] += dx
    18  backward  hidden2.act  tanh    b3[0:8] scratch       reads hidden2.act b2[0:8]; hidden1: b9 = dx
    19  backward  hidden1      linear  b9 batch              input: none
        -- segment 1 ends: the walk is over, all threads wait --
    21  work      4 items and what follows them, in the order below

buffer    width  place     first    last  holds
b0            2  scratch       9      10  value of output
b1            2  batch        10      21  gradient of output
b2           16  batch         2      21  value of hidden2.act [0:8], hidden3.act [0:12], output.act
b3           16  scratch      11      18  gradient of hidden2.act [0:8], hidden3.act [0:12], output.act
b4            4  scratch       6       8  value of hidden3
b5            4  batch        12      21  gradient of hidden3
b6            4  scratch       3       5  value of hidden2
b7            4  batch        15      21  gradient of hidden2
b8            8  scratch       1       2  value of hidden1
b9            8  batch        18      21  gradient of hidden1
b10           2  batch         0      21  value of input

  item  tensor              tile                elements  gradient from
     6  output.weight       [0:2, 0:16]               32  product, then output.bias [0:2]
     4  hidden3.weight      [0:4, 0:12]               48  product, then hidden3.bias [0:4]
     2  hidden2.weight      [0:4, 0:8]                32  product, then hidden2.bias [0:4]
     0  hidden1.weight      [0:8, 0:2]                16  product, then hidden1.bias [0:8]" "$(cat plan)"

plan_of tiny.json --set network.depth=2 --set network.skip=none --set network.norm=batch
want "batch_norm" "\
nodes          8, the input among them
segments       5
buffers        10 batch (all samples), 5 scratch (memory of a thread)
copies         0

  time  pass      node          op          lives in              reads; gradients by inputs
     0  gather    input                     b14 batch
     1  forward   hidden1       linear      b12 batch             reads input b14
        -- segment 1 ends: every panel leaves its part of hidden2.norm, all threads wait --
     2  merge     hidden2.norm  batch_norm  -                     each thread puts the parts of 2 panels together
     2  forward   hidden2.norm  batch_norm  b10 scratch           reads hidden1 b12
     3  forward   hidden2.act   tanh        b8 batch              reads hidden2.norm b10
     4  forward   hidden2       linear      b6 batch              reads hidden2.act b8
        -- segment 2 ends: every panel leaves its part of output.norm, all threads wait --
     5  merge     output.norm   batch_norm  -                     each thread puts the parts of 2 panels together
     5  forward   output.norm   batch_norm  b4 scratch            reads hidden2 b6
     6  forward   output.act    tanh        b2 batch              reads output.norm b4
     7  forward   output        linear      b0 scratch            reads output.act b2
     8  loss      output        linear      b1 batch              reads output b0
     9  backward  output        linear      b1 batch              output.act: b3 = dx
    10  backward  output.act    tanh        b3 scratch            reads output.act b2; output.norm: b5 = dx
        -- segment 3 ends: every panel leaves its part of output.norm, all threads wait --
    11  merge     output.norm   batch_norm  -                     each thread puts the parts of 2 panels together
    11  backward  output.norm   batch_norm  b5 batch              reads hidden2 b6; hidden2: b7 = dx
    12  backward  hidden2       linear      b7 batch              hidden2.act: b9 = dx
    13  backward  hidden2.act   tanh        b9 scratch            reads hidden2.act b8; hidden2.norm: b11 = dx
        -- segment 4 ends: every panel leaves its part of hidden2.norm, all threads wait --
    14  merge     hidden2.norm  batch_norm  -                     each thread puts the parts of 2 panels together
    14  backward  hidden2.norm  batch_norm  b11 batch             reads hidden1 b12; hidden1: b13 = dx
    15  backward  hidden1       linear      b13 batch             input: none
        -- segment 5 ends: the walk is over, all threads wait --
    17  work      7 items and what follows them, in the order below

buffer    width  place     first    last  holds
b0            2  scratch       7       8  value of output
b1            2  batch         8      13  gradient of output
b2            8  batch         6      13  value of output.act
b3            8  scratch       9      10  gradient of output.act
b4            8  scratch       5       6  value of output.norm
b5            8  batch        10      11  gradient of output.norm
b6            8  batch         4      11  value of hidden2
b7            8  batch        11      15  gradient of hidden2
b8            8  batch         3      15  value of hidden2.act
b9            8  scratch      12      13  gradient of hidden2.act
b10           8  scratch       2       3  value of hidden2.norm
b11           8  batch        13      14  gradient of hidden2.norm
b12           8  batch         1      14  value of hidden1
b13           8  batch        14      17  gradient of hidden1
b14           2  batch         0      17  value of input

  item  tensor               tile                elements  gradient from
        -- after segment 3, beside the next; updated at the end --
     8  output.weight        [0:2, 0:8]                16  product, then output.bias [0:2]
        -- after segment 4, beside the next; updated at the end --
     4  hidden2.weight       [0:8, 0:8]                64  product, then hidden2.bias [0:8]
        -- after the walk --
     0  hidden1.weight       [0:8, 0:2]                16  product, then hidden1.bias [0:8]
     2  hidden2.norm.weight  [0:8]                      8  reduction
     3  hidden2.norm.bias    [0:8]                      8  reduction
     6  output.norm.weight   [0:8]                      8  reduction
     7  output.norm.bias     [0:8]                      8  reduction
        hidden2.norm.running_mean, after all updates
        hidden2.norm.running_var, after all updates
        output.norm.running_mean, after all updates
        output.norm.running_var, after all updates" "$(cat plan)"

# Two concats of the same inputs: one copies.  An op whose parameter has a sum per panel.
cat >list.json <<'END'
{"data": "spirals",
 "network": {"layers": [{"op": "linear", "units": 8, "label": "a"},
                        {"op": "scale", "factor": {"learned": 1}, "label": "b"},
                        {"op": "concat", "inputs": ["a", "b"], "label": "c"},
                        {"op": "concat", "inputs": ["b", "a"], "label": "d"},
                        {"op": "add", "inputs": ["c", "d"], "label": "e"},
                        {"op": "linear", "units": 2}]}}
END
plan_of list.json
want "a list" "\
     3  forward   c        concat  b6 scratch            reads a b4[8:16] copied, b b4[0:8] copied
     4  forward   d        concat  b4 batch              reads b b4[0:8] in place, a b4[8:16] in place
     5  forward   e        add     b2 batch              reads c b6, d b4
     6  forward   linear1  linear  b0 scratch            reads e b2
     7  loss      linear1  linear  b1 batch              reads linear1 b0
     8  backward  linear1  linear  b1 batch              e: b3 = dx
     9  backward  e        add     b3 scratch            c: b7 = dx; d: b5 = dx
    10  backward  d        concat  b5 batch              b: same memory; a: same memory
    11  backward  c        concat  b7 scratch            a: b5[8:16] += dx; b: b5[0:8] += dx
    12  backward  b        scale   b5[0:8] batch         reads a b4[8:16]; a: b5[8:16] += dx; leaves sums for b.weight
    13  backward  a        linear  b5[8:16] batch        input: none" \
    "$(sed -n '/forward   c /,/backward  a /p' plan)"

# The number of threads and the precision change the sizes alone.
does check tiny.json --plan --threads 1
cp out one
does check tiny.json --plan --threads 3 --set precision=float64
want "three threads, float64" "for 3 threads, elements of 8 bytes" "$(sed -n 's/^arena *[0-9.]* [KM]iB //p' out)"
want_other one out
for file in one out; do grep -vE '^(batch|arena) ' $file >$file.rest; done
want_equal one.rest out.rest

refuses 2 "skipnet check: --expand prints a config, --plan a plan: give one of them" check tiny.json --plan --expand
refuses 4 "cannot open missing.json: No such file or directory" check missing.json --plan
# A newline in a label stays in its line.
cat >newline.json <<'END'
{"name": "newline", "data": {"kind": "spirals"}, "train": {"steps": 1},
 "network": {"layers": [{"op": "linear", "units": 2, "label": "a\nb"}]}}
END
does check newline.json --plan --threads 1
want "a newline in a label" 3 "$(grep -cF 'a\x0ab  linear' out)"
finish 20
