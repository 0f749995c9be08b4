#!/usr/bin/env bats
# errand doctor, and stores that nobody can open: one clear message each.
load helper

setup() { own_folder; }

@test "doctor reports versions and the store" {
    errand doctor --json
    [ "$status" -le 1 ]
    same "$(jq -r '.checks[] | select(.name == "store.integrity") | .ok' \
        <<< "$output")" true
    errand doctor
    [[ $output =~ ok\ +errand ]]
    has "$output" "$ERRAND_STORE"
    # what is wrong comes with what to do
    errand doctor --json
    same "$(jq -c '.checks[] | select((.ok | not) and (.hint == ""))' \
        <<< "$output")" ''
    same "$(jq -r .ok <<< "$output")" \
        "$([ "$status" = 0 ] && echo true || echo false)"
}

files_of() { jq -r '.checks[] | select(.name == "limits.open_files") | .value'; }

@test "the limit of open files is raised to what is allowed" {
    local allowed
    allowed=$(ulimit -Hn)
    [ "$allowed" != unlimited ] && [ "$allowed" -le 1048576 ] ||
        allowed=1048576
    run bash -c 'ulimit -Sn 64; errand doctor --json < /dev/null 2>/dev/null'
    same "$(files_of <<< "$output")" "$allowed"
    run bash -c 'ulimit -n 64; errand doctor --json < /dev/null 2>/dev/null'
    same "$(files_of <<< "$output")" 64
    has "$output" 'ulimit -n 1024'
}

# Each command that opens the store says the same, and loses nothing.
refused() {
    local before
    before=$(sha256sum < "$ERRAND_STORE" 2> /dev/null || true)
    errand log list
    same "$status" "$1"
    same "$output" ''
    has "$stderr" "$2"
    same "$(grep -c '^errand: ' <<< "$stderr")" 1
    same "$(sha256sum < "$ERRAND_STORE" 2> /dev/null || true)" "$before"
    errand doctor --json
    same "$(jq -r .ok <<< "$output")" false
}

@test "a file that is no database" {
    echo 'these are not the bytes you are looking for' > errand.db
    refused 1 "$ERRAND_STORE"
}

@test "a database from the future" {
    errand log list
    command -v sqlite3 > /dev/null || skip 'sqlite3 is not installed'
    sqlite3 errand.db 'PRAGMA user_version = 99999'
    refused 1 'newer'
}

@test "a folder that cannot be made" {
    touch file
    export ERRAND_STORE="$PWD/file/errand.db"
    refused 1 'file'
}

@test "a configuration that is wrong names file and line" {
    printf 'return {\n  modle = "x:y",\n}\n' > errand.lua
    errand log list
    same "$status" 2
    has "$stderr" 'errand.lua'
    has "$stderr" 'modle'
    errand log list --no-config
    same "$status" 0
    printf 'return {\n  model = \n}\n' > broken.lua
    errand log list --config broken.lua
    [ "$status" -ne 0 ]
    has "$stderr" 'broken.lua'
    errand log list --config nowhere.lua
    [ "$status" -ne 0 ]
    has "$stderr" 'nowhere.lua'
}

@test "doctor says what the system enforces on tools" {
    errand doctor --json
    local cage
    cage=$(jq -r '.checks[] | select(.name == "sandbox") | .value' \
        <<< "$output")
    same "$(jq -r .limits <<< "$cage")" true
    same "$(jq -r .no_new_privs <<< "$cage")" true
    # a wall that is not there is a finding with words and a hint
    if [ "$(jq -r '.landlock > 0 and .seccomp' <<< "$cage")" != true ]; then
        has "$(jq -r '.checks[] | select(.name == "sandbox.missing") |
            .value' <<< "$output")" 'this '
    fi
}
