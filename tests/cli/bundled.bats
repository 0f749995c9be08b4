#!/usr/bin/env bats
# The model that comes with errand: who answers when nobody is named.
load helper

setup() {
    own_folder
    mkdir -p bin libexec/errand share/errand/models
    cp "$BUILD/errand" bin/errand
    cp "$BUILD/errand-worker" bin/errand-worker
    PATH="$BATS_TEST_TMPDIR/bin:$PATH"
}

@test "with no model anywhere a request says what to name" {
    rmdir share/errand/models
    errand run --no-config hello
    [ "$status" != 0 ]
    has "$stderr" 'no model is configured'
}

@test "the model beside the program answers when nothing is configured" {
    echo 'no model' > share/errand/models/errand-small.gguf
    errand run --no-config hello
    same "$status" 1
    has "$stderr" 'errand-small answers, a model of 3 MB'
    has "$stderr" 'not a GGUF file'
    errand doctor --no-config --json
    same "$(jq -r '.checks[] | select(.name == "model") | .value' \
        <<< "$output")" local:errand-small
}

@test "whatever is configured goes before it" {
    echo 'no model' > share/errand/models/errand-small.gguf
    echo '{"events":[{"type":"text","text":"Hi."}]}' > r.jsonl
    errand run --no-config --replay r.jsonl hello
    same "$status" 0
    same "$output" 'Hi.'
    [[ $stderr != *errand-small* ]]
    ERRAND_MODEL=ollama:other errand doctor --no-config --json
    same "$(jq -r '.checks[] | select(.name == "model") | .value' \
        <<< "$output")" ollama:other
}

@test "its template makes of messages what the model was trained on" {
    INPUT="$ROOT/tests/cases/template/errand-small.json" errand debug \
        render -m "$ROOT/models/train/chat_template.jinja"
    same "$status" 0
    same "$(jq -j .prompt <<< "$output"; echo .)" \
        "$(cat "$ROOT/tests/cases/template/errand-small.txt"; echo .)"
}

@test "the demo's questions are answered truly, by the model that is bundled" {
    cd "$ROOT"
    BUILD="$BUILD" run scripts/demo.sh
    has "$output" 'It is 1152'
    same "$status" 0
}

@test "a model file that is not there is named" {
    errand run --no-config -m local:nofile.gguf hi
    same "$status" 1
    has "$stderr" 'cannot read the model file nofile.gguf: No such file'
}
