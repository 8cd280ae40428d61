#!/bin/sh
# Every header compiles alone. Arguments: compiler, source directory, then extra flags.
cc=$1 src=$2
shift 2
failed=0 checked=0
for header in $(find "$src" -name '*.h' ! -name 'simd*.h'); do
    "$cc" -std=gnu17 -D_GNU_SOURCE -fsyntax-only -x c "$@" -I"$src" "$header" || failed=$((failed + 1))
    checked=$((checked + 1))
done
echo "$checked headers, $failed do not compile alone"
[ "$failed" = 0 ] && [ "$checked" -gt 20 ]
