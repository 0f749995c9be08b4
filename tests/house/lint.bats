#!/usr/bin/env bats
# scripts/lint must say no to a bad sample of each of its rules, and yes to a
# clean tree: a linter that finds nothing looks just like a clean house.

setup() {
    lint="$BATS_TEST_DIRNAME/../../scripts/lint"
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir -p "$tree/runtime/base" "$tree/runtime/cli" "$tree/scripts" \
        "$tree/tests/crash"
    cd "$tree"
    bad runtime/base/good.c ''
}

# bad FILE TEXT: a file that begins well and goes on with TEXT.
bad() {
    mkdir -p "$(dirname "$1")"
    printf '/* Something that is what it is. */\n%b' "$2" > "$1"
}

# complains RULE [TEXT]: lint fails with exactly one complaint, of that rule.
complains() {
    run "$lint" "${@:3}" .
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *": $1: "* ]]
    [[ "$output" == *"${2:-}"* ]]
    [[ "$output" == *", 1 complaint" ]]
}

clean() {
    run "$lint" "$@" .
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "a clean tree passes" {
    clean
}

@test "floors: never up" {
    bad runtime/base/x.c '#include "tool/schema.h"\n'
    complains floors 'runtime/base/x.c:2: floors: base may not use tool'
}

@test "floors: never sideways" {
    bad runtime/store/x.c '#include "engine/kernel.h"\n'
    complains floors
}

@test "floors: the worker uses base alone" {
    bad runtime/worker/x.c '#include "tool/tools.h"\n'
    complains floors
}

@test "floors: the command line uses the public header and base" {
    bad runtime/cli/x.c \
        '#include <errand/errand.h>\n#include "base/buf.h"\n'
    clean
    bad runtime/cli/x.c '#include "agent/agent.h"\n'
    complains floors
}

@test "floors: no way around through .." {
    bad runtime/base/x.c '#include "../tool/schema.h"\n'
    complains floors
}

@test "library: sqlite belongs to the store" {
    bad runtime/store/x.c '#include <sqlite3.h>\n'
    clean
    bad runtime/agent/x.c '#include <sqlite3.h>\n'
    complains library
}

@test "banned: strcpy, in tests too" {
    bad tests/unit/test_x.c 'void f(void)\n{\n    strcpy(a, b);\n}\n'
    complains banned 'tests/unit/test_x.c:4: banned: strcpy'
}

@test "banned: printf outside the command line" {
    bad runtime/cli/x.c 'void f(void)\n{\n    printf("x");\n}\n'
    clean
    bad runtime/base/x.c 'void f(void)\n{\n    printf("x");\n}\n'
    complains banned
}

@test "banned: standard error outside the command line" {
    bad runtime/base/x.c 'void f(void)\n{\n    fputs("x", stderr);\n}\n'
    complains banned stderr
}

@test "banned: exit and longjmp in the library" {
    bad runtime/base/x.c 'void f(void)\n{\n    exit(1);\n}\n'
    complains banned
    bad runtime/base/x.c 'void f(void)\n{\n    longjmp(j, 1);\n}\n'
    complains banned
}

@test "banned: names in comments, strings and members do not count" {
    bad runtime/base/x.c '/* exit(1) */ // exit(1)\nint a = "exit(1)";
int f(void) { return p->exit(1) + q.system(2) + my_exit(3); }\n'
    clean
}

@test "width: 80 columns are fine, 81 are not" {
    bad runtime/base/x.c "/* $(printf '%074d' 0) */\n"
    clean
    bad runtime/base/x.c "/* $(printf '%075d' 0) */\n"
    complains width '81 columns'
}

@test "width: columns are characters, not bytes" {
    bad runtime/base/x.c "/* $(printf 'é%.0s' {1..74}) */\n"
    clean
}

@test "function: 60 lines are fine, 61 are not" {
    bad runtime/base/x.c \
        "int f(void)\n{\n$(printf '    a();\\n%.0s' {1..58})}\n"
    clean
    bad runtime/base/x.c \
        "int f(void)\n{\n$(printf '    a();\\n%.0s' {1..59})}\n"
    complains function 'f has 61 lines'
}

@test "function: a reason excuses it, a stale reason is an error" {
    bad runtime/base/x.c \
        "int f(void)\n{\n$(printf '    a();\\n%.0s' {1..59})}\n"
    echo 'function runtime/base/x.c f: a table of opcodes' \
        > scripts/lint-reasons
    clean
    bad runtime/base/x.c 'int f;\n'
    complains reasons 'excuses nothing'
    echo 'function runtime/base/x.c f' > scripts/lint-reasons
    complains reasons 'want "rule path what: the reason"'
}

@test "brace: a function opens on a line of its own" {
    bad runtime/base/x.c 'int f(void) { return 1; }\n'
    clean
    bad runtime/base/x.c 'int f(void) {\n    return 1;\n}\n'
    complains brace
}

@test "lines: a file of 1,001 lines is two ideas" {
    bad runtime/base/x.c "$(printf 'int a;\\n%.0s' {1..999})"
    clean
    bad runtime/base/x.c "$(printf 'int a;\\n%.0s' {1..1000})"
    complains lines
}

@test "tab, space at the end, no last line break" {
    bad runtime/base/x.c '\tint a;\n'
    complains tab
    bad runtime/base/x.c 'int a; \n'
    complains space 'at the end of the line'
    bad runtime/base/x.c 'int a;'
    complains space 'no line break'
}

@test "utf8: a stray byte" {
    bad runtime/base/x.c '/* \xff\xfe */\n'
    complains utf8
}

@test "opening: a file begins with what it owns" {
    echo 'int a;' > runtime/base/x.c
    complains opening
}

@test "guard: named after the path" {
    bad runtime/base/x.h \
        '#ifndef ERRAND_BASE_X_H\n#define ERRAND_BASE_X_H\n#endif\n'
    clean
    bad runtime/base/x.h '#ifndef X_H\n#define X_H\n#endif\n'
    complains guard ERRAND_BASE_X_H
    rm runtime/base/x.h
    bad tests/unit/x.h 'int a;\n'
    complains guard
}

@test "words: later work and other people's machines" {
    bad runtime/base/x.c '/* TO''DO: later */\n'
    complains words
    rm runtime/base/x.c
    bad docs/x.md 'see /wo''rk/x\n'
    complains words
    bad docs/x.md 'template /tmp/x.XXXXXX and 0xXXX1\n'
    clean
}

@test "crash: names in the code and in the list are the same" {
    bad runtime/store/x.c 'void f(void)\n{\n    ER_CRASH("T2.after");\n}\n'
    complains crash 'T2.after is not in tests/crash/points'
    echo T2.after > tests/crash/points
    clean
    printf 'T2.after\nT9.gone\n' > tests/crash/points
    complains crash 'T9.gone is not in the code'
}

@test "crash: one name, one place" {
    bad runtime/store/x.c 'void f(void)\n{\n    ER_CRASH("T2.after");\n
    ER_CRASH("T2.after");\n}\n'
    echo T2.after > tests/crash/points
    complains crash 'a point has one place'
}

# compiled TEXT: base/x.c with TEXT, and objects of the whole tree.
compiled() {
    bad runtime/base/x.c "$1"
    local f
    for f in runtime/*/*.c; do
        mkdir -p "build/$(dirname "$f")"
        ${CC:-cc} -fPIC -c "$f" -o "build/${f%.c}.o"
    done
}

@test "mutable: constants are fine, also those with pointers" {
    compiled 'static const char *const names[] = {"a", "b"};
const char *er_f(int i) { return names[i]; }\n'
    clean --objects build
}

@test "mutable: a variable at file scope, static or not, zero or not" {
    compiled 'static int a = 1;\nint er_f(void) { return a++; }\n'
    complains mutable 'a can change' --objects build
    compiled 'static int a;\nint er_f(void) { return a++; }\n'
    complains mutable 'a can change' --objects build
    compiled 'int er_f(void)\n{\n    static int b;\n    return b++;\n}\n'
    complains mutable 'b' --objects build
    compiled 'static const char *p = "x";
const char *er_f(void) { return p++; }\n'
    complains mutable 'p can change' --objects build
    compiled 'static _Thread_local int t;\nint er_f(void) { return t++; }\n'
    complains mutable 't can change' --objects build
}

@test "names: across files only er_ and errand_" {
    compiled 'int helper(void) { return 1; }\n'
    complains names 'helper: names' --objects build
}

@test "objects: a file that was not built is said" {
    compiled 'int er_f(void) { return 1; }\n'
    rm build/runtime/base/x.o
    complains objects 'is missing' --objects build
}
