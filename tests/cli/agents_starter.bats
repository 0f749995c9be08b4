#!/usr/bin/env bats
# The agents that come with errand, with a model that plays by a script.
load helper

setup_file() {
    cat > "$BATS_FILE_TMPDIR/script" <<'END'
{"match":{"contains":"Question: Who keeps the keys?"},"repeat":true,"answer":{"content":"{\"answer\":\"Ada does.\",\"sources\":[{\"id\":\"none\",\"quote\":\"x\"}]}"}}
{"match":{"contains":"Fields: name"},"repeat":true,"answer":{"content":"{\"name\":\"Ada\",\"town\":\"\"}"}}
{"match":{"contains":"Request: sum it up"},"repeat":true,"answer":{"content":"{\"route\":\"digest\",\"folder\":\"notes\"}"}}
{"match":{"contains":"Request: Who keeps"},"repeat":true,"answer":{"content":"{\"route\":\"ask-docs\"}"}}
{"match":{"contains":"Make one summary"},"repeat":true,"answer":{"content":"All in one."}}
{"match":{"contains":"Summarize this part"},"repeat":true,"answer":{"content":"One part."}}
END
    start_endpoint --script "$BATS_FILE_TMPDIR/script"
}
teardown_file() { stop_endpoint; }

setup() {
    own_folder
    export ERRAND_MODEL=openai:script
    cp -r "$ROOT/agents" "$ROOT/tools" .
    mkdir notes
    echo 'Ada keeps the keys of the library.' > notes/keys.md
    echo 'The library opens at nine.' > notes/hours.md
}

@test "they are right, and listed" {
    for agent in ask-docs digest extract triage; do
        errand agents check "$agent"
        same "$status" 0
        same "$output" "$agent: ok"
    done
    errand agents list
    has "$output" 'ask-docs'
    ! grep -q '(wrong)' <<< "$output"
}

@test "ask-docs answers with sources, and says which are none" {
    errand index notes
    same "$status" 0
    errand run -q -a ask-docs 'Who keeps the keys?'
    same "$status" 0
    has "$output" 'Ada does.'
    has "$output" 'none is none of the passages'
    errand run -q -a ask-docs 'zebra'
    has "$output" 'Nothing in the indexed documents fits'
    errand run -q -a ask-docs
    same "$status" 1
    has "$stderr" 'ask something'
}

@test "digest reads every file and makes one of all" {
    errand run -q -a digest -p folder=notes
    same "$status" 0
    same "$output" 'All in one.'
    errand log list --json
    errand log show "$(jq -r '.[0].id' <<< "$output")" --tree
    has "$output" 'map {"items":2}'
    mkdir empty
    errand run -q -a digest -p folder=empty
    same "$output" 'No file in empty fits *.md.'
}

@test "extract writes a line of JSON for each file" {
    errand run -q -a extract -p folder=notes -p fields=name,town
    same "$status" 0
    same "$(wc -l <<< "$output")" 2
    same "$(jq -r .file <<< "$output" | sort | head -1)" notes/hours.md
    same "$(jq -r .name <<< "$output" | head -1)" Ada
    errand run -q -a extract
    same "$status" 2
    has "$stderr" 'fields'
}

@test "triage hands over" {
    errand run -q -a triage 'sum it up'
    same "$status" 0
    same "$output" 'All in one.'
    errand index notes
    errand run -q -a triage 'Who keeps the keys?'
    has "$output" 'Ada does.'
}
