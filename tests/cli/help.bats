#!/usr/bin/env bats
# What is told about the command line agrees with what it does: help, manual,
# docs/commands.md and completions are held against the program's table.
load helper

setup() { own_folder; }

@test "errand alone says what it is and how to begin" {
    errand
    same "$status" 0
    has "$output" 'errand run "'
    has "$output" 'Exit status: 0 done'
    same "$stderr" ""
}

@test "every help fits into 80 columns" {
    command errand help --table > table
    cut -f2 table | sort -u > names
    [ "$(wc -l < names)" -ge 21 ]
    while read -r name; do
        command errand help $name > help
        grep -q "^Usage: errand $name" help
        too_wide=$(grep -n '.\{81\}' help || true)
        same "$too_wide" ''
        command errand $name --help > other
        cmp help other
    done < names
    command errand > help
    same "$(grep -n '.\{81\}' help || true)" ''
}

@test "help on a family lists its commands" {
    errand help log
    same "$status" 0
    has "$output" 'log resolve CALL [TEXT]'
    [[ $output != *'tools list'* ]]
    errand tools --help
    has "$output" 'tools new NAME'
}

@test "version" {
    errand --version
    same "$status" 0
    same "$output" "errand $(sed -n \
        's/#define ERRAND_VERSION "\(.*\)"/\1/p' \
        "$ROOT/runtime/include/errand/errand.h")"
    local first=$output
    errand version
    same "$output" "$first"
}

@test "the manual has every command and option, and no other" {
    command errand help --table > table
    sed 's/\\-/-/g; s/\\f[A-Z]//g' "$ROOT/docs/errand.1" > page
    sed -n 's/^command\t\([^\t]*\)\t.*/\1/p' table | while read -r name; do
        grep -q "^\.BI* \"*errand $name[ \"]*" page || {
            echo "the manual lacks errand $name"
            exit 1
        }
    done
    sed -n 's/^option\t[^\t]*\t\(--[^\t]*\)\t.*/\1/p' table | sort -u > long
    grep -A1 '^\.TP' page | grep -o -e '--[a-z][a-z-]*' | sort -u > told
    diff long told
    sed -n 's/^option\t[^\t]*\t[^\t]*\t\(-[a-z]\)\t.*/\1/p' table |
        sort -u > short
    grep -A1 '^\.TP' page | sed -n 's/^\.BR \(-[a-z]\) .*/\1/p' |
        sort -u > told
    diff short told
}

@test "the manual is well formed" {
    command -v groff > /dev/null || skip 'groff is not installed'
    run groff -man -Tutf8 -ww -z "$ROOT/docs/errand.1"
    same "$status" 0
    same "$output" ""
}

@test "completions and docs/commands.md are what the table says" {
    run "$ROOT/scripts/refresh-help" "$BUILD/errand" --check
    same "$output" ""
    same "$status" 0
    command errand help --table | sed -n 's/^command\t\([^\t]*\)\t.*/\1/p' |
        while read -r name; do
            grep -q "^\`\`\`help $name$" "$ROOT/docs/commands.md" || {
                echo "docs/commands.md lacks $name"
                exit 1
            }
        done
}

# complete WORD...: what bash offers for the last.
complete_bash() {
    bash -c 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
        _errand; echo "${COMPREPLY[*]}"' \
        "$ROOT/completions/errand.bash" errand "$@"
}

@test "bash completes commands, options and values" {
    same "$(complete_bash to)" tools
    same "$(complete_bash tools s)" show
    same "$(complete_bash run --sy)" '--system --sync'
    same "$(complete_bash run --sync '')" 'full normal'
    same "$(complete_bash debug parse --format h)" hermes
    touch here.jsonl
    same "$(complete_bash batch he)" here.jsonl
}

@test "zsh reads its completions" {
    command -v zsh > /dev/null || skip 'zsh is not installed'
    zsh -n "$ROOT/completions/_errand"
}

@test "fish completes commands, options and values" {
    command -v fish > /dev/null || skip 'fish is not installed'
    offer() {
        fish --no-config -c "source $ROOT/completions/errand.fish
            complete -C '$1'" | cut -f1 | tr '\n' ' '
    }
    same "$(offer 'errand to')" 'tools '
    same "$(offer 'errand tools s')" 'show '
    same "$(offer 'errand run --sync ')" 'full normal '
}
