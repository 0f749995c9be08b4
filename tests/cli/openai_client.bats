#!/usr/bin/env bats
# errand beside the official `openai` client for Node: what the two send for
# the same conversation differs in nothing that a server could object to. The
# client's side is tests/clients/openai.mjs; which differences are allowed,
# and why, stands in tests/clients/compare.mjs.
load helper

CLIENTS="$BATS_TEST_DIRNAME/../clients"
[[ $CLIENTS == /* ]] || CLIENTS="$PWD/$CLIENTS"
PARAMS=(-p max_tokens=512 -p temperature=0.2 -p top_p=0.9 -p seed=7
    -p frequency_penalty=0.5 -p presence_penalty=1)
TOOLS=(--tools-dir "$CLIENTS/tools" -t add,weather)

setup_file() {
    export HEADS="$BATS_FILE_TMPDIR/heads" BODIES="$BATS_FILE_TMPDIR/bodies"
    export USED="$BATS_FILE_TMPDIR/used"
    start_endpoint --key none --log "$BODIES" --log-heads "$HEADS" \
        --script "$BATS_TEST_DIRNAME/../clients/script.jsonl"
}
teardown_file() { stop_endpoint; }
setup() {
    own_folder
    : > "$HEADS" > "$BODIES"
}

needs_client() {
    command -v node > /dev/null || skip 'node is not installed'
    local version
    version="$(node -p 'parseInt(process.versions.node)')"
    ((version >= 20)) || skip "node is version $version, 20 is needed"
    [ -f "$CLIENTS/node_modules/openai/package.json" ] ||
        skip 'the client is not installed: npm ci --prefix tests/clients'
}

# talk OPTION...: the conversation with $MODEL, in two runs. The same is said
# in openai.mjs.
MODEL=openai:script
talk() {
    errand run -q -m "$MODEL" "$@" \
        -s $'Be brief.\nUse "tools" — if need be.' \
        'Grüß Gott 👋 from Graz: 1.5 + 2?'
    same "$status" 0
    same "$output" '{"town":"Graz","sum":3.5}'
    errand run -q -m "$MODEL" "$@" --last 'And once more?'
    same "$status" 0
    same "$output" '{"town":"Graz","sum":7}'
}

# agree KIND OPTION...: both have it, and what they sent agrees.
agree() {
    needs_client
    local kind="$1"
    shift
    talk "$@"
    run --separate-stderr node "$CLIENTS/openai.mjs" "$kind"
    same "$stderr" ''
    same "$output" $'{"town":"Graz","sum":3.5}\n{"town":"Graz","sum":7}'
    same "$(wc -l < "$HEADS")" 8
    compare
    same "$stderr" ''
    same "$status" 0
    printf '%s\n' "$output" >> "$USED"
}

compare() {
    run --separate-stderr node "$CLIENTS/compare.mjs" "$HEADS" "$BODIES"
}

# ------------------------------------------------------------- the two agree

@test "whole answers, tool_choice auto" {
    agree whole --no-stream "${TOOLS[@]}" "${PARAMS[@]}" --tool-choice auto
}

@test "streams" {
    agree stream "${TOOLS[@]}" "${PARAMS[@]}" --tool-choice auto
}

@test "streams, through the client's helper" {
    agree helper "${TOOLS[@]}" "${PARAMS[@]}" --tool-choice auto
}

@test "response_format json_schema" {
    agree schema "${TOOLS[@]}" "${PARAMS[@]}" \
        --schema "$CLIENTS/answer.schema.json"
}

@test "whole answers in a response_format" {
    agree schema-whole --no-stream "${TOOLS[@]}" "${PARAMS[@]}" \
        --schema "$CLIENTS/answer.schema.json"
}

@test "tool_choice required" {
    agree required --no-stream "${TOOLS[@]}" "${PARAMS[@]}" \
        --tool-choice required
}

@test "tool_choice none" {
    agree none --no-stream "${TOOLS[@]}" "${PARAMS[@]}" --tool-choice none
}

@test "tool_choice with a tool's name" {
    agree named --no-stream "${TOOLS[@]}" "${PARAMS[@]}" \
        --tool-choice weather
}

@test "no row of the table is there for nothing" {
    needs_client
    same "$(sort -u "$USED")" "$(sed -n "s/^    name: '\(.*\)',/\1/p" \
        "$CLIENTS/compare.mjs" | sort)"
}

# ------------------------------------------- the comparison sees differences

# spoil WHO FILE FROM TO: change what WHO sent first. In place: the endpoint
# goes on writing to the same file.
spoil() {
    local n
    n="$(grep -n -i -m1 "\"user-agent\":\"$1" "$HEADS" | cut -d: -f1)"
    cp "$2" "$2.was"
    sed "${n}s|$3|$4|i" "$2.was" > "$2"
    ! cmp -s "$2" "$2.was"
}

# told TEXT: after a change the comparison fails with that, and only that.
told() {
    compare
    same "$status" 1
    has "$stderr" "$1"
    same "$(wc -l <<< "$stderr")" 1
    restore
}

restore() {
    local log
    for log in "$HEADS" "$BODIES"; do
        [ ! -f "$log.was" ] || cat "$log.was" > "$log"
        rm -f "$log.was"
    done
}

@test "a difference that no row allows fails" {
    needs_client
    talk --no-stream "${TOOLS[@]}" "${PARAMS[@]}" --tool-choice auto
    node "$CLIENTS/openai.mjs" whole
    spoil errand/ "$BODIES" '"seed":7' '"seed":7.0'
    told 'numbers: the client has'
    spoil errand/ "$BODIES" '"seed":7' '"seed":"7"'
    compare
    has "$stderr" 'seed: the client has 7, errand has "7"'
    restore
    spoil errand/ "$BODIES" '"required":\["town"\],' ''
    told 'parameters.required: the client has ["town"], errand has nothing'
    spoil errand/ "$BODIES" '"role":"system"' '"role":"developer"'
    told 'messages[0].role: the client has "system", errand has "developer"'
    spoil errand/ "$BODIES" 'Be brief' 'Be  brief'
    told 'messages[0].content'
    spoil errand/ "$BODIES" '"model":' '"top_k":null,"model":'
    told 'top_k: the client has nothing, errand has null'
    spoil errand/ "$HEADS" 'Bearer none' 'bearer none'
    told 'authorization: the client has "Bearer none"'
    spoil errand/ "$HEADS" '"application/json"' '"text/json"'
    told 'content-type: the client has "application/json"'
    spoil errand/ "$HEADS" '"authorization"' '"x-other":"1","authorization"'
    told 'x-other: the client has nothing, errand has "1"'
    compare
    same "$status" 0
}

# ------------------------------------------------------------- their schemas

# fits N FILE PART: each of the N bodies fits the schema that is PART of
# FILE, and none does once its messages are none.
fits() {
    local part="(\$from[0] | $3) as \$schema"
    verdicts "$2" "$part | {\$schema, instance: .}"
    same "$(jq -c 'select(.valid != true)' verdicts)" ''
    same "$(wc -l < verdicts)" "$1"
    verdicts "$2" "$part | {\$schema, instance: (.messages = 1)}"
    same "$(jq -c 'select(.valid != false)' verdicts)" ''
    same "$(wc -l < verdicts)" "$1"
}

verdicts() {
    jq -c --slurpfile from "$1" "$2" "$BODIES" > cases
    command errand debug schema --jsonl < cases > verdicts
}

schema_of() {
    FILE="${ERRAND_SUITES:-$ROOT/../shared/suites}/api/$1"
    [ -f "$FILE" ] || skip "$FILE is not there; set ERRAND_SUITES"
}

@test "bodies fit the schema that OpenAI publishes" {
    schema_of openai/chat.schema.json
    talk --no-stream "${TOOLS[@]}" "${PARAMS[@]}" --tool-choice required
    talk "${TOOLS[@]}" "${PARAMS[@]}" --schema "$CLIENTS/answer.schema.json"
    fits 8 "$FILE" '. + {"$ref": "#/$defs/CreateChatCompletionRequest"}'
}

@test "bodies fit the schema that Workers AI publishes" {
    schema_of workers-ai/llama-3.2-3b-instruct.schema.json
    cat > errand.lua <<END
return { providers = { lab = { type = "workers-ai", account = "me",
    base_url = "${OPENAI_BASE_URL%/v1}", api_key_env = "OPENAI_API_KEY" } } }
END
    MODEL=lab:@cf/meta/script
    talk "${TOOLS[@]}" "${PARAMS[@]}" --tool-choice auto
    fits 4 "$FILE" .schema.input
}
