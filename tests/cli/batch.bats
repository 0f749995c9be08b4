#!/usr/bin/env bats
# errand batch: many requests, in order, safe to repeat.
load helper

setup_file() { start_endpoint --log "$BATS_FILE_TMPDIR/bodies"; }
teardown_file() { stop_endpoint; }
setup() { own_folder; : > "$BATS_FILE_TMPDIR/bodies"; }

asked() { wc -l < "$BATS_FILE_TMPDIR/bodies"; }
asked_at_least() { [ "$(asked)" -ge "$1" ]; }

@test "results stand in the order of the requests" {
    for i in 1 2 3 4 5 6; do
        printf '{"prompt": "p%d", "id": "i%d", "model": "openai:echo-delay-%d"}\n' \
            $i $i $((300 - i * 50))
    done > in.jsonl
    errand batch -t none in.jsonl
    same "$status" 0
    same "$(jq -r .answer <<< "$output" | tr '\n' ' ')" 'p1 p2 p3 p4 p5 p6 '
    same "$(jq -r .id <<< "$output" | tr '\n' ' ')" 'i1 i2 i3 i4 i5 i6 '
    same "$(jq -r .index <<< "$output" | tr '\n' ' ')" '0 1 2 3 4 5 '
    has "$stderr" '6 requests: 6 done, 0 failed'
}

@test "repeated, nothing is asked again" {
    for i in $(seq 20); do printf '{"prompt": "p%d"}\n' "$i"; done > in.jsonl
    errand batch -m openai:echo -t none in.jsonl -o one.jsonl
    same "$status" 0
    same "$(asked)" 20
    errand batch -m openai:echo -t none in.jsonl -o two.jsonl
    same "$status" 0
    same "$(asked)" 20
    same "$(jq -c '[.run, .answer]' one.jsonl)" \
        "$(jq -c '[.run, .answer]' two.jsonl)"
    errand batch -m openai:echo -t none --key again in.jsonl
    same "$(asked)" 40
}

@test "equal requests are asked each" {
    printf '{"prompt": "same"}\n{"prompt": "same"}\n' > in.jsonl
    errand batch -m openai:echo -t none in.jsonl
    same "$(asked)" 2
    same "$(jq -r .run <<< "$output" | sort -u | wc -l)" 2
}

@test "a bad line fails alone and says why" {
    cat > in.jsonl <<'END'
{"prompt": "good"}
{"promt": "x"}

not json
{"prompt": 5}
{"id": 1}
[]
{"prompt": "x", "tools": "some"}
{"prompt": "also good", "schema": true, "params": {"temperature": 99}}
{"prompt": "last"}
END
    errand batch -m openai:echo -t none in.jsonl
    same "$status" 1
    same "$(jq -r .state <<< "$output" | tr '\n' ' ')" \
        'done failed failed failed failed failed failed failed done '
    has "$stderr" 'line 2: unknown key "promt"; did you mean "prompt"?'
    has "$stderr" 'line 4: not valid JSON'
    has "$stderr" 'line 5: "prompt" must be a text'
    has "$stderr" 'line 6: the request has no "prompt"'
    has "$stderr" 'line 7: a request must be an object'
    has "$stderr" 'line 8: "tools" must be'
    has "$stderr" 'line 9: '
    has "$stderr" 'the same command again'
}

@test "what failed is tried again, what is done is not" {
    printf '%s\n' '{"prompt": "a", "model": "openai:echo"}' \
        '{"prompt": "b", "model": "openai:status-400-then-ok"}' > in.jsonl
    errand batch -t none in.jsonl
    same "$status" 1
    errand batch -t none in.jsonl
    same "$status" 0
    same "$(jq -r .answer <<< "$output" | tr '\n' ' ')" 'a b '
    same "$(asked)" 3
}

@test "killed and repeated, each is answered once" {
    for i in $(seq 30); do printf '{"prompt": "p%d"}\n' "$i"; done > in.jsonl
    command errand batch -m openai:echo-delay-1000 -t none --jobs 4 in.jsonl \
        -o out.jsonl 2> /dev/null 3>&- &
    pid=$!
    await asked_at_least 8
    kill -KILL "$pid"
    wait "$pid" || true
    [ ! -e out.jsonl ]
    errand batch -m openai:echo-delay-1000 -t none --jobs 30 in.jsonl \
        -o out.jsonl
    same "$status" 0
    same "$(jq -r .answer out.jsonl | tr '\n' ' ')" \
        "$(seq -f 'p%g' 30 | tr '\n' ' ')"
    [ "$(asked)" -le 34 ] # four were under way when it was killed
    errand log list --json -n 100
    same "$(jq length <<< "$output")" 30
}

@test "standard input, options as defaults, a file that is not there" {
    printf '{"prompt": "x", "system": "be brief"}' > in.jsonl
    INPUT=in.jsonl errand batch -m openai:echo -t none -
    same "$status" 0
    same "$(jq -r .answer <<< "$output")" x
    errand batch nowhere.jsonl
    same "$status" 1
    has "$stderr" 'cannot open nowhere.jsonl'
    : > empty.jsonl
    errand batch -m openai:echo empty.jsonl
    same "$status" 0
    same "$output" ''
}

@test "a result file that cannot be written is said before any request" {
    printf '{"prompt": "x"}\n' > in.jsonl
    errand batch -m openai:echo -t none in.jsonl -o /nowhere/out.jsonl
    same "$status" 1
    has "$stderr" 'cannot write /nowhere/out.jsonl'
    same "$(asked)" 0
}
