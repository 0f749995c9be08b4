/* Web pages as text, from any bytes in any charset: what comes out is UTF-8,
 * within its limit. */
#include "base/html.h"
#include "base/text.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {NULL, "text/html; charset=latin1",
        "text/html; charset=utf-16be", "text/html;charset=\"iso-8859-15\""};
    struct er_buf html, out;
    size_t most = size > 1 ? (size_t)data[0] * 64 + 1 : 100;
    struct er_html page = {
        .base = "https://example.com/a/b?c", .links = size % 2 == 0};
    er_buf_init(&html, 1 << 20);
    er_buf_init(&out, 1 << 20);
    check(er_charset_read(&html, (const char *)data, size,
        types[size > 2 ? data[1] % 4 : 0]));
    check(er_utf8_valid_prefix(er_buf_str(&html), html.len) == html.len);
    check(er_html_text(
        &page, er_buf_str(&html), html.len, most, &out));
    check(er_utf8_valid_prefix(er_buf_str(&out), out.len) == out.len);
    check(er_utf8_valid_prefix(page.title, strlen(page.title)) ==
          strlen(page.title));
    check(page.links || out.len <= most);
    er_buf_release(&html);
    er_buf_release(&out);
    return 0;
}
