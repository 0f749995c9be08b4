#!/usr/bin/env bats
# What make install puts where, what make uninstall takes away, and that
# check-abi sees a symbol too many and one too few.

setup() {
    root="$BATS_TEST_DIRNAME/../.."
    cd "$root"
    stage="$BATS_TEST_TMPDIR/stage"
    build="${ERRAND_BUILD:-$root/build}"
    export BUILD="$build" PREFIX=/usr DESTDIR="$stage" SONAME=liberrand.so.0
}

@test "install: each thing in its place" {
    scripts/install.sh
    cd "$stage/usr"
    [ -e include/errand/errand.h ]
    [ -e include/errand/tool.h ]
    [ -e share/errand/plugins/template.c ]
    [ ! -e lib/errand/plugins/template.so ]
    [ -e lib/liberrand.a ]
    [ -x lib/liberrand.so.0 ]
    [ "$(readlink lib/liberrand.so)" = liberrand.so.0 ]
    [ -e lib/pkgconfig/errand.pc ]
    [ -x libexec/errand/errand-worker ]
    [ -e share/errand/tools/calculate.lua ]
    [ -e share/errand/schemas/config.schema.json ]
    [ -e share/man/man1/errand.1 ]
    [ -e share/bash-completion/completions/errand ]
    [ -e share/zsh/site-functions/_errand ]
    [ -e share/fish/vendor_completions.d/errand.fish ]
    [ -e share/doc/errand/README.md ]
    [ -e share/doc/errand/commands.md ]
}

@test "install: readable for all, writable for its owner alone" {
    (umask 077; scripts/install.sh)
    run find "$stage" -type f \( -perm /022 -o ! -perm -444 \)
    [ -z "$output" ]
}

@test "install: errand.pc names the version and the libraries" {
    scripts/install.sh
    pc="$stage/usr/lib/pkgconfig/errand.pc"
    version=$(sed -n 's/.*ERRAND_VERSION "\(.*\)"/\1/p' \
        runtime/include/errand/errand.h)
    export PKG_CONFIG_PATH="${pc%/*}"
    [ "$(pkg-config --modversion errand)" = "$version" ]
    [[ "$(pkg-config --libs errand)" == *-lerrand* ]]
    [[ "$(pkg-config --libs errand)" != *-lcurl* ]]
    [[ "$(pkg-config --static --libs errand)" == *-lcurl* ]]
}

@test "uninstall: nothing of ours stays, nothing of others goes" {
    mkdir -p "$stage/usr/lib" "$stage/usr/share/man/man1"
    touch "$stage/usr/lib/libother.so" "$stage/usr/share/man/man1/other.1"
    scripts/install.sh
    scripts/install.sh --remove
    run find "$stage" ! -type d
    [ "$(echo "$output" | sort)" = "$stage/usr/lib/libother.so
$stage/usr/share/man/man1/other.1" ]
}

# library TEXT: a shared library of our name with TEXT in it.
library() {
    echo "$1" > "$BATS_TEST_TMPDIR/a.c"
    ${CC:-cc} -shared -fPIC -Wl,-soname,liberrand.so.0 \
        "$BATS_TEST_TMPDIR/a.c" -o "$BATS_TEST_TMPDIR/a.so"
}

@test "check-abi: a name that is not ours, and names that are missing" {
    library 'int helper(void) { return 1; } int errand_extra(void)
        { return 1; }'
    run scripts/check-abi "$BATS_TEST_TMPDIR/a.so"
    [ "$status" -eq 1 ]
    [[ "$output" == *'not errand_*: helper'* ]]
    [[ "$output" == *'not in runtime/include/errand/errand.h: errand_extra'* ]]
    [[ "$output" == *'and not there: '*'errand_open '* ]]
}

@test "check-abi: a plugin that shows more than its entry point" {
    echo 'void errand_plugin_main(void) {} int helper;' > \
        "$BATS_TEST_TMPDIR/p.c"
    ${CC:-cc} -shared -fPIC "$BATS_TEST_TMPDIR/p.c" -o "$BATS_TEST_TMPDIR/p.so"
    run scripts/check-abi "$build/liberrand.so.0" "$BATS_TEST_TMPDIR/p.so"
    [ "$status" -eq 1 ]
    [[ "$output" == *'p.so shows more than its entry point: '*helper* ]]
}
