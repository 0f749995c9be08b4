#!/usr/bin/env bats
# errand log: the store, for people and for jq.
load helper

setup_file() { start_endpoint; }
teardown_file() { stop_endpoint; }
setup() { own_folder; }

ask() {
    errand run --json -m openai:echo -t none "$@"
    same "$status" 0
    run_id=$(jq -r .run <<< "$output")
    conversation=$(jq -r .conversation <<< "$output")
}

@test "list: newest first, by state, limited" {
    errand log list
    same "$status" 0
    same "$output" ''
    has "$stderr" 'no runs yet'
    ask first question
    ask second question
    errand log list
    same "${#lines[@]}" 2
    has "${lines[0]}" 'second question'
    has "${lines[0]}" "${run_id:0:18}"
    errand log list -n 1
    same "${#lines[@]}" 1
    errand log list --state paused
    same "$output" ''
    errand log list --json -c "$conversation"
    same "$(jq -r '.[].id' <<< "$output")" "$run_id"
}

@test "show: by run, by conversation, by a beginning" {
    ask what is it
    errand log show "$conversation"
    same "$status" 0
    has "$output" "run $run_id  done"
    has "$output" 'user'
    has "$output" '    what is it'
    ageless() { sed -E 's/  (now|[0-9]+ s ago)$//' <<< "$output"; }
    local by_conversation
    by_conversation=$(ageless)
    errand log show "$run_id"
    same "$(ageless)" "$by_conversation"
    errand log show "${run_id:0:23}" --json
    same "$(jq -r .id <<< "$output")" "$conversation"
    errand log show ffff
    same "$status" 1
    has "$stderr" 'ffff'
}

@test "search finds words, and quotes what looks like syntax" {
    ask 'the quick brown fox'
    errand log search quick
    same "$status" 0
    has "$output" "$conversation"
    has "$output" '*quick*'
    errand log search 'quick" OR NEAR( *'
    [ "$status" -le 1 ]
    [[ $stderr != *syntax* ]]
    errand log search absent
    same "$status" 0
    same "$output" ''
    has "$stderr" 'nothing holds absent'
    errand log search --json quick
    same "$(jq -r '.[0].conversation' <<< "$output")" "$conversation"
}

@test "export as Markdown and as JSON, to a file too" {
    ask 'why ``` so'
    errand log export "$conversation"
    same "$status" 0
    has "$output" '## User'
    has "$output" 'why ``` so'
    has "$output" '## Assistant'
    errand log export "$conversation" --format json -o out.json
    same "$output" ''
    same "$(jq -r .id out.json)" "$conversation"
    errand log show "$conversation" --json
    same "$output" "$(cat out.json)"
}

@test "fork copies up to a message" {
    ask one
    ask -c "$conversation" two
    errand log show --json "$conversation"
    second=$(jq '[.messages[] | select(.role == "user")][1].seq' \
        <<< "$output")
    errand log fork "$conversation" --at $((second - 1))
    same "$status" 0
    copy=$output
    has "$stderr" "errand run -c $copy"
    errand log show --json "$copy"
    same "$(jq -r '[.messages[].content] | join(",")' <<< "$output")" one,one
    errand log fork --json "$conversation"
    copy=$(jq -r .conversation <<< "$output")
    errand log show --json "$copy"
    same "$(jq '.messages | length' <<< "$output")" 4
}

@test "rm removes with --yes, and asks on a terminal" {
    ask one
    run script -qec "exec errand log rm $conversation" /dev/null <<< n
    has "$output" 'nothing was removed'
    errand log show "$conversation"
    same "$status" 0
    run script -qec "exec errand log rm $conversation" /dev/null <<< y
    errand log show "$conversation"
    same "$status" 1
    ask two
    errand log rm --yes "$conversation"
    same "$status" 0
    errand log list --json
    same "$(jq length <<< "$output")" 0
}

is_running() {
    command errand log show --json "$1" |
        jq -e '.runs[].calls[] | select(.state == "running")' > /dev/null
}

count_of() {
    command errand log show --json "$1" |
        jq "[.runs[].calls[] | select(.state == \"$2\")] | length"
}

all_running() { [ "$(count_of "$1" running)" = "$2" ]; }

@test "calls that waited for a worker when it was stopped were never run" {
    mkdir tools
    cat > tools/tick.lua <<'END'
return {
  name = "tick",
  description = "Take long and have side effects",
  parameters = { type = "object",
    properties = { n = { type = "integer" } } },
  run = function() while true do end end,
}
END
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' errand run --events \
        -m openai:rounds-1-par-100 -t tick hi > out 2> err < /dev/null 3>&- &
    pid=$!
    await grep -qs '"type":"call"' out
    id=$(head -n 1 out | jq -r .run)
    await all_running "$id" 100
    kill -INT "$pid"
    wait "$pid" || true
    local unknown planned
    unknown=$(count_of "$id" unknown)
    planned=$(count_of "$id" planned)
    same $((unknown + planned)) 100
    [ "$unknown" -ge 1 ] # a few had workers
    [ "$planned" -ge 30 ]
}

@test "an unknown outcome is asked about, settled, and gone on with" {
    mkdir tools
    cat > tools/tick.lua <<'END'
return {
  name = "tick",
  description = "Take long and have side effects",
  parameters = { type = "object",
    properties = { n = { type = "integer" } } },
  run = function() while true do end end,
}
END
    command errand run --events -m openai:rounds-1 -t tick hi > out 2> err \
        < /dev/null 3>&- &
    pid=$!
    await grep -qs '"type":"call"' out
    id=$(head -n 1 out | jq -r .run)
    await is_running "$id"
    kill -KILL "$pid"
    wait "$pid" || true
    errand resume
    same "$status" 3
    same "$output" ''
    has "$stderr" 'errand log resolve '
    errand log show "$id"
    has "$output" 'tick unknown'
    errand log show --json "$id"
    call=$(jq -r '.runs[].calls[] | select(.state == "unknown") | .id' \
        <<< "$output")
    errand log resolve "$call" --done 'it did tick'
    same "$status" 0
    errand resume "$id"
    same "$status" 0
    same "$output" 'done after 1 rounds'
    errand log show --json "$id"
    has "$(jq -r '.messages[] | select(.role == "tool") | .content' \
        <<< "$output")" 'it did tick'
    errand log resolve "$call" --done
    same "$status" 1
}
