#!/usr/bin/env bats
# scripts/check-docs must see what is wrong with a document.

setup() {
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir -p "$tree/scripts" "$tree/docs" "$tree/build"
    cp "$BATS_TEST_DIRNAME/../../scripts/check-docs" "$tree/scripts/"
    cat > "$tree/scripts/install.sh" <<'SH'
#!/bin/sh
mkdir -p "$PREFIX/lib/pkgconfig" && echo prefix=x > \
    "$PREFIX/lib/pkgconfig/errand.pc"
SH
    chmod +x "$tree/scripts/install.sh"
    cd "$tree"
    unset ERRAND_BUILD
}

# doc: the document, from standard input; checked at once.
doc() {
    cat > README.md
    run scripts/check-docs
    echo "$output"
}

@test "commands run in order, in one folder" {
    doc <<'MD'
```sh
echo one > file
```

```sh
cat file
```

```output
one
```
MD
    [ "$status" -eq 0 ]
    [ ! -e file ] # in a copy
}

@test "a command that fails" {
    doc <<'MD'
```sh
false
true
```
MD
    [ "$status" -eq 1 ]
    [[ "$output" == *'not ok 1 - README.md:1'* ]]
}

@test "other output than promised; ... stands for any lines" {
    printf '```sh\nseq 5\n```\n\n```output\n1\n...\n5\n```\n' > a
    doc < a
    [ "$status" -eq 0 ]
    printf '```sh\nseq 5\n```\n\n```output\n1\n...\n4\n```\n' > a
    doc < a
    [ "$status" -eq 1 ]
    [[ "$output" == *'printed something else'* ]]
}

@test "a block that is marked does not run and is told" {
    doc <<'MD'
<!-- not run: needs a key -->
```sh
false
```

```sh
true
```
MD
    [ "$status" -eq 0 ]
    [[ "$output" == *'# SKIP needs a key'* ]]
}

@test "a mark counts for the next block alone" {
    doc <<'MD'
<!-- not run: needs a key -->
Something between.

```sh
false
```
MD
    [ "$status" -eq 1 ]
}

@test "files with a name are there for later blocks" {
    doc <<'MD'
```c sub/a.c
int main(void) { return 0; }
```

```sh
cc sub/a.c -o a && ./a
```
MD
    [ "$status" -eq 0 ]
}

@test "commands without sh and C without a name are refused" {
    printf '```\nerrand run x\n```\n' > a
    doc < a
    [ "$status" -eq 1 ]
    printf '```c\nint a;\n```\n' > a
    doc < a
    [ "$status" -eq 1 ]
}

@test "links lead somewhere, anchors too" {
    printf '# Some Head\n' > docs/a.md
    printf '[a](docs/a.md#some-head) [b](https://example.org) [c](docs)\n' > a
    doc < a
    [ "$status" -eq 0 ]
    printf '[a](docs/b.md)\n' > a
    doc < a
    [ "$status" -eq 1 ]
    printf '[a](docs/a.md#other)\n' > a
    doc < a
    [ "$status" -eq 1 ]
}
