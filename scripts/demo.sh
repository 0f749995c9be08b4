#!/bin/sh
# A first look: a run of several steps on a real file of this repository,
# with real tools in worker processes and a real store. Who answers is a
# recording, since errand has no model of its own yet; so what it says is
# held against what the tools found and against a count made here.
set -eu
cd "$(dirname "$0")/.."
errand=${BUILD:-build}/errand
recording=tests/cases/recordings/demo.jsonl
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export ERRAND_STORE="$scratch/errand.db"

say() { printf '\n%s\n\n' "$*"; }
show() { printf '    $ %s\n\n' "$*"; }

say 'errand: a run of several steps on the file LICENSE.'
cat <<TEXT
  The model of this demo is a RECORDING ($recording):
  no model is asked and nothing leaves this machine. The tools it calls are
  real. They run in worker processes, on the real file; each step is kept
  in an SQLite database.
TEXT

prompt='How many lines of LICENSE mention software, and what share is that?'
say 'Ask:'
show "errand run -v --replay $recording '$prompt'"
"$errand" run -v --no-config --replay "$recording" "$prompt" \
    > "$scratch/answer" 2> "$scratch/steps" || {
    status=$?
    cat "$scratch/steps" "$scratch/answer" >&2
    exit $status
}
sed 's/^/    /' "$scratch/steps" "$scratch/answer"

lines=$(wc -l < LICENSE)
found=$(grep -ci software LICENSE)
grep -q "^$found of the $lines lines" "$scratch/answer" || {
    echo "demo: the recorded answer is wrong: it is $found of $lines lines" >&2
    exit 1
}
say "True? grep finds the same: $found of $lines lines."

say 'All of it is kept. What the tools answered, read back from the store:'
run=$("$errand" log list --no-config --json | jq -r '.[0].id')
show "errand log show $run"
"$errand" log show --no-config "$run" | sed 's/^/    /'

say 'Next: README.md, and with a model of your own:'
cat <<'TEXT'
    export OPENAI_API_KEY=...
    build/errand run -m openai:gpt-4.1-mini "What is in this folder?"

  or without a key, on a machine that runs ollama:

    build/errand run -m ollama:qwen2.5 "What is in this folder?"
TEXT
