#!/usr/bin/env bash
# The commit that a program names: what scripts/dev/commit.cmake writes for a repository of its own, and that it leaves the
# file alone where nothing changed; and that this build's program, its run.json and its checkpoints say it.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
command -v git >/dev/null || { echo "needs git" && exit 77; }

header=${SKIPNET_BUILD:?}/generated/base/commit.h
built=$(sed -n 's/^#define SN_COMMIT "\(.*\)"$/\1/p' "$header")
want_like "the build's own commit" "unknown|[0-9a-f][0-9a-f]*" "${built/#[0-9a-f][0-9a-f]*/unknown|$built}"
does version
want_like "version" "skipnet * (commit $built)" "$(cat out)"
write_tiny tiny.json
does train tiny.json --out run -q
want "run.json" "\"$built\"" "$(value_of run/run.json commit)"
want "the checkpoint" 1 "$(head -c 4000 run/checkpoint.safetensors | grep -c "\"commit\":\"$built\"")"

# A build of another commit goes on with a run, and tells.
"${SKIPNET_OF_OTHER_COMMIT:?}" train tiny.json --set train.steps=20 --out run --resume -q 2>err
want "another commit goes on: told" "warning: run/checkpoint.safetensors was saved by a build of another commit ($built, \
this is 0123456789): the same bytes are to be expected, not promised" "$(cat err)"
want "another commit goes on: run.json" '"0123456789"' "$(value_of run/run.json commit)"
does train tiny.json --set train.steps=20 --out whole -q
want_equal whole/final.safetensors run/final.safetensors

commit_of() { # DIRECTORY
    cmake -D SOURCE="$1" -D HEADER="$work/commit.h" -P "$source_dir/scripts/dev/commit.cmake"
    sed -n 's/^#define SN_COMMIT "\(.*\)"$/\1/p' commit.h
}
in_tree() { git -C "tree here" -c user.name=x -c user.email=x@localhost "$@"; }

mkdir -p "tree here/src" "tree here/docs"
touch "tree here/CMakeLists.txt" "tree here/src/a.c" "tree here/docs/a.md"
want "no repository" unknown "$(commit_of "$work/tree here")"
in_tree init -q
want "no commit yet" unknown "$(commit_of "$work/tree here")"
in_tree add .
in_tree commit -qm one
one=$(in_tree rev-parse --short=10 HEAD)
want "a commit" "$one" "$(commit_of "$work/tree here")"

touch -d 2001-01-01 commit.h
want "again" "$one" "$(commit_of "$work/tree here")"
want "again: not written" 2001 "$(date -r commit.h +%Y)"
echo x >"tree here/docs/a.md"
want "another file changed" "$one" "$(commit_of "$work/tree here")"
want "another file changed: not written" 2001 "$(date -r commit.h +%Y)"
echo x >"tree here/src/a.c"
want "a source changed" "$one, changed" "$(commit_of "$work/tree here")"
in_tree checkout -q src
touch "tree here/src/b.c"
want "a source more" "$one, changed" "$(commit_of "$work/tree here")"
in_tree add .
in_tree commit -qm two
two=$(in_tree rev-parse --short=10 HEAD)
want "the next commit" "$two" "$(commit_of "$work/tree here")"
want "another commit" other "$([[ $one == "$two" ]] || echo other)"

in_tree worktree add -q --detach "$work/linked" "$one"
want "a worktree" "$one" "$(commit_of "$work/linked")"
want "in a hook of another repository" "$two" "$(GIT_DIR=$work/linked/.git commit_of "$work/tree here")"
mkdir -p "tree here/unpacked/src"
touch "tree here/unpacked/CMakeLists.txt"
want "a tarball below another repository" unknown "$(commit_of "$work/tree here/unpacked")"
finish 23
