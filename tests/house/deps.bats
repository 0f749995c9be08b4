#!/usr/bin/env bats
# scripts/deps.sh against a system that is made up: a PATH of our own, whose
# pkg-config knows only what the test says and whose apt-get notes its words.

setup() {
    deps="$BATS_TEST_DIRNAME/../../scripts/deps.sh"
    bin="$BATS_TEST_TMPDIR/bin"
    mkdir -p "$bin"
    local name
    for name in sh sed tr grep sort ls uname dirname cat touch; do
        ln -s "$(command -v "$name")" "$bin/$name"
    done
    for name in cc c++ make objdump openssl bats jq prove; do
        fake "$name" 'exit 0'
    done
    fake pkg-config '[ -e "$STATE/installed" ] || [ "$2" != jansson ]'
    fake clang '[ "$1" = -print-resource-dir ] && echo "$STATE/clang"'
    fake apt-get 'echo "$@" >> "$STATE/apt"
        case $* in *install*) touch "$STATE/installed" ;; esac'
    fake id 'echo 0'
    export STATE="$BATS_TEST_TMPDIR"
    mkdir -p "$STATE/clang/lib/linux"
    touch "$STATE/clang/lib/linux/libclang_rt.fuzzer-x.a"
    echo 'ID=debian' > "$STATE/os"
}

# Never writes through one of the links to the real commands.
fake() {
    rm -f "$bin/$1"
    printf '#!/bin/sh\n%s\n' "$2" > "$bin/$1"
    chmod +x "$bin/$1"
}

deps() {
    PATH="$bin" OS_RELEASE="$STATE/os" run "$bin/sh" "$deps" "$@"
    echo "$output"
}

@test "nothing is missing: silent, asks nobody" {
    touch "$STATE/installed"
    deps
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ ! -e "$STATE/apt" ]
}

@test "Debian, as root: installs exactly what is missing" {
    deps
    [ "$status" -eq 0 ]
    [[ "$(tail -n 1 "$STATE/apt")" == *"install --no-install-recommends libjansson-dev" ]]
}

@test "Debian, a child of it: the same" {
    printf 'ID=newmint\nID_LIKE="ubuntu debian"\n' > "$STATE/os"
    deps
    [ "$status" -eq 0 ]
    [ -e "$STATE/apt" ]
}

@test "Debian, no root, sudo is there: through sudo" {
    fake id 'echo 1000'
    fake sudo 'echo sudo >> "$STATE/apt"; exec "$@"'
    deps
    [ "$status" -eq 0 ]
    [ "$(head -n 1 "$STATE/apt")" = sudo ]
}

@test "Debian, no root, no sudo: names the command and stops" {
    fake id 'echo 1000'
    deps
    [ "$status" -eq 1 ]
    [[ "$output" == *'apt-get install libjansson-dev'* ]]
    [ ! -e "$STATE/apt" ]
}

@test "apt-get fails: says so" {
    fake apt-get 'echo no network >&2; exit 100'
    deps
    [ "$status" -eq 1 ]
    [[ "$output" == *'apt-get failed'* ]]
}

@test "installed and still not there: says which" {
    fake pkg-config '[ "$2" != jansson ]'
    deps
    [ "$status" -eq 1 ]
    [[ "$output" == *'still missing after the install: pc:jansson'* ]]
}

@test "the fuzzer's runtime is looked for, not only clang" {
    touch "$STATE/installed"
    rm -r "$STATE/clang"
    deps
    [ "$status" -eq 1 ] # the made-up apt-get does not bring it
    [[ "$(cat "$STATE/apt")" == *libclang-rt-dev* ]]
}

@test "build: what only the tests need is not asked for" {
    rm "$bin/bats" "$bin/clang" "$bin/c++"
    deps build
    [ "$status" -eq 0 ]
    [[ "$(tail -n 1 "$STATE/apt")" == *"install --no-install-recommends libjansson-dev" ]]
    deps
    [[ "$(tail -n 1 "$STATE/apt")" == *" bats "*"clang "* ]]
    deps bild
    [ "$status" -eq 2 ]
}

@test "Fedora, Arch, others: names the packages and stops" {
    echo 'ID=fedora' > "$STATE/os"
    deps
    [ "$status" -eq 1 ]
    [[ "$output" == *'dnf install jansson-devel'* ]]
    echo 'ID=arch' > "$STATE/os"
    deps
    [[ "$output" == *'pacman -S --needed jansson'* ]]
    echo 'ID=plan9' > "$STATE/os"
    deps
    [ "$status" -eq 1 ]
    [[ "$output" == *pc:jansson* ]]
    [ ! -e "$STATE/apt" ]
}

@test "macOS: names Homebrew's packages" {
    fake uname 'echo Darwin'
    deps
    [ "$status" -eq 1 ]
    [[ "$output" == *'brew install jansson'* ]]
}
