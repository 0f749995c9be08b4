#!/bin/sh
# Puts what was built where it belongs under DESTDIR and PREFIX, or takes it
# away again (--remove): libraries, headers, programs, tools, plugins with
# their sources, manual, pages for shells, documents. Whole folders of errand's own go; of shared folders
# only what install put there.
set -eu
root="${DESTDIR:-}${PREFIX:-/usr/local}"
soname=${SONAME:-liberrand.so.0}

put() { # MODE SOURCE TARGET
    mkdir -p "$(dirname "$root/$3")"
    install -m "$1" "$2" "$root/$3"
}

# All plain files of a folder, keeping its folders.
put_tree() { # SOURCE TARGET
    [ -d "$1" ] || return 0
    (cd "$1" && find . -type f ! -name '.*') | while read -r file; do
        put 644 "$1/$file" "$2/${file#./}"
    done
}

if [ "${1:-}" = --remove ]; then
    rm -f "$root/bin/errand" "$root/lib/liberrand.a" \
        "$root/lib/liberrand.so" "$root"/lib/liberrand.so.* \
        "$root/lib/pkgconfig/errand.pc" "$root/share/man/man1/errand.1" \
        "$root/share/bash-completion/completions/errand" \
        "$root/share/zsh/site-functions/_errand" \
        "$root/share/fish/vendor_completions.d/errand.fish"
    rm -rf "$root/include/errand" "$root/libexec/errand" "$root/lib/errand" \
        "$root/share/errand" "$root/share/doc/errand"
    echo "removed errand from $root"
    exit 0
fi

put 644 "$BUILD/liberrand.a" lib/liberrand.a
put 755 "$BUILD/$soname" "lib/$soname"
ln -sf "$soname" "$root/lib/liberrand.so"
put 644 "$BUILD/errand.pc" lib/pkgconfig/errand.pc
put_tree runtime/include/errand include/errand
for program in bin/errand libexec/errand/errand-worker; do
    [ -e "$BUILD/${program##*/}" ] || continue
    put 755 "$BUILD/${program##*/}" "$program"
done
for plugin in "$BUILD"/plugins/*.so; do
    [ -e "$plugin" ] || continue
    [ "${plugin##*/}" = template.so ] || # there to be copied, not used
        put 755 "$plugin" "lib/errand/plugins/${plugin##*/}"
done
put_tree plugins share/errand/plugins
put_tree tools share/errand/tools
put_tree agents share/errand/agents
put_tree schemas share/errand/schemas
for model in models/*.gguf; do
    [ ! -e "$model" ] || put 644 "$model" "share/errand/$model"
done
[ ! -e docs/errand.1 ] || put 644 docs/errand.1 share/man/man1/errand.1
for file in README.md CHANGELOG.md LICENSE docs/*.md; do
    [ ! -e "$file" ] || put 644 "$file" "share/doc/errand/${file#docs/}"
done
[ ! -e completions/errand.bash ] || put 644 completions/errand.bash \
    share/bash-completion/completions/errand
[ ! -e completions/_errand ] || put 644 completions/_errand \
    share/zsh/site-functions/_errand
[ ! -e completions/errand.fish ] || put 644 completions/errand.fish \
    share/fish/vendor_completions.d/errand.fish
echo "installed errand to $root"
