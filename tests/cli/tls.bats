#!/usr/bin/env bats
# An endpoint behind TLS with a certificate that nobody knows: openssl stands
# in front of the test endpoint and passes on what it reads.
load helper

setup_file() {
    command -v openssl > /dev/null || skip 'openssl is not installed'
    mkdir -p "$BATS_FILE_TMPDIR/hub/Some"
    printf GGUF > "$BATS_FILE_TMPDIR/hub/Some/some.gguf"
    start_endpoint --hub "$BATS_FILE_TMPDIR/hub"
    plain=${OPENAI_BASE_URL#http://127.0.0.1:}
    cd "$BATS_FILE_TMPDIR"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=errand-test \
        -addext subjectAltName=DNS:localhost -keyout key.pem \
        -out cert.pem 2> req
    export TLS_PORT CERT="$BATS_FILE_TMPDIR/cert.pem"
    local try
    for try in 1 2 3 4 5; do
        TLS_PORT=$((20000 + RANDOM % 12000))
        start_tls "${plain%/v1}" && return
    done
    echo "no port for openssl: $(cat tls)"
    return 1
}

teardown_file() {
    [ -z "$tls_pid" ] || kill "$tls_pid"
    [ -z "$endpoint_pid" ] || stop_endpoint
}

# Until it listens; false if it ended: the port was somebody's.
start_tls() {
    exec 7<> "/dev/tcp/127.0.0.1/$1"
    openssl s_server -quiet -accept "127.0.0.1:$TLS_PORT" -cert cert.pem \
        -key key.pem <&7 >&7 2> tls 3>&- 9>&- &
    tls_pid=$!
    exec 7>&-
    await listens_or_ended
    kill -0 "$tls_pid" 2> /dev/null
}

listens_or_ended() {
    kill -0 "$tls_pid" 2> /dev/null || return 0
    grep -q "$(printf ':%04X 00000000:0000 0A' "$TLS_PORT")" /proc/net/tcp
}

setup() {
    own_folder
    unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
    export OPENAI_BASE_URL="https://localhost:$TLS_PORT/v1"
}

@test "a certificate that nobody vouches for is refused, once, and says so" {
    errand run -m openai:echo -t none hello
    same "$status" 1
    same "$output" ''
    has "$stderr" 'certificate'
    has "$stderr" "https://localhost:$TLS_PORT/v1/chat/completions"
    has "$stderr" 'SSL_CERT_FILE can name certificates to trust'
    same "$(grep -c certificate <<< "$stderr")" 1 # no attempt more
}

@test "CURL_CA_BUNDLE and SSL_CERT_FILE name whom to trust" {
    CURL_CA_BUNDLE=$CERT errand run -m openai:echo -t none hello
    same "$stderr" ''
    same "$output" hello
    SSL_CERT_FILE=$CERT errand run -m openai:echo -t none again
    same "$stderr" ''
    same "$output" again
}

@test "a trusted certificate for another name is refused" {
    OPENAI_BASE_URL="https://127.0.0.1:$TLS_PORT/v1" CURL_CA_BUNDLE=$CERT \
        errand run -m openai:echo -t none hello
    same "$status" 1
    has "$stderr" '127.0.0.1'
    same "$output" ''
}

@test "a file that holds no certificates is named" {
    echo nothing > empty.pem
    CURL_CA_BUNDLE=$PWD/empty.pem errand run -m openai:echo -t none hello
    same "$status" 1
    has "$stderr" "$PWD/empty.pem"
}

@test "model files come over https too, from whom one trusts" {
    export ERRAND_HUB="https://localhost:$TLS_PORT"
    errand models pull me/Some --dir m
    same "$status" 1
    has "$stderr" 'SSL_CERT_FILE can name certificates to trust'
    same "$(ls m 2> /dev/null)" ''
    CURL_CA_BUNDLE=$CERT errand models pull me/Some --dir m
    has "$stderr" '4 bytes, SHA-256'
    same "$(cat m/some.gguf)" GGUF
}
