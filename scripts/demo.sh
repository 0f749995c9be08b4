#!/bin/sh
# A first look, on a machine with nothing but this repository: the small model
# that lies in it answers, with real tools on a real file, and goes on with a
# conversation. It errs often, so what it says is held against what is known
# to be true, and the demo fails if it is not. Then a run of more steps, whose
# model is a recording.
set -eu
cd "$(dirname "$0")/.."
errand=${BUILD:-build}/errand
recording=tests/cases/recordings/demo.jsonl
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export ERRAND_STORE="$scratch/errand.db"
unset ERRAND_MODEL

say() { printf '\n%s\n\n' "$*"; }
show() { printf '    $ %s\n\n' "$*"; }

# The words as one would type them.
quoted() {
    for word; do
        case $word in
        *' '*) printf "'%s' " "$word" ;;
        *) printf '%s ' "$word" ;;
        esac
    done
}

# ask TRUE WORDS... : run errand, show it, and find TRUE in the answer.
ask() {
    true=$1
    shift
    show "errand run $(quoted "$@")"
    "$errand" run -v --no-config --grant '*' -p temperature=0 "$@" \
        > "$scratch/answer" 2> "$scratch/steps" || {
        status=$?
        cat "$scratch/steps" "$scratch/answer" >&2
        exit $status
    }
    sed 's/^/    /' "$scratch/steps" "$scratch/answer"
    grep -qF -- "$true" "$scratch/answer" || {
        echo "demo: that is wrong, it should tell $true" >&2
        exit 1
    }
    echo
}

if [ -e models/errand-small.gguf ]; then
    # A program that was built elsewhere does not find it by itself.
    [ "${BUILD:-build}" = build ] ||
        export ERRAND_MODEL="local:$PWD/models/errand-small.gguf"
    say 'errand-small: a neural network of 3 MB that came with errand.'
    ask 391 'What is 17 times 23?'
    say 'Two tools, the second with what the first one found:'
    ask "$(($(cat docs/budget.txt) * 8))" \
        'read docs/budget.txt and multiply it by 8'
    say 'A note, then the conversation goes on:'
    ask 4417 'remember that my locker number is 4417'
    ask 4417 --last 'what was my locker number?'
    say 'It is a small model: models/README.md tells how often it is right.'
fi

say 'A run of several steps on the file LICENSE.'
cat <<TEXT
  The model of this part is a RECORDING ($recording):
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

say 'Next: README.md. A model that is worth its name:'
cat <<'TEXT'
    build/errand models pull llama-3.2-3b-instruct
    build/errand run -m local:Llama-3.2-3B-Instruct-Q4_K_M \
        "What is in this folder?"

  or one that you have elsewhere:

    export OPENAI_API_KEY=...
    build/errand run -m openai:gpt-4.1-mini "What is in this folder?"
TEXT
