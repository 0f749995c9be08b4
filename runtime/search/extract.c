/* By kind; see extract.h. */
#include "search/extract.h"

#include "base/html.h"
#include "base/text.h"

#include <string.h>

static bool has_nul(const struct er_buf *b)
{
    return b->len > 0 && memchr(b->data, 0, b->len) != NULL;
}

/* NUL bytes in the middle of text become spaces: SQLite's texts end there. */
static void drop_nuls(struct er_buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] == '\0')
            b->data[i] = ' ';
}

static int too_large(struct errand_error *err)
{
    return er_fail(err, ERRAND_TOO_LARGE, "over %d MiB; split it",
        ER_DOCUMENT_MOST >> 20);
}

/* True if the bytes can stand as they are. */
static bool is_plain(const char *bytes, size_t len)
{
    return er_utf8_valid_prefix(bytes, len) == len &&
           !(len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0);
}

static int read_text(struct er_extract *x, const char *bytes, size_t len,
    struct errand_error *err)
{
    if (is_plain(bytes, len)) {
        er_buf_add(&x->text, bytes, len);
    } else {
        x->converted = true;
        er_charset_read(&x->text, bytes, len, NULL);
    }
    if (x->text.failed)
        return x->text.no_memory ? er_nomem(err) : too_large(err);
    if (has_nul(&x->text)) {
        x->converted = true;
        drop_nuls(&x->text);
    }
    return ERRAND_OK;
}

static int read_html(struct er_extract *x, const char *bytes, size_t len,
    struct errand_error *err)
{
    struct er_html page = {.links = false};
    struct er_buf utf8;
    er_buf_init(&utf8, ER_DOCUMENT_MOST * (size_t)3);
    bool ok = er_charset_read(&utf8, bytes, len, "text/html") &&
              er_html_text(&page, er_buf_str(&utf8), utf8.len,
                  ER_DOCUMENT_MOST - 1, &x->text);
    er_buf_release(&utf8);
    x->converted = true;
    memcpy(x->title, page.title, sizeof x->title);
    if (!ok)
        return x->text.no_memory ? er_nomem(err) : too_large(err);
    drop_nuls(&x->text);
    return ERRAND_OK;
}

static const char *pandoc_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    static const char *const known[] = {
        "docx", "odt", "epub", "rtf", "pptx"};
    for (size_t i = 0; dot && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(dot + 1, known[i]) == 0)
            return known[i];
    return "docx";
}

/* The file's name goes behind options that end them, and is never one. */
static int read_foreign(struct er_extract *x, const char *path,
    struct errand_error *err)
{
    char from[32] = "--from=";
    struct er_buf out, file;
    const char *pdf[] = {"pdftotext", "-enc", "UTF-8", "-nopgbrk", "-q",
        NULL, "-", NULL};
    const char *office[] = {"pandoc", "--sandbox", from, "--to=gfm",
        "--wrap=none", "--", NULL, NULL};
    er_buf_init(&out, ER_DOCUMENT_MOST);
    er_buf_init(&file, 16384);
    er_buf_addf(&file, "%s%s", path[0] == '/' ? "" : "./", path);
    pdf[5] = office[6] = er_buf_str(&file);
    memcpy(from + 7, pandoc_name(path), strlen(pandoc_name(path)) + 1);
    bool is_pdf = x->kind == ER_KIND_PDF;
    int code = er_program_run(
        is_pdf ? pdf : office, ER_PROGRAM_SECONDS, &out, err);
    if (code == ERRAND_UNSUPPORTED)
        er_fail(err, code, "reading it needs %s; install %s",
            is_pdf ? "pdftotext" : "pandoc",
            is_pdf ? "poppler-utils" : "pandoc");
    x->converted = true;
    if (code == ERRAND_OK && !er_text_scrub(&x->text, er_buf_str(&out),
                                 out.len))
        code = x->text.no_memory ? er_nomem(err) : too_large(err);
    drop_nuls(&x->text);
    er_buf_release(&out);
    er_buf_release(&file);
    return code;
}

int er_extract(struct er_extract *x, const char *path, const char *bytes,
    size_t len, struct errand_error *err)
{
    er_buf_init(&x->text, (size_t)ER_DOCUMENT_MOST * 2);
    if (x->kind == ER_KIND_PDF || x->kind == ER_KIND_OFFICE)
        return read_foreign(x, path, err);
    if (er_kind_is_binary(bytes, len))
        return er_fail(err, ERRAND_SYNTAX, "binary, not text");
    if (x->kind == ER_KIND_HTML)
        return read_html(x, bytes, len, err);
    if (x->kind == ER_KIND_UNKNOWN)
        x->kind = len >= 2 && memcmp(bytes, "#!", 2) == 0 ? ER_KIND_CODE
                                                          : ER_KIND_TEXT;
    return read_text(x, bytes, len, err);
}
