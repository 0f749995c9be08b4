#!/usr/bin/env bats
# Documents from the command line: index, search, answers with sources, and
# the tools that a model has for them.
load helper

setup() {
    own_folder
    mkdir notes
    printf '# Garden\n\n## Tomatoes\n\nPlant them out after the last frost, in the middle of May.\n\n## Leeks\n\nSow in March, dig in November.\n' > notes/garden.md
    printf 'name,born\nAda Lovelace,1815\n' > notes/people.csv
}

@test "a folder is indexed, found in, listed, and forgotten" {
    errand index notes
    same "$output" "2 added, 0 changed, 0 unchanged, 0 removed, 0 skipped; 3 chunks written"
    errand search when do tomatoes go out
    [[ $output == "notes/garden.md:1  Garden > Tomatoes  [1.0]"* ]]
    [[ $output == *"*Tomatoes*"* ]]
    errand search --json --kind csv lovelace
    same "$(jq -r '.[0].heading' <<< "$output")" "name, born"
    errand index --list --json
    same "$(jq -c '[.documents[].chunks]' <<< "$output")" "[2,1]"
    errand index --remove notes
    same "$output" "2 removed"
}

@test "what cannot be indexed is told in one message" {
    errand index /nowhere/at/all
    same "$status" 1
    has "$stderr" "there is no file or folder /nowhere/at/all"
    mkdir empty
    errand index empty
    [[ $output == "0 added,"* ]]
    errand index
    same "$status" 2
    errand search anything
    same "$status" 0
    has "$stderr" "nothing found"
}

@test "an answer cites passages, and what they do not say is marked" {
    errand index notes
    cat > answer.jsonl <<'X'
{"turn":0,"events":[{"type":"text","text":"{\"answer\":\"In May.\",\"citations\":[{\"id\":\"1.0\",\"quote\":\"after the last frost\"},{\"id\":\"1.0\",\"quote\":\"in June\"}]}"},{"type":"usage","prompt_tokens":16,"completion_tokens":17}]}
X
    errand search --answer --replay answer.jsonl when do tomatoes go out
    [[ $output == *"[1] notes/garden.md:5  Garden > Tomatoes"* ]]
    [[ $output == *"NOT CONFIRMED: the passage does not hold these words"* ]]
}

@test "the model's tools are there when something is indexed" {
    errand tools list
    [[ $output != *search_documents* ]]
    errand index notes
    errand tools list
    [[ $output == *search_documents* ]]
    errand tools call search_documents '{"query":"leeks"}'
    [[ $output == *'"id":"1.1"'* ]]
    errand tools call read_document '{"document":"1.1"}'
    [[ $output == *'dig in November'* ]]
}
