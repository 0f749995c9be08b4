#!/usr/bin/env bats
# errand run: one request to its answer, and what becomes of it when
# something is in the way.
load helper

setup_file() { start_endpoint; }
teardown_file() { stop_endpoint; }
setup() { own_folder; }

@test "the answer goes to standard output, alone" {
    errand run -m openai:echo -t none hello world
    same "$status" 0
    same "$output" 'hello world'
}

@test "quiet says nothing else at all" {
    errand run -q -m openai:rounds-1 hello
    same "$status" 0
    same "$output" 'done after 1 rounds'
    same "$stderr" ''
}

@test "calls and results are told on standard error" {
    tick_tool
    errand run -m openai:rounds-2 -t tick hello
    same "$status" 0
    same "$output" 'done after 2 rounds'
    same "$(grep -c '^> tick' <<< "$stderr")" 2
    same "$(grep '^< ' <<< "$stderr" | tr '\n' ,)" '< tick 1,< tick 2,'
}

@test "words, files and standard input make the prompt" {
    printf 'one\ntwo\n' > a.txt
    printf 'input\n' > in.txt
    INPUT=in.txt errand run -m openai:echo -t none -f a.txt say this
    same "$status" 0
    same "$output" $'say this\n\n<file name="a.txt">\none\ntwo\n</file>\n\ninput'
    INPUT=in.txt errand run -m openai:echo -t none
    same "$output" 'input'
    INPUT=in.txt errand run -m openai:echo -t none -f - x
    same "$output" $'x\n\n<file name="standard input">\ninput\n</file>'
    INPUT=in.txt errand run -m openai:echo -t none say -
    same "$output" $'say\n\ninput'
}

@test "a file that is no text is named with the byte" {
    printf 'ab\xff' > bad.bin
    errand run -f bad.bin hi
    same "$status" 1
    has "$stderr" 'bad.bin is no UTF-8 text: byte 0xff at offset 2'
    printf 'ab\0c' > nul.bin
    errand run -f nul.bin hi
    has "$stderr" 'byte 0x00 at offset 2'
    errand run -f nowhere hi
    same "$status" 1
    has "$stderr" 'cannot open nowhere: No such file or directory'
}

@test "an input that is too large is refused" {
    head -c $((17 * 1024 * 1024)) /dev/zero | tr '\0' a > large
    errand run -f large hi
    same "$status" 1
    has "$stderr" 'large is larger than 16 MiB'
}

@test "--json gives one object" {
    errand run --json -m openai:rounds-1 -t none hello
    same "$status" 0
    same "${#lines[@]}" 1
    same "$(jq -r .state <<< "$output")" done
    same "$(jq -r .answer <<< "$output")" 'done after 1 rounds'
    same "$(jq -r '.run | length' <<< "$output")" 36
    same "$(jq -r .model <<< "$output")" openai:rounds-1
    jq -e '.usage.turns >= 1 and .usage.prompt_tokens > 0' <<< "$output"
}

@test "--json tells a failure as an object too" {
    errand run --json -m openai:status-400 hello
    same "$status" 1
    same "$(jq -r .state <<< "$output")" failed
    jq -e '.error.code and .error.message' <<< "$output"
    errand run --json -m nonsense hello
    [ "$status" -ne 0 ]
    same "$(jq -r .state <<< "$output")" failed
    has "$stderr" 'nonsense'
}

@test "--events are lines that fit schemas/event.schema.json" {
    tick_tool
    errand run --events -m openai:rounds-1 -t tick hello
    same "$status" 0
    same "$(jq -r .type <<< "${lines[0]}")" started
    same "$(jq -r .type <<< "${lines[-1]}")" 'done'
    same "$(jq -r .answer <<< "${lines[-1]}")" 'done after 1 rounds'
    jq -c --slurpfile s "$ROOT/schemas/event.schema.json" \
        '{schema: $s[0], instance: .}' <<< "$output" > cases
    command errand debug schema --jsonl < cases > verdicts
    same "$(jq -c 'select(.valid | not)' verdicts)" ''
    same "$(wc -l < verdicts)" "${#lines[@]}"
    [ "$(jq -r 'select(.type == "call") | .name' <<< "$output")" = tick ]
}

@test "events of retries, pauses and failures fit the schema as well" {
    tick_tool
    : > all
    local model
    for model in status-429-times-1-retry-1-then-ok think status-400 \
        bad-args unknown-tool error-in-stream; do
        errand run --events -m "openai:$model" -t tick hello
        echo "$output" >> all
    done
    errand run --events -m openai:rounds-3 -t tick --max-calls 1 hello
    same "$status" 3
    echo "$output" >> all
    jq -c --slurpfile s "$ROOT/schemas/event.schema.json" \
        '{schema: $s[0], instance: .}' all > cases
    command errand debug schema --jsonl < cases > verdicts
    same "$(jq -c 'select(.valid | not)' verdicts)" ''
    same "$(jq -r .type all | sort -u | tr '\n' ' ')" \
        'call done failed paused reasoning result retry started text usage '
}

@test "the answer streams as events while it comes" {
    mkfifo pipe
    command errand run --events -m openai:stall-mid -t none --max-seconds 5 \
        'one two three four' > pipe 2> /dev/null < /dev/null &
    local pid=$! line got=
    while read -r line; do
        [ "$(jq -r .type <<< "$line")" = text ] && got=yes && break
    done < pipe
    kill -TERM "$pid"
    wait "$pid" || true
    same "$got" yes
}

@test "a budget pauses, says the command, and that command goes on" {
    tick_tool
    errand run -m openai:rounds-3 -t tick --max-turns 1 hello
    same "$status" 3
    same "$output" ''
    has "$stderr" 'paused: budget reached: 1 of 1 model turns'
    has "$stderr" 'or raise --max-turns'
    command=$(sed -n 's/^go on with: *//p' <<< "$stderr")
    has "$command" 'errand resume '
    errand ${command#errand } --max-turns 10
    same "$status" 0
    same "$output" 'done after 3 rounds'
}

@test "budgets are named as options here, and by their keys in JSON" {
    tick_tool
    errand run --json -m openai:rounds-3 -t tick --max-turns 1 hello
    has "$(jq -r .error.message <<< "$output")" 'or raise max_turns'
    errand run -m openai:rounds-3 -t tick --max-tokens-total 1 hello
    same "$status" 3
    has "$stderr" 'or raise --max-tokens-total'
    errand resume --max-tokens-total 1 --all
    has "$stderr" 'or raise --max-'
}

@test "calls that cannot be run count as well" {
    tick_tool
    errand run -m openai:bad-args -t tick --max-calls 1 hello
    same "$status" 3
    has "$stderr" 'budget reached: 1 of 1 tool calls'
    has "$stderr" 'or raise --max-calls'
    errand run -m openai:bad-args -t tick --max-calls 2 hello
    same "$status" 0
    errand run --json -m openai:bad-args -t tick hello
    same "$(jq .usage.calls <<< "$output")" 2
}

@test "a failed run says how to try again" {
    errand run -m openai:cut-times-9-then-ok hello
    same "$status" 1
    has "$stderr" 'errand resume '
}

@test "--last and -c go on with a conversation" {
    errand run --json -m openai:echo -t none first
    id=$(jq -r .conversation <<< "$output")
    errand run --json -m openai:echo -t none --last second
    same "$(jq -r .conversation <<< "$output")" "$id"
    errand run --json -m openai:echo -t none -c "$id" third
    same "$(jq -r .conversation <<< "$output")" "$id"
    errand log show --json "$id"
    same "$(jq '[.messages[] | select(.role == "user")] | length' \
        <<< "$output")" 3
}

@test "--last without a conversation says so" {
    errand run -m openai:echo --last hello
    same "$status" 1
    has "$stderr" 'there is no conversation yet'
}

@test "the same key answers with the same run" {
    errand run --json -m openai:echo -t none --key k1 hello
    first=$(jq -r .run <<< "$output")
    errand run --json -m openai:echo -t none --key k1 hello
    same "$status" 0
    same "$(jq -r .run <<< "$output")" "$first"
    same "$(jq -r .answer <<< "$output")" hello
}

@test "a schema's answer stands parsed under value" {
    echo '{"type": "object", "required": ["a"]}' > s.json
    cat > script.jsonl <<< '{"repeat": true, "answer": {"content": "{\"a\": 1}"}}'
    "$BUILD/tests/endpoint" --port 0 --seconds 200 --script script.jsonl \
        > port 3>&- &
    pid=$!
    await grep -qs port port
    OPENAI_BASE_URL="http://127.0.0.1:$(sed 's/port //' port)/v1" \
        errand run --json -m openai:script -t none --schema s.json hello
    kill "$pid"
    wait "$pid" || true
    same "$status" 0
    same "$(jq -c .value <<< "$output")" '{"a":1}'
    echo '{"type": ' > s.json
    errand run --schema s.json hello
    same "$status" 1
    has "$stderr" 'reading --schema s.json: not valid JSON'
}

@test "sampling parameters out of range name the range" {
    errand run -m openai:echo -p temperature=9 hello
    same "$status" 2
    has "$stderr" 'temperature'
    has "$stderr" '5'
    errand run -m openai:echo -p temprature=1 hello
    same "$status" 2
    has "$stderr" 'temprature'
}

@test "a reader that goes away is no failure" {
    command errand run -m openai:text-20000 -t none hi < /dev/null \
        2> err | head -c 10 > part
    same "${PIPESTATUS[0]}" 0
    same "$(cat err)" ''
    same "$(wc -c < part)" 10
}

@test "an answer that cannot be written is a failure that says so" {
    run bash -c 'errand run -m openai:echo -t none hi < /dev/null > /dev/full'
    same "$status" 1
    has "$output" 'cannot write to standard output'
    has "$output" 'No space left on device'
    run bash -c 'errand run -m openai:echo -t none hi < /dev/null >&-'
    same "$status" 1
    has "$output" 'cannot write to standard output'
}

@test "closed descriptors do no harm to the store" {
    bash -c 'errand run -m openai:echo -t none hi <&- >&- 2>&-' || true
    errand doctor --json
    same "$(jq -r '.checks[] | select(.name == "store.integrity") | .ok' \
        <<< "$output")" true
    errand log list --json
    same "$(jq -r '.[0].state' <<< "$output")" 'done'
}

@test "20,000 pieces of text are no work to show" {
    local TIMEFORMAT=%U # what it computed, however busy the machine is
    { time command errand run --events -m openai:text-20000 -t none hi \
        < /dev/null > events; } 2> took
    [ "$(grep -c '"text"' events)" -gt 1000 ]
    echo "took $(cat took) s"
    [ "$(tail -n 1 took | cut -d. -f1)" -lt 5 ]
}

@test "functions come with the request" {
    echo '[{"name": "add", "code": "return function(a) return a.n + 41 end"}]' \
        > functions.json
    errand run --json -m openai:rounds-1 -t none --functions functions.json hi
    same "$status" 0
    same "$(jq .usage.calls <<< "$output")" 1
    errand log show --json "$(jq -r .conversation <<< "$output")"
    has "$output" 42
    echo '[{"name": "add"}]' > functions.json
    errand run -m openai:rounds-1 -t none --functions functions.json hi
    same "$status" 2
    has "$stderr" 'functions[0]: add has no code'
}
