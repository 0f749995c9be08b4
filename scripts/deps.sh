#!/bin/sh
# Installs what building and testing errand needs, where it is missing.
#
# Asks what works (pkg-config, commands, the fuzzer's runtime) and not which
# packages are there, so that it is quick when nothing is missing and accepts
# libraries that came some other way. On Debian and its children it installs
# with apt-get; elsewhere it names the packages and stops. Tested in
# tests/house/deps.bats, with OS_RELEASE for another system's file.
set -eu
cd "$(dirname "$0")/.."
os_release=${OS_RELEASE:-/etc/os-release}
most=${1:-check}
case $most in
build | check) ;;
*) echo "deps: $most: say build, check or nothing" >&2; exit 2 ;;
esac

# With the word "build" only what building and running needs is looked at, and
# not what the tests need besides: that is a third of the bytes.

# Columns: what it is for, how to see that it is there, then its package on
# Debian, Fedora, Arch and Homebrew ("-": comes with the system).
table='
build cmd:cc             build-essential       gcc              base-devel  -
build cmd:make           build-essential       make             base-devel  -
build cmd:pkg-config     pkg-config            pkgconf          pkgconf     pkgconf
build pc:libcurl         libcurl4-openssl-dev  libcurl-devel    curl        curl
build pc:jansson         libjansson-dev        jansson-devel    jansson     jansson
build lua:5.4            liblua5.4-dev         lua-devel        lua54       lua
build pc:sqlite3         libsqlite3-dev        sqlite-devel     sqlite      sqlite
build pc:libevent        libevent-dev          libevent-devel   libevent    libevent
build pc:libpcre2-8      libpcre2-dev          pcre2-devel      pcre2       pcre2
build pc:libedit         libedit-dev           libedit-devel    libedit     -
build certs:https        ca-certificates       ca-certificates  ca-certificates -
build cmd:jq             jq                    jq               jq          jq
check cmd:c++            build-essential       gcc-c++          base-devel  -
check cmd:objdump        binutils              binutils         binutils    binutils
check cmd:openssl        openssl               openssl          openssl     openssl
check pc:cmocka          libcmocka-dev         libcmocka-devel  cmocka      cmocka
check cmd:bats           bats                  bats             bash-bats   bats-core
check cmd:prove          perl                  perl-Test-Harness perl       perl
check cmd:clang          clang                 clang            clang       -
check fuzzer:clang       libclang-rt-dev       compiler-rt      compiler-rt -
'

have() {
    case $1 in
    cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    lua:*) have_lua ;;
    certs:*) have_certs ;;
    fuzzer:*) have_fuzzer ;;
    esac
}

have_certs() {
    for file in /etc/ssl/certs/* /etc/pki/tls/certs/* /etc/ssl/cert.pem; do
        [ ! -e "$file" ] || return 0
    done
    return 1
}

have_lua() {
    for name in lua5.4 lua-5.4 lua54 lua; do
        pkg-config --exists "$name >= 5.4" 2>/dev/null && return 0
    done
    return 1
}

have_fuzzer() {
    command -v clang >/dev/null 2>&1 || return 1
    dir=$(clang -print-resource-dir 2>/dev/null) || return 1
    ls "$dir"/lib/*/libclang_rt.fuzzer* >/dev/null 2>&1
}

# The packages of column $1 for everything that is missing, each once.
missing() {
    echo "$table" | while read -r use probe debian fedora arch brew; do
        [ "$use" = build ] || [ "$use" = "$most" ] || continue
        have "$probe" && continue
        case $1 in
        debian) echo "$debian" ;; fedora) echo "$fedora" ;;
        arch) echo "$arch" ;; brew) echo "$brew" ;;
        probe) echo "$probe" ;;
        esac
    done | grep -vx -e - | sort -u | tr '\n' ' '
}

family() {
    [ "$(uname -s)" != Darwin ] || { echo brew; return; }
    ids=$(sed -n 's/^ID\(_LIKE\)\{0,1\}=//p' "$os_release" 2>/dev/null |
        tr -d '"' | tr '\n' ' ')
    case " $ids" in
    *' debian '*|*' ubuntu '*) echo debian ;;
    *' fedora '*|*' rhel '*) echo fedora ;;
    *' arch '*) echo arch ;;
    *) echo unknown ;;
    esac
}

stop_and_tell() {
    echo "deps: missing: $(missing probe)" >&2
    echo "deps: install with: $1" >&2
    exit 1
}

install_debian() {
    packages=$1
    sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            stop_and_tell "apt-get install $packages(as root)"
        sudo=sudo
    fi
    echo "deps: installing $packages"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # words on purpose
    if ! { $sudo apt-get -q -o DPkg::Lock::Timeout=300 update &&
        $sudo apt-get -q -y -o DPkg::Lock::Timeout=300 install \
            --no-install-recommends $packages; }; then
        echo "deps: apt-get failed; its words are above" >&2
        exit 1
    fi
    left=$(missing probe)
    [ -z "$left" ] ||
        { echo "deps: still missing after the install: $left" >&2; exit 1; }
}

[ -n "$(missing probe)" ] || exit 0
case $(family) in
debian) install_debian "$(missing debian)" ;;
fedora) stop_and_tell "sudo dnf install $(missing fedora)" ;;
arch) stop_and_tell "sudo pacman -S --needed $(missing arch)" ;;
brew) stop_and_tell "brew install $(missing brew)" ;;
*) stop_and_tell "your system's packages for these" ;;
esac
