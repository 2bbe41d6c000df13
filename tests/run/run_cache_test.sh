#!/usr/bin/env bash
# The cache of decoded images: made once, by one of many processes, used by the next, never stale, never in the way, and
# without a trace in the results.
# shellcheck source-path=SCRIPTDIR source=../support/cli_lib.sh
. "$(dirname "$0")/../support/cli_lib.sh"

cat >set.json <<'END'
{
  "data": {"kind": "mnist", "path": "images"},
  "network": {"depth": 4, "width": 8, "skip": "add"},
  "train": {"lr": 0.05, "batch_size": 16, "steps": 10}
}
END

# A set of 20 images of a split; its pixels hang on SEED.
write_images() { # DIRECTORY SEED
    local set
    mkdir -p "$1"
    for set in train t10k; do
        {
            printf '\0\0\10\3\0\0\0\24\0\0\0\34\0\0\0\34'
            awk -v seed="$2" 'BEGIN { for (i = 0; i < 15680; i++) printf "%c", 33 + (i * i + seed * int(i / 7)) % 90 }'
        } | gzip -n >"$1/$set-images-idx3-ubyte.gz"
        printf '\0\0\10\1\0\0\0\24\0\1\2\3\4\5\6\7\10\11\0\1\2\3\4\5\6\7\10\11' | gzip -n >"$1/$set-labels-idx1-ubyte.gz"
    done
}

train() { # DIRECTORY ARGUMENT...: without a word on stderr
    does train set.json --threads 1 -q --out "$@"
    want "$1: told" "" "$(cat err)"
}

# A run's own words, without those that are of no two runs the same.
words_of() { # DIRECTORY
    grep -vE '_s"|_steps"|_share"|wall_seconds' "$1/run.json"
}

want_same_run() { # DIRECTORY DIRECTORY
    want_equal "$1/loss.csv" "$2/loss.csv"
    want_equal "$1/gradients.csv" "$2/gradients.csv"
    want_equal "$1/final.safetensors" "$2/final.safetensors"
    want_like "$1: words" '*"data_checksum"*' "$(words_of "$1")"
    want "$2: run.json" "$(words_of "$1")" "$(words_of "$2")"
}

cached_files() { # [DIRECTORY]: how many files of which kind
    find "${1:-cache}" -type f 2>/dev/null | sed 's/.*-[0-9a-f]\{16\}//' | sort | uniq -c | xargs
}

write_images images 1
train none
export SKIPNET_CACHE=$work/cache

# Made, for this user alone, and used.
(umask 022 && train first)
want "the cache" "1 .images" "$(cached_files)"
file=$(echo cache/mnist-*.images)
want "its permissions" "700 400" "$(stat -c %a cache "$file" | xargs)"
made=$(stat -c '%i %Y' "$file")
train second
want "used, not made again" "$made" "$(stat -c '%i %Y' "$file")"
want_same_run none first
want_same_run none second

cp "$file" sound

# Fewer samples than are kept: the checksum and the scaling are those of the samples used.
for limit in train_limit=17 test_limit=3; do
    SKIPNET_CACHE='' train "few.$limit" --set "data.$limit"
    train "kept.$limit" --set "data.$limit"
    want_same_run "few.$limit" "kept.$limit"
done
want_other few.train_limit=17/loss.csv few.test_limit=3/loss.csv

# What is not what was written is told of in one line, made anew, and no trace of it is in the run.
spoiled() { # WHAT MESSAGE
    run train set.json --threads 1 -q --out "spoiled.$1"
    want "$1: exit status" 0 "$status"
    want "$1: told" "warning: a file of the cache is not used, and made anew: $work/$file: $2" "$(cat err)"
    want_same_run none "spoiled.$1"
    want_equal sound "$file"
    want "$1: permissions" 400 "$(stat -c %a "$file")"
    want "$1: nothing else" "1 .images" "$(cached_files)"
    train "after.$1"
}
flip() { # OFFSET: another byte there
    cat sound >flipped
    local byte
    byte=$(od -A n -t u1 -j "$1" -N 1 sound)
    printf '%b' "\\0$(printf %o $((byte ^ 4)))" | dd of=flipped bs=1 seek="$1" conv=notrunc status=none
    mv -f flipped "$file"
}
size=$(stat -c %s sound)
flip 0 && spoiled magic "not decoded images"
flip 26 && spoiled source "the header is damaged"
flip 40 && spoiled count "the header is damaged"
flip 108 && spoiled label "the images are damaged"
flip $((size - 1)) && spoiled pixel "the images are damaged"
head -c 1000 sound >short && mv -f short "$file" && spoiled cut "too short or too long"
head -c 50 sound >short && mv -f short "$file" && spoiled stump "too short"
{ cat sound && echo; } >long && mv -f long "$file" && spoiled long "too short or too long"
rm -f "$file" && : >"$file" && spoiled empty "the file is empty"
rm -f "$file" && echo '{"not": "ours"}' >"$file" && spoiled foreign "too short"
cp sound elsewhere && rm -f "$file" && ln -s "$work/elsewhere" "$file" &&
    spoiled link "a link, which is not followed" && want_equal sound elsewhere
want "the link is gone" "regular file" "$(stat -c %F "$file")"

# Names stand for content: with another source in the place of the first, same sizes and dates, the first is not used;
# when it comes back, it is.
write_images other 2
mkdir keep && cp -p images/* keep
for name in images/*; do
    cp "other/${name##*/}" "$name"
    touch -r "keep/${name##*/}" "$name"
done
train changed
SKIPNET_CACHE='' train changed.none
want_same_run changed.none changed
want_other first/loss.csv changed/loss.csv
want "both are kept" "2 .images" "$(cached_files)"
mv -f "$(find cache -name '*.images' ! -path "$file")" "$file" # the images of one source under the name of another
cp keep/* images/
spoiled mixed "the images of another source"

# A source that cannot be decoded leaves nothing, whatever is kept of others.
truncate -s -4 images/t10k-labels-idx1-ubyte.gz
run check set.json
want "damaged source: exit status" 2 "$status"
want_like "damaged source" "*t10k-labels-idx1-ubyte.gz: the gzip data are damaged*" "$(cat err)"
want "damaged source: nothing kept" "1 .images" "$(cached_files)"
cp keep/* images/

# Many at once, before there is anything: all are right, one has written.
rm -rf cache
pids=()
for i in {1..12}; do
    "$skipnet" train set.json --threads 1 -q --out "race.$i" \
        >"race.$i.out" 2>&1 </dev/null &
    pids+=($!)
done
started+=("${pids[@]}")
for pid in "${pids[@]}"; do wait "$pid"; done
for i in {1..12}; do
    want_same_run none "race.$i"
    want "race $i: told" "" "$(cat "race.$i.out")"
done
want "after the race" "1 .images" "$(cached_files)"
want_equal sound "$file"

# What a killed process left is in nobody's way, and goes when it is old.
touch "$file.123-0.tmp" cache/stranger.tmp
touch -d '2 hours ago' "$file.124-0.tmp" cache/stranger
echo "pid 1 on nowhere" >"$file.lock"
rm -f "$file"
train leftovers
want_equal sound "$file"
want "leftovers" "${file##*/} ${file##*/}.123-0.tmp stranger stranger.tmp" "$(cd cache && echo *)"
rm -rf cache

# Where nothing can be written all goes as without a cache: silently, but where one was asked for.
: >file
for place in "$work/file/below" /proc/nowhere; do
    export SKIPNET_CACHE=$place
    run train set.json --threads 1 -q --out "at${place//\//.}"
    want "$place: exit status" 0 "$status"
    want_like "$place" "warning: nothing is kept in SKIPNET_CACHE: cannot make the directory $place: *" "$(cat err)"
    want "$place: one line" 1 "$(wc -l <err)"
    want_same_run none "at${place//\//.}"
done
export SKIPNET_CACHE=$work/small
(
    ulimit -f 8 # KiB: a set has 31
    run check set.json
    want "no room: exit status" 0 "$status"
    want_like "no room" "warning: nothing is kept in SKIPNET_CACHE: cannot write $work/small/*: File too large" "$(cat err)"
)
want "no room: nothing is left" "" "$(cached_files small)"
if ((EUID != 0)); then
    mkdir fast && chmod 500 fast
    SKIPNET_CACHE=$work/fast run check set.json
    want "read-only: exit status" 0 "$status"
    want_like "read-only" "warning: nothing is kept in SKIPNET_CACHE: cannot open $work/fast/*: Permission denied" "$(cat err)"
fi

# Where it is without SKIPNET_CACHE.
unset SKIPNET_CACHE
export HOME=$work/home XDG_CACHE_HOME=$work/xdg.cache
train xdg
want "XDG_CACHE_HOME" "1 .images" "$(cached_files xdg.cache/skipnet)"
XDG_CACHE_HOME=relative train relative
want "a relative XDG_CACHE_HOME does not count" "1 .images" "$(cached_files home/.cache/skipnet)"
want "nothing relative" "" "$(cached_files relative/skipnet)"
rm -rf home
unset XDG_CACHE_HOME
ln -s "$work/scratch" linked && mkdir scratch
HOME=$work/linked train linked.home
want "a link to a directory is followed" "1 .images" "$(cached_files scratch/.cache/skipnet)"
HOME=$work/file train no.home
(unset HOME && train unset.home)
HOME='' train empty.home
for run in xdg relative linked.home no.home unset.home empty.home; do want_same_run none "$run"; done

# Told where the run's own notes are not: what eval and check say.
SKIPNET_CACHE=$work/cache train again
printf x >"$file.new" && mv "$file.new" "$file"
SKIPNET_CACHE=$work/cache does eval none
want_like "eval tells" "warning: a file of the cache is not used, and made anew: $work/$file: too short" "$(cat err)"
SKIPNET_CACHE=$work/cache does eval none
want "eval tells once" "" "$(cat err)"
want_equal sound "$file"
finish 340
