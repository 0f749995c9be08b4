#!/usr/bin/env bats
# errand models, and the debug commands that need a model file.

load helper

setup() {
    own_folder
    suites="${ERRAND_SUITES:-$ROOT/../shared/suites}"
    unset ERRAND_MODELS OLLAMA_MODELS LLAMA_CACHE XDG_CACHE_HOME
    export HOME="$BATS_TEST_TMPDIR"
}

need_suites() {
    [ -e "$suites/engine-formats/stories260K.gguf" ] ||
        skip "the model files of the suites are not there; set ERRAND_SUITES"
}

@test "with no model files the list says where to put them" {
    errand models list
    same "$status" 0
    has "$stderr" 'ERRAND_MODELS'
    errand models info none
    same "$status" 1
    has "$stderr" 'there is no model "none", and none in any folder'
}

@test "names are found in the folders of errand and of others" {
    mkdir -p models/deep .cache/llama.cpp .lmstudio/models/a/b
    mkdir -p .ollama/models/manifests/host/library/llama .ollama/models/blobs
    echo x > models/deep/One.gguf
    echo x > models/two-00001-of-00002.gguf
    echo x > models/two-00002-of-00002.gguf
    echo x > .cache/llama.cpp/three.gguf
    echo x > .lmstudio/models/a/b/four.gguf
    echo x > .ollama/models/blobs/sha256-00ff
    echo '{"layers": [{"mediaType": "application/vnd.ollama.image.model",
        "digest": "sha256:00ff"}]}' \
        > .ollama/models/manifests/host/library/llama/1b
    errand models list --json
    same "$status" 0
    same "$(jq -r '.[] | .name + " " + .source' <<< "$output")" "One errand
four LM Studio
llama:1b Ollama
three llama.cpp
two errand"
    errand models info tre
    has "$stderr" 'the nearest is "'
    errand models info one
    same "$status" 1
    has "$stderr" 'One.gguf'
}

@test "a file that is no model is refused in words" {
    echo "hello" > x.gguf
    errand models info x.gguf
    same "$status" 1
    has "$stderr" 'not a GGUF file'
    errand debug tokenize -m x.gguf '{"text": "a"}'
    same "$status" 1
    errand debug logits '{"tokens": [1], "positions": [0]}'
    same "$status" 2
    has "$stderr" 'needs -m FILE'
}

@test "info says what a model is and needs" {
    need_suites
    errand models info --json --context 64 \
        "$suites/engine/tiny-rope-q4_k_m.gguf"
    same "$status" 0
    same "$(jq -r '[.architecture, .quantization, .layers, .heads, .kv_heads,
        .head_size, .context, .cache_bytes] | map(tostring) | join(" ")' \
        <<< "$output")" "llama Q4_K 2 4 2 64 64 65536"
}

@test "bench: speeds, load time, memory; as JSON by its schema" {
    need_suites
    errand models bench --prompt 40 --answer 5 --rounds 2 --threads 1 \
        "$suites/engine/tiny-rope-q4_k_m.gguf"
    same "$status" 0
    has "$output" 'tokens/s (40 tokens; '
    has "$output" 'peak memory'
    errand models bench --prompt 40 --answer 5 --json \
        "$suites/engine/tiny-rope-q4_k_m.gguf"
    same "$(jq -c '[.context, .prompt.tokens, .answer.tokens,
        (.answer.rounds | length), .quantization]' <<< "$output")" \
        '[45,40,5,3,"Q4_K"]'
    jq -c --slurpfile s "$ROOT/schemas/model-bench.schema.json" \
        '{schema: $s[0], instance: .}' <<< "$output" > case
    same "$(command errand debug schema --jsonl < case | jq -c .valid)" true
    errand models bench nowhere
    same "$status" 1
    errand models bench --prompt 100000 \
        "$suites/engine/tiny-rope-q4_k_m.gguf"
    same "$status" 1
    has "$stderr" '100064 tokens are more than the 512'
}

@test "tokenize: control tokens count only with --special" {
    need_suites
    model="$suites/engine-formats/stories260K.gguf"
    errand debug tokenize -m "$model" --special \
        '{"text": "<s>hello</s> there"}'
    same "$output" '{"tokens":[1,281,306,414,2,410,383]}'
    printf '%s\n' '{"text": "<s>"}' '{"no": 1}' > cases
    INPUT=cases errand debug tokenize -m "$model" --jsonl
    same "$status" 0
    same "${lines[0]}" '{"tokens":[410,504,419,505]}'
    has "${lines[1]}" 'needs \"text\"'
}

@test "logits: a row per position, adapters change them" {
    need_suites
    formats="$suites/engine-formats"
    case='{"tokens": [1, 21, 233], "positions": [0, 2]}'
    errand debug logits -m "$formats/a1t-f16.gguf" --exact "$case"
    same "$(jq -c '.logits | map(length)' <<< "$output")" "[384,384]"
    jq '.logits[0][0]' <<< "$output" > plain
    errand debug logits -m "$formats/a1t-f16.gguf" --exact \
        --lora "$formats/lora-a1t.gguf=0.5" "$case"
    jq '.logits[0][0]' <<< "$output" > adapted
    same "$(jq -s '.[0] - .[1] | . * . > 0.01' plain adapted)" "true"
    errand debug logits -m "$formats/a1t-f16.gguf" \
        '{"tokens": [1], "positions": [1]}'
    same "$status" 2
    has "$stderr" 'position 1 is not among the 1 tokens'
}

@test "a model that is cut shorter between two questions is noticed" {
    need_suites
    cp "$suites/engine-formats/a1t-q4_k.gguf" cut.gguf
    mkfifo in
    command errand debug logits --jsonl -m cut.gguf < in > out 2> said 3>&- &
    pid=$!
    exec 8> in
    echo '{"tokens": [1, 21], "positions": [1]}' >&8
    await grep -q logits out
    truncate -s 8192 cut.gguf
    echo '{"tokens": [1, 21], "positions": [1]}' >&8
    exec 8>&-
    status=0
    wait $pid || status=$?
    same "$(grep -c . out)" 2
    has "$(tail -n 1 out)" 'was changed while in use (399936 bytes, now 8192)'
}

@test "a file cut while it is read does not end in silence" {
    need_suites
    mkfifo in
    command errand debug tokenize --jsonl \
        -m "$suites/engine-formats/stories260K.gguf" \
        < in > out 2> said 3>&- &
    pid=$!
    exec 8> in
    echo '{"text": "a"}' >&8
    await grep -q tokens out
    kill -BUS $pid
    status=0
    wait $pid || status=$?
    exec 8>&-
    same "$status" 1
    has "$(cat said)" 'a file was cut shorter while it was read'
}
