/* A table of endings. What is not in it is text if its bytes are. */
#include "search/kind.h"

#include <string.h>
#include <strings.h>

static const char *const names[] = {"unknown", "text", "markdown", "html",
    "code", "jsonl", "csv", "pdf", "office"};

static const struct {
    enum er_kind kind;
    const char *ends; /* with a space around each */
} rows[] = {
    {ER_KIND_MARKDOWN, " md markdown mdown mkd mdx qmd rmd "},
    {ER_KIND_HTML, " html htm xhtml "},
    {ER_KIND_JSONL, " jsonl ndjson "},
    {ER_KIND_CSV, " csv tsv "},
    {ER_KIND_PDF, " pdf "},
    {ER_KIND_OFFICE, " docx odt epub rtf pptx "},
    {ER_KIND_TEXT, " txt text rst adoc asciidoc org tex log 1 2 3 4 5 6 7 "
                   "8 srt vtt bib "},
    {ER_KIND_CODE,
        " c h cc cpp cxx hh hpp hxx m mm cs java kt kts scala go rs swift "
        "zig d py pyi rb pl pm t php lua js mjs cjs jsx ts tsx vue svelte "
        "sh bash zsh fish ps1 bat sql r jl hs ml mli fs fsx ex exs erl clj "
        "cljs lisp el scm rkt dart nim v vhd vhdl sv asm s f f90 f95 pas "
        "ada proto thrift graphql cmake mk make gradle tf nix awk sed css "
        "scss less json yaml yml toml ini cfg conf xml xsd xsl svg bats "
        "jinja j2 dockerfile makefile am ac in patch diff "},
};

const char *er_kind_name(enum er_kind kind)
{
    size_t i = (size_t)kind;
    return names[i < sizeof names / sizeof names[0] ? i : 0];
}

enum er_kind er_kind_named(const char *name)
{
    for (size_t i = 1; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum er_kind)i;
    return ER_KIND_UNKNOWN;
}

static bool has_word(const char *list, const char *word, size_t len)
{
    for (const char *p = list; *p; p += strcspn(p, " ")) {
        while (*p == ' ')
            p++;
        if (strcspn(p, " ") == len && len > 0 &&
            strncasecmp(p, word, len) == 0)
            return true;
    }
    return false;
}

enum er_kind er_kind_of_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    /* "Makefile" is its own ending, "c" is not */
    const char *end = dot ? dot + 1 : strlen(base) > 3 ? base : "";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (has_word(rows[i].ends, end, strlen(end)))
            return rows[i].kind;
    return ER_KIND_UNKNOWN;
}

bool er_kind_is_binary(const char *bytes, size_t len)
{
    size_t odd = 0, n = len < 8192 ? len : 8192;
    if (n >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 ||
                      memcmp(bytes, "\xFE\xFF", 2) == 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == 0)
            return true;
        if ((c < ' ' && (c < '\t' || c > '\r') && c != 0x1b) || c == 0x7f)
            odd++;
    }
    return odd * 20 > n;
}
