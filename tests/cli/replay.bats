#!/usr/bin/env bats
# --record keeps what a model said, --replay says it again, without network.
load helper

setup_file() { start_endpoint; }
teardown_file() { stop_endpoint; }
setup() { own_folder; }

offline() {
    OPENAI_BASE_URL=http://127.0.0.1:9 errand "$@"
}

@test "a recording answers as the model did, calls and all" {
    tick_tool
    OPENAI_API_KEY=sk-never-to-be-seen errand run --record talk.jsonl \
        -m openai:rounds-2 -t tick hello
    same "$status" 0
    same "$output" 'done after 2 rounds'
    same "$(grep -c sk-never talk.jsonl || true)" 0
    offline run --replay talk.jsonl -m openai:rounds-2 -t tick hello
    same "$status" 0
    same "$output" 'done after 2 rounds'
    same "$(grep -c '^> tick' <<< "$stderr")" 2
}

@test "a turn that was not recorded is an error that says so" {
    errand run --record talk.jsonl -m openai:echo -t none hello
    same "$status" 0
    offline run --replay talk.jsonl -m openai:echo -t none hello
    same "$status" 0
    offline run --replay talk.jsonl -m openai:echo -t none --last further
    same "$status" 1
    same "$output" ''
    has "$stderr" 'talk.jsonl'
    has "$stderr" 'errand resume '
}

@test "a recording that is not there or is none" {
    errand run --replay nowhere.jsonl -m openai:echo hello
    [ "$status" -ne 0 ]
    has "$stderr" 'nowhere.jsonl'
    echo 'no recording' > broken.jsonl
    errand run --replay broken.jsonl -m openai:echo -t none hello
    [ "$status" -ne 0 ]
    has "$stderr" 'broken.jsonl'
}

@test "resume replays too" {
    tick_tool
    errand run --record talk.jsonl -m openai:rounds-2 -t tick hello
    offline run --replay talk.jsonl -m openai:rounds-2 -t tick \
        --max-turns 1 --json hello
    same "$status" 3
    id=$(jq -r .run <<< "$output")
    offline resume "$id" --replay talk.jsonl --max-turns 9
    same "$status" 0
    same "$output" 'done after 2 rounds'
}
