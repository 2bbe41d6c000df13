#!/usr/bin/env bash
# What `cmake --install` puts into a prefix, used from there and from where it is moved to: configs by name, scripts that
# call themselves as they are called; and that CMake configures without cmocka.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
/usr/bin/python3 -c 'import matplotlib' 2>/dev/null || { echo "needs python3-matplotlib" && exit 77; }

build=${SKIPNET_BUILD:?}
cmake --install "$build" --prefix "$work/first" >install.out
mv first "moved here"
prefix="$work/moved here"
skipnet=$prefix/bin/skipnet
export PATH=$prefix/bin:$PATH
unset SKIPNET SKIPNET_PLOT SKIPNET_REPORT
for file in bin/skipnet share/doc/skipnet/{README.md,LICENSE,docs/reference.md} share/skipnet/configs/studies/depth.json; do
    want "installed: $file" yes "$([[ -s $prefix/$file ]] && echo yes)"
done

does train spirals --set train.steps=5 --out run -q
does check studies/scale --set data=spirals --set data.samples=100 --set data.train_limit=null
want "found in the prefix" "config studies/scale: $prefix/share/skipnet/configs/studies/scale.json" "$(head -n 1 err)"
does list configs
want "list: none twice" "" "$(awk '{ print $1 }' out | sort | uniq -d)"
want "list: all of them" "$(find "$source_dir/configs" -name '*.json' | wc -l)" "$(wc -l <out)"

# A name in a sweep, with pictures and a report.
skipnet-sweep spirals --grid network.depth=2,3 --set train.steps=5 --engine xargs --out sweep >out 2>err
want_like "sweep: the config is told" "config spirals: $prefix/share/skipnet/configs/spirals.json*" "$(cat err)"
for file in runs.csv report.html plots/loss.svg; do
    want "sweep: $file" yes "$([[ -s sweep/$file ]] && echo yes)"
done
want_like "sweep: its pictures' command" "*,skipnet-plot *" "$(sed -n 2p sweep/plots/pictures.csv)"

# Scripts as they are called.
for name in plot sweep report; do
    status=0
    "skipnet-$name" --bogus >out 2>err || status=$?
    want "skipnet-$name: message" "2 skipnet-$name: unknown option --bogus (see --help)" "$status $(cat err)"
    want_like "skipnet-$name: usage" "usage: skipnet-$name *" "$("skipnet-$name" --help | head -n 1)"
    want "skipnet-$name: no other name" "" "$("skipnet-$name" --help | grep -F "$name.sh" | grep -v "or $name.sh beside")"
    want_like "$name.sh: usage" "usage: $name.sh *" "$("$source_dir/scripts/$name.sh" --help | head -n 1)"
done

# Without cmocka: its directory is hidden, what else is there comes from the build's own cache.
known() { # VARIABLE...: as options
    local variable
    for variable; do sed -n "s|^$variable:[A-Z]*=|-D$variable=|p" "$build/CMakeCache.txt"; done
}
mapfile -t found < <(known CMAKE_C_COMPILER CJSON_INCLUDE_DIR XXHASH_INCLUDE_DIR OPENBLAS_INCLUDE_DIR ZLIB_INCLUDE_DIR \
    CJSON_LIBRARY XXHASH_LIBRARY OPENBLAS_LIBRARY ZLIB_LIBRARY_RELEASE LibArchive_INCLUDE_DIR LibArchive_LIBRARY)
hidden=$(known CMOCKA_INCLUDE_DIR | sed 's/.*=//')
cmake -S "$source_dir" -B bare -G Ninja "${found[@]}" -DCMAKE_IGNORE_PATH="$hidden" >cmake.out 2>cmake.err
want_like "without cmocka: told" "*cmocka was not found: the tests are left out.*libcmocka-dev*" "$(tr -s ' \n' ' ' <cmake.err)"
want_like "without cmocka: the program is there" "skipnet: *EXECUTABLE*" "$(ninja -C bare -t targets all | grep '^skipnet: ')"
want "without cmocka: no tests" "" "$(ninja -C bare -t targets all | grep -E '^test_[a-z]*: ')"
finish 25
