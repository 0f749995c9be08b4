#!/usr/bin/env bats
# errand debug: a case, or cases by the line.
load helper

setup() { own_folder; }

@test "schema: one case from the argument or standard input" {
    errand debug schema '{"schema": {"type": "string"}, "instance": 1}'
    same "$status" 0
    same "$(jq -c .valid <<< "$output")" false
    same "$(jq -r '.errors[0].path' <<< "$output")" ''
    echo '{"schema": true, "instance": null}' > case.json
    INPUT=case.json errand debug schema
    same "$(jq -c .valid <<< "$output")" true
    errand debug schema 'no json'
    same "$status" 1
    has "$stderr" 'not valid JSON'
}

@test "schema: drafts and formats" {
    items='{"schema": {"items": [{"type": "string"}]}, "instance": [1]}'
    errand debug schema --draft 7 "$items"
    same "$(jq -c .valid <<< "$output")" false
    date='{"schema": {"format": "date"}, "instance": "no date"}'
    errand debug schema "$date"
    same "$(jq -c .valid <<< "$output")" true
    errand debug schema --formats "$date"
    same "$(jq -c .valid <<< "$output")" false
}

@test "--jsonl: an answer per line, also for a bad one" {
    cat > cases <<'END'
{"schema": {"type": "integer"}, "instance": 1}
not json

{"schema": {"type": 5}, "instance": 1}
{"schema": {"type": "integer"}, "instance": "x"}
END
    printf '{"schema": true, "instance": 0}' >> cases # no newline at the end
    INPUT=cases errand debug schema --jsonl
    same "$status" 0
    same "${#lines[@]}" 5
    same "$(jq -c 'if .error then "error" else .valid end' <<< "$output" |
        tr '\n' ' ')" 'true "error" "error" false true '
    has "$(jq -r '.error.message' <<< "${lines[1]}")" 'not valid JSON'
}

@test "--jsonl answers before it waits for the next line" {
    mkfifo in out
    command errand debug schema --jsonl < in > out 3>&- &
    pid=$!
    exec 7> in 8< out
    for i in 1 2 3; do
        echo '{"schema": true, "instance": 1}' >&7
        read -r -t 5 line <&8
        same "$(jq -c .valid <<< "$line")" true
    done
    exec 7>&- 8<&-
    wait "$pid"
}

@test "--jsonl holds a thousand cases and a long line" {
    {
        for ((i = 0; i < 1000; i++)); do
            echo "{\"schema\": {\"maximum\": 499}, \"instance\": $i}"
        done
        printf '{"schema": true, "instance": "%s"}\n' \
            "$(head -c 3000000 /dev/zero | tr '\0' x)"
    } > cases
    INPUT=cases errand debug schema --jsonl
    same "${#lines[@]}" 1001
    same "$(jq -c .valid <<< "$output" | grep -c true)" 501
}

@test "parse: text formats and streams" {
    errand debug parse --format llama3 '{"text": "{\"name\": \"f\",
        \"parameters\": {\"a\": 1}}", "tools": [{"name": "f"}]}'
    same "$status" 1 # a text in JSON holds no bare newline
    errand debug parse --format llama3 "$(jq -nc '{text: "{\"name\": \"f\",
        \"parameters\": {\"a\": 1}}", tools: [{name: "f"}]}')"
    same "$status" 0
    same "$(jq -r '.tool_calls[0].name' <<< "$output")" f
    same "$(jq -c '.tool_calls[0].arguments | fromjson' <<< "$output")" \
        '{"a":1}'
    cat > case.json <<'END'
{"stream": "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: [DONE]\n\n"}
END
    INPUT=case.json errand debug parse --format openai-sse
    same "$(jq -r .content <<< "$output")" hi
    errand debug parse --format lama3 '{}'
    same "$status" 2
    has "$stderr" 'did you mean llama3?'
}

@test "parse: every format that the help names is known" {
    formats=$(command errand help --table |
        sed -n 's/^option\tdebug parse\t--format\t[^\t]*\t\([^\t]*\)\t.*/\1/p')
    same "$(tr -cd '|' <<< "$formats" | wc -c)" 6
    for format in ${formats//|/ }; do
        echo '{"text": "hi", "stream": "hi"}' > cases
        INPUT=cases errand debug parse --jsonl --format "$format"
        same "$status" 0
        same "$(jq -c 'has("content") and has("tool_calls")' \
            <<< "$output")" true
    done
}

@test "grammar: a beginning, a whole, the first refusal" {
    schema='{"type":"object","properties":{"a":{"type":"integer"}},
        "required":["a"]}'
    ask() { jq -nc --argjson s "$schema" --arg t "$1" '{schema:$s,text:$t}'; }
    errand debug grammar "$(ask '{"a": 1}')"
    same "$output" '{"accepted":true,"complete":true,"at":8}'
    errand debug grammar "$(ask '{"a": ')"
    same "$output" '{"accepted":true,"complete":false,"at":6}'
    errand debug grammar "$(ask '{"a": x')"
    same "$output" '{"accepted":false,"complete":false,"at":6}'
    errand debug grammar '{"gbnf": "root ::= \"a\"+", "text": "aab"}'
    same "$output" '{"accepted":false,"complete":false,"at":2}'
    errand debug grammar '{"schema": {"type": "array", "uniqueItems": true},
        "text": "[1,1]"}'
    same "$(jq -c . <<< "$output")" '{"accepted":true,"complete":false,"at":5,"unenforced":["uniqueItems"]}'
    errand debug grammar '{"gbnf": "root ::= x", "text": ""}'
    same "$status" 1
    has "$stderr" 'grammar line 1'
}

@test "render: a template alone, and its errors" {
    printf '%s' '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}' \
        '{% endfor %}{{ strftime_now("%Y") }}' > chat.jinja
    errand debug render -m ./chat.jinja \
        '{"messages": [{"role": "user", "content": "Hi"}], "now": 0}'
    same "$output" '{"prompt":"<|user|>Hi1970"}'
    printf '\n{{ raise_exception("No tools") }}' > bad.jinja
    errand debug render -m ./bad.jinja '{"messages": []}'
    same "$status" 1
    has "$stderr" 'template line 2: No tools'
    printf 'GGML\303\050 \377' > broken.gguf
    errand debug render -m ./broken.gguf '{"messages": []}'
    same "$status" 1
    same "$output" ''
    has "$stderr" 'not text: byte 4 is no UTF-8; a model file begins with'
    errand debug render '{"messages": []}'
    same "$status" 2
}
