#!/usr/bin/env bats
# tests/run must turn everything that can go wrong with a test into a failure
# that is counted: what it lets pass, nobody sees again.

setup() {
    run_tests="$BATS_TEST_DIRNAME/../run"
    cd "$BATS_TEST_TMPDIR"
    mkdir build
    export ERRAND_BUILD="$BATS_TEST_TMPDIR/build" ERRAND_TEST_SECONDS=20
}

# program NAME TEXT: a test program in shell.
program() {
    printf '#!/bin/sh\n%s\n' "$2" > "$1"
    chmod +x "$1"
}

# gives STATUS LAST_LINE: the run's status and its last line on stdout.
gives() {
    local want=$1 line=$2
    shift 2
    local status=0
    "$run_tests" "$@" > out 2> err || status=$?
    cat out err
    [ "$status" -eq "$want" ]
    [ "$(tail -n 1 out)" = "$line" ]
}

@test "all is well" {
    program a 'echo 1..2; echo ok 1 - x; echo ok 2 - y'
    program b 'echo 1..1; echo ok 1 - z'
    gives 0 '3 passed, 0 failed, 0 skipped' -j 2 ./a ./b
}

@test "a test that says not ok" {
    program a 'echo 1..2; echo ok 1; echo not ok 2'
    gives 1 '1 passed, 1 failed, 0 skipped' ./a
}

@test "fewer tests than planned" {
    program a 'echo 1..2; echo ok 1'
    gives 1 '1 passed, 1 failed, 0 skipped' ./a
}

@test "a bad exit status, a signal, no output, no such program" {
    program a 'echo 1..1; echo ok 1; exit 3'
    gives 1 '1 passed, 1 failed, 0 skipped' ./a
    program a 'echo 1..1; echo ok 1; kill -SEGV $$'
    gives 1 '1 passed, 1 failed, 0 skipped' ./a
    grep -q 'killed by signal 11' err
    program a ''
    gives 1 '0 passed, 1 failed, 0 skipped' ./a
    gives 1 '0 passed, 1 failed, 0 skipped' ./none
}

@test "a test that hangs is killed" {
    program a 'echo 1..1; sleep 30; echo ok 1'
    ERRAND_TEST_SECONDS=1 gives 1 '0 passed, 1 failed, 0 skipped' ./a
    grep -q 'ran past its time' err
}

@test "a process left behind is a failure, and is ended" {
    program a 'sleep 30 & echo $! > '"$PWD"'/pid; echo 1..1; echo ok 1'
    gives 1 '1 passed, 1 failed, 0 skipped' ./a
    grep -q 'left processes behind' err
    local state=/proc/$(cat pid)/status
    [ ! -e "$state" ] || grep -q '^State:.*zombie' "$state"
}

@test "skips are counted and named with their reason" {
    program a 'echo 1..2; echo ok 1 - x; echo "ok 2 - y # SKIP no suites"'
    gives 0 '1 passed, 0 failed, 1 skipped' ./a
    grep -q '^skipped  a: y: no suites$' out
    program a 'echo "1..0 # SKIP no network"'
    gives 0 '0 passed, 0 failed, 1 skipped' ./a
    grep -q '^skipped  a: all: no network$' out
}

@test "a skip as cmocka writes it, with the line before as its reason" {
    program a 'echo 1..1; echo no suites here; echo "not ok 1 # SKIP y"'
    gives 0 '0 passed, 0 failed, 1 skipped' ./a
    grep -q '^skipped  a: y: no suites here$' out
}

@test "what a test says on standard error is shown when it fails" {
    program a 'echo why >&2; echo 1..1; echo not ok 1'
    gives 1 '0 passed, 1 failed, 0 skipped' ./a
    grep -q why err
    program a 'echo why >&2; echo 1..1; echo ok 1'
    gives 0 '1 passed, 0 failed, 0 skipped' ./a
    ! grep -q why err
}

@test "bats files run under bats" {
    printf '@test "one" { true; }\n@test "two" { false; }\n' > a.bats
    gives 1 '1 passed, 1 failed, 0 skipped' a.bats
}

@test "keys, proxies and settings of the user stay out, the build comes in" {
    program a 'echo 1..1
        [ -z "$OPENAI_API_KEY$https_proxy$ERRAND_STORE$XDG_DATA_HOME" ] &&
        [ "$HOME" != "'"$HOME"'" ] && [ -d "$TMPDIR" ] && [ -d "$HOME" ] &&
        [ "$ERRAND_WORKER" = "$ERRAND_BUILD/errand-worker" ] &&
        [ -e "$ERRAND_ROOT/tests/run" ] && echo ok 1 || echo not ok 1'
    OPENAI_API_KEY=k https_proxy=p ERRAND_STORE=s XDG_DATA_HOME=d \
        gives 0 '1 passed, 0 failed, 0 skipped' ./a
}

@test "no test files at all are an error" {
    run "$run_tests"
    [ "$status" -ne 0 ]
}
