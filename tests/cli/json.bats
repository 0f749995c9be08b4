#!/usr/bin/env bats
# What --json prints fits the schemas of schemas/: real output of every
# command that has the option, good and bad.
load helper

setup_file() { start_endpoint; }
teardown_file() { stop_endpoint; }
setup() { own_folder; : > seen; }

# fits NAME: each value of $output fits schemas/NAME.schema.json; all of them
# lie in one document, so that they find one another.
fits() {
    jq -c --arg ref "https://errand.invalid/schemas/$1.schema.json" \
        --slurpfile all <(cat "$ROOT"/schemas/*.json) \
        '{schema: {"$ref": $ref, "$defs": ($all | map({(."$id"): .}) | add)},
          instance: .}' <<< "$output" > cases
    [ -s cases ]
    command errand debug schema --jsonl < cases > verdicts
    same "$(jq -c 'select(.valid | not)' verdicts)" '' &&
        same "$(wc -l < verdicts)" "$(wc -l < cases)"
}

each() { output=$(jq -c '.[]' <<< "$output"); }

@test "the check itself: a member too many is found" {
    output='{"conversation":"a","seq":1,"role":"user","snippet":"x","more":1}'
    run fits search
    same "$status" 1
    has "$(cat verdicts)" more
}

@test "run: done, paused, failed, with a schema" {
    tick_tool
    errand run --json -m openai:rounds-1 -t tick hello
    fits result
    same "$(jq -r .state <<< "$output")" 'done'
    errand run --json -m openai:rounds-3 -t tick --max-turns 1 hello
    fits result
    same "$(jq -r '.state + " " + .error.reason' <<< "$output")" \
        'paused budget'
    errand run --json -m openai:status-400 hello
    fits result
    same "$(jq -r .state <<< "$output")" failed
    echo '{"type": "object"}' > s.json
    errand run --json -m openai:echo -t none --schema s.json '{"a": 1}'
    fits result
    same "$(jq -c .value <<< "$output")" '{"a":1}'
    errand run --json -m nobody:x hello
    fits result
}

@test "batch and resume: a line each" {
    tick_tool
    printf '%s\n' '{"prompt": "a", "id": {"n": [1]}}' '{"prompt": 5}' \
        '{"prompt": "b", "model": "openai:status-400"}' \
        '{"prompt": "c", "model": "openai:rounds-3", "tools": ["tick"]}' \
        > in.jsonl
    errand batch in.jsonl -m openai:echo --max-turns 1
    fits result
    same "$(jq -r .state <<< "$output" | tr '\n' ' ')" \
        'done failed failed paused '
    errand resume --json --all --max-turns 9
    fits result
    has "$output" '"done"'
}

@test "log list, show, search, fork" {
    tick_tool
    errand run --json -m openai:rounds-1 -t tick hello
    conversation=$(jq -r .conversation <<< "$output")
    errand run -m openai:status-400 hello
    errand log list --json
    each
    fits run
    errand log show --json "$conversation"
    fits conversation
    has "$output" '"tool_calls"'
    errand log search --json hello
    each
    fits search
    errand log fork --json "$conversation"
    same "$(jq -r 'keys[]' <<< "$output")" conversation
    errand log show --json "$(jq -r .conversation <<< "$output")"
    fits conversation
}

@test "tools list, show, check, call" {
    tick_tool
    errand tools list --json
    each
    fits tool
    errand tools show --json tick
    fits tool
    errand tools check --json tools/tick.lua
    fits tool-report
    echo 'return { name = "x", more = 1 }' > bad.lua
    errand tools check --json bad.lua
    fits tool-report
    errand tools call --json tick '{"n": 1}'
    fits tool-report
    errand tools call --json tick '{"n": "x"}'
    fits tool-report
    sed 's/return "tick.* end,/error("no") end,/; s/tick/fail/' tools/tick.lua \
        > tools/fail.lua
    errand tools call --json fail '{"n": 1}'
    fits tool-report
    same "$(jq -r .ok <<< "$output")" false
}

@test "doctor: well, and with a store that cannot be opened" {
    errand doctor --json
    fits doctor
    echo nonsense > errand.db
    errand doctor --json
    fits doctor
    same "$(jq -r .ok <<< "$output")" false
}
