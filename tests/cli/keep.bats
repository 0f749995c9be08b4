#!/usr/bin/env bats
# What tools keep between calls, and what the user's configuration opens to
# them.

load helper

setup() {
    own_folder
}

# One of those that come with errand.
use() {
    local name="$1"
    shift
    errand tools call "$name" --tools-dir "$ROOT/tools" "$@"
}

@test "what one call remembers, another recalls" {
    use recall '{}'
    [ "$status" -eq 0 ]
    [ "$output" = "(there are no notes yet)" ]
    use remember '{"name": "tea", "text": "green, no sugar"}'
    [ "$status" -eq 0 ]
    [ "$output" = "remembered: tea" ]
    use remember '{"name": "desk", "text": "room 12"}'
    use recall '{}'
    [ "$output" = "2 notes: desk, tea" ]
    use recall '{"query": "sugar in tea"}'
    [[ "$output" == "tea (20"*"): green, no sugar" ]]
    use remember '{"name": "tea", "text": "black"}'
    [ "$output" = "replaced: tea" ]
    use remember '{"name": "tea", "text": ""}'
    [ "$output" = "forgotten: tea" ]
    use recall '{"query": "tea"}'
    [ "$output" = "no note has a word of 'tea'; there are: desk" ]
}

@test "a folder's configuration cannot hand out secrets or private hosts" {
    cat > errand.lua <<'END'
return { secrets = { s = { env = "HOME", host = "api.example.com" } } }
END
    use recall '{}'
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"errand.lua of the working folder sets secrets"* ]]
    [[ "$stderr" == *"--config errand.lua if you trust it"* ]]
    use recall --config errand.lua '{}'
    [ "$status" -eq 0 ]
    cat > errand.lua <<'END'
return { http = { private = { "127.0.0.1:80" } } }
END
    use recall '{}'
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"errand.lua of the working folder sets http"* ]]
    cat > errand.lua <<'END'
return { http = { private = { "127.0.0.1" } } }
END
    use recall --config errand.lua '{}'
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"http.private"* ]] || [[ "$stderr" == *"http/private"* ]]
}
