#!/usr/bin/env bats
# errand models pull against a hub of the tests: whole, in pieces, refused.
load helper

setup_file() {
    mkdir -p "$BATS_FILE_TMPDIR/hub/Some-GGUF" "$BATS_FILE_TMPDIR/hub/Parts"
    cd "$BATS_FILE_TMPDIR/hub"
    { printf GGUF; head -c 300000 /dev/urandom; } > Some-GGUF/some-Q4_K_M.gguf
    { printf GGUF; head -c 1000 /dev/urandom; } > Some-GGUF/some-Q8_0.gguf
    echo 'no model' > Some-GGUF/README.md
    local i
    for i in 1 2 3; do
        { printf GGUF; echo "$i"; } > "Parts/big-Q8_0-0000$i-of-00003.gguf"
    done
    start_endpoint --hub "$BATS_FILE_TMPDIR/hub" \
        --log-heads "$BATS_FILE_TMPDIR/heads"
    export ERRAND_HUB="${OPENAI_BASE_URL%/v1}"
}

teardown_file() { stop_endpoint; }

setup() {
    own_folder
    unset ERRAND_MODELS HF_TOKEN HF_ENDPOINT
    export XDG_DATA_HOME="$PWD/data"
    models="$XDG_DATA_HOME/errand/models"
    served="$BATS_FILE_TMPDIR/hub/Some-GGUF/some-Q4_K_M.gguf"
    : > "$BATS_FILE_TMPDIR/heads"
}

heads() { jq -r "$1" "$BATS_FILE_TMPDIR/heads"; }

# The file of OWNER/Some-GGUF is here, whole, and nothing else.
is_here() {
    cmp "$served" "$models/some-Q4_K_M.gguf"
    same "$(ls "$models")" some-Q4_K_M.gguf
}

@test "nothing named: the catalogue" {
    errand models pull
    same "$status" 0
    has "$output" 'llama-3.2-3b-instruct'
    errand models pull --json
    same "$(jq -r '.[] | select(.name == "llama-3.2-3b-instruct") | .repo' \
        <<< "$output")" 'bartowski/Llama-3.2-3B-Instruct-GGUF'
}

@test "a repository: the usual quantization, its sum, its licence" {
    errand models pull me/Some-GGUF
    same "$status" 0
    same "$output" "$models/some-Q4_K_M.gguf"
    has "$stderr" 'as it should be'
    has "$stderr" 'licence: test-licence'
    is_here
    errand models pull me/Some-GGUF
    has "$stderr" 'was there'
    same "$(heads 'select(.path | contains("resolve")) | .path' | wc -l)" 1
    errand models list
    has "$output" some-Q4_K_M
}

@test "one file, one quantization, one folder" {
    errand models pull me/Some-GGUF:q8_0 --dir here/and/there --json
    same "$(jq -r '.name + " " + .files[0].path + " " + .repo' \
        <<< "$output")" \
        'some-Q8_0 here/and/there/some-Q8_0.gguf me/Some-GGUF'
    errand models pull me/Some-GGUF/some-Q8_0.gguf --dir b
    cmp here/and/there/some-Q8_0.gguf b/some-Q8_0.gguf
}

@test "files in several parts come together" {
    errand models pull me/Parts --json
    same "$(jq -r '(.files | length | tostring) + " " + .name' \
        <<< "$output")" '3 big-Q8_0'
    same "$(cat "$models"/big-*)" "$(cat "$BATS_FILE_TMPDIR"/hub/Parts/*)"
}

@test "a connection that is cut again and again: every byte once" {
    errand models pull cut-90000/Some-GGUF --json
    same "$status" 0
    is_here
    same "$(heads '.headers.Range // "none"' | tail -n +2)" "none
bytes=90000-
bytes=180000-
bytes=270000-"
    same "$(jq '.files[0].resumed' <<< "$output")" 0
}

@test "cut without end: what came is kept, the next goes on with it" {
    errand models pull cut-0/Some-GGUF
    same "$status" 1
    has "$stderr" 'closed in the middle'
    same "$(ls "$models")" '' # nothing came, nothing is left
    mkdir -p "$models"
    sum=$(sha256sum < "$served" | cut -d ' ' -f 1)
    id=$(printf %s "$sum" | sha256sum | cut -c 1-12)
    head -c 100000 "$served" > "$models/some-Q4_K_M.gguf.$id.part"
    errand models pull cut-0/Some-GGUF
    has "$stderr" '100000 bytes are kept, the same command goes on'
    errand models pull me/Some-GGUF --json
    same "$(jq '.files[0].resumed' <<< "$output")" 100000
    is_here
}

@test "a part that is another content is found out by its sum" {
    mkdir -p "$models"
    sum=$(sha256sum < "$served" | cut -d ' ' -f 1)
    id=$(printf %s "$sum" | sha256sum | cut -c 1-12)
    head -c 5000 /dev/zero > "$models/some-Q4_K_M.gguf.$id.part"
    errand models pull me/Some-GGUF
    same "$status" 1
    has "$stderr" 'the checksum of some-Q4_K_M.gguf is '
    same "$(ls "$models")" ''
    errand models pull me/Some-GGUF
    is_here
}

@test "a server without ranges: from the beginning" {
    mkdir -p "$models"
    sum=$(sha256sum < "$served" | cut -d ' ' -f 1)
    id=$(printf %s "$sum" | sha256sum | cut -c 1-12)
    head -c 5000 "$served" > "$models/some-Q4_K_M.gguf.$id.part"
    errand models pull noranges/Some-GGUF
    same "$status" 0
    is_here
}

@test "checksums: a wrong one, a given one, none" {
    errand models pull wrong/Some-GGUF
    same "$status" 1
    has "$stderr" 'the checksum of some-Q4_K_M.gguf'
    same "$(ls "$models")" ''
    url="$ERRAND_HUB/me/Some-GGUF/resolve/main/some-Q4_K_M.gguf"
    errand models pull "$url" --checksum "$(printf '%064d' 0)"
    has "$stderr" 'should be 0000000000000000'
    errand models pull "$url" --checksum short
    same "$status" 2
    errand models pull "$url" --checksum \
        "$(sha256sum < "$served" | cut -d ' ' -f 1 | tr a-f A-F)"
    same "$status" 0
    is_here
    rm -r "$models"
    errand models pull "$url?download=true"
    has "$stderr" 'nobody says what it should be'
    has "$stderr" 'licence: unknown'
    is_here
}

@test "an address that is cut goes on, as long as its content is the same" {
    errand models pull \
        "$ERRAND_HUB/cut-150000/Some-GGUF/resolve/main/some-Q4_K_M.gguf"
    same "$status" 0
    is_here
    same "$(heads '.headers["If-Range"] // empty' | sort -u | wc -l)" 1
}

@test "a licence to be accepted: how; the token goes to the hub alone" {
    errand models pull gated/Some-GGUF
    same "$status" 1
    has "$stderr" 'wants a token (status 401); set HF_TOKEN'
    HF_TOKEN=other errand models pull gated/Some-GGUF
    has "$stderr" 'refuses the token'
    [[ $stderr != *other* ]]
    : > "$BATS_FILE_TMPDIR/heads"
    HF_TOKEN=hub-token errand models pull gated-away/Some-GGUF
    same "$status" 0
    is_here
    same "$(heads 'select(.path | startswith("/cdn"))
        | .headers.Authorization // "none"' | sort -u)" none
    same "$(heads 'select(.path | startswith("/cdn") | not)
        | .headers.Authorization' | sort -u)" 'Bearer hub-token'
}

@test "what is not there is named, with what is" {
    errand models pull me/Nowhere
    same "$status" 1
    has "$stderr" 'status 404'
    errand models pull me/Some-GGUF:Q2_K
    has "$stderr" 'me/Some-GGUF has no Q2_K as GGUF; it has '
    has "$stderr" some-Q8_0.gguf
    errand models pull llama-3.2-3b-instuct
    has "$stderr" 'the nearest is llama-3.2-3b-instruct'
    errand models pull 'a b/c'
    same "$status" 2
    errand models pull "$ERRAND_HUB/x/y.bin"
    same "$status" 2
    has "$stderr" 'does not end in the name of a .gguf file'
    errand models pull http://127.0.0.1:1/a.gguf
    same "$status" 1
    has "$stderr" 'is the server running?'
}

@test "a page instead of a file; a server that is busy" {
    errand models pull "$ERRAND_HUB/html/Some-GGUF/resolve/main/a-Q8_0.gguf"
    same "$status" 1
    errand models pull html-nosum/Some-GGUF:Q8_0
    same "$status" 1
    same "$(find "$models" -type f)" ''
    errand models pull busy-2/Some-GGUF
    same "$status" 0
    is_here
}

@test "no room on the disk is said before anything is fetched" {
    errand models pull huge/Some-GGUF
    same "$status" 1
    has "$stderr" 'needs 1099511627776 MiB more and the disk has'
    same "$(ls "$models")" ''
    same "$(heads 'select(.path | contains("resolve"))')" ''
}

# The store is a file as well, and would not grow either.
@test "a disk that is full in the middle: said, kept, gone on" {
    errand doctor
    run --separate-stderr bash -c \
        'trap "" XFSZ; ulimit -f 250; exec errand models pull me/Some-GGUF'
    same "$status" 1
    has "$stderr" 'cannot write'
    has "$stderr" 'File too large'
    errand models pull me/Some-GGUF --json
    same "$(jq '.files[0].resumed' <<< "$output")" 256000
    is_here
}

@test "another file of that name is left alone" {
    mkdir -p "$models"
    echo mine > "$models/some-Q4_K_M.gguf"
    errand models pull me/Some-GGUF
    same "$status" 1
    has "$stderr" 'there is another file'
    same "$(cat "$models/some-Q4_K_M.gguf")" mine
}

@test "the configuration names hub, token and folder; not a stranger's" {
    mkdir -p conf/errand
    cat > conf/errand/errand.lua <<END
return { hub = { url = "$ERRAND_HUB/", token_env = "MY_TOKEN", dir = "m" } }
END
    unset ERRAND_HUB
    XDG_CONFIG_HOME="$PWD/conf" MY_TOKEN=hub-token \
        errand models pull gated/Some-GGUF
    same "$output" m/some-Q4_K_M.gguf
    cp conf/errand/errand.lua errand.lua
    errand models pull gated/Some-GGUF
    same "$status" 2
    has "$stderr" 'errand.lua of the working folder sets hub'
    HF_ENDPOINT="${OPENAI_BASE_URL%/v1}" errand models pull --no-config \
        me/Some-GGUF
    is_here
}

@test "killed in the middle, it goes on" {
    errand doctor
    run bash -c 'ulimit -f 250; errand models pull me/Some-GGUF'
    [ "$status" -gt 128 ] # by SIGXFSZ
    before=$(stat -c %s "$models"/*.part)
    errand models pull me/Some-GGUF --json
    same "$(jq '.files[0].resumed' <<< "$output")" "$before"
    is_here
}

@test "two at once: one works, the other says so" {
    mkdir -p "$models"
    sum=$(sha256sum < "$served" | cut -d ' ' -f 1)
    id=$(printf %s "$sum" | sha256sum | cut -c 1-12)
    exec 8> "$models/some-Q4_K_M.gguf.$id.part"
    flock 8
    errand models pull me/Some-GGUF
    same "$status" 1
    has "$stderr" 'is being pulled by another errand'
    exec 8>&-
}

@test "--json fits schemas/model-pull.schema.json" {
    errand models pull me/Some-GGUF --json
    jq -c --slurpfile s "$ROOT/schemas/model-pull.schema.json" \
        '{schema: $s[0], instance: .}' <<< "$output" > case
    same "$(command errand debug schema --jsonl < case | jq -c .valid)" true
}
