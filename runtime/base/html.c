/* One pass over the bytes; see html.h.
 *
 * Text waits for nothing, but what stands before it does: a line break, the
 * mark of a list's item, a space are written when a character follows, so
 * that empty elements leave no trace. An element that is left out is skipped
 * only if its end is found; one search per name that fails is enough to know
 * that the page does not close it. */
#include "html.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NAME = 16, LISTS = 16, PREFIX = 32, LINKS_BYTES = 256 * 1024 };

struct tag {
    char name[NAME]; /* lower case, cut */
    bool end;
    const char *href, *alt; /* in the page; NULL: not given */
    size_t href_len, alt_len;
};

struct reader {
    struct er_html *page;
    const char *s;
    size_t len, at, most, first;
    struct er_buf *out, links;
    int breaks; /* line breaks that are due */
    bool space; /* a space is due */
    bool fresh; /* nothing stands on this line */
    char prefix[PREFIX]; /* what begins the next line: "- ", "## " */
    int pre, depth, link_count;
    int numbers[LISTS]; /* of ordered lists; 0: bullets */
    bool cell;          /* the row has one already */
    char link[ER_HTML_LINK + 1];
    size_t link_from; /* of out, while link is not "" */
    unsigned unclosed; /* bits: names whose end was not found */
};

/* --------------------------------------------------------------- writing */

static void due(struct reader *r, int breaks)
{
    if (breaks > r->breaks)
        r->breaks = breaks;
}

/* What waits before text. */
static void flush(struct reader *r)
{
    if (r->breaks && r->out->len > r->first) {
        er_buf_add(r->out, "\n\n", (size_t)r->breaks);
        r->fresh = true;
    }
    if (r->fresh || r->prefix[0]) {
        for (int i = 1; i < r->depth && i < LISTS; i++)
            er_buf_adds(r->out, "  ");
        er_buf_adds(r->out, r->prefix);
    } else if (r->space) {
        er_buf_addc(r->out, ' ');
    }
    r->breaks = 0;
    r->space = r->fresh = false;
    r->prefix[0] = '\0';
}

/* Bytes that are no space. */
static void put(struct reader *r, const char *bytes, size_t n)
{
    flush(r);
    er_buf_add(r->out, bytes, n);
}

static void put_space(struct reader *r, char c)
{
    if (r->pre && c == '\n') {
        if (r->breaks == 0)
            er_buf_addc(r->out, '\n');
        r->fresh = false; /* what comes is not indented */
    } else if (r->pre) {
        put(r, c == '\t' ? "\t" : " ", 1);
    } else if (!r->fresh && r->breaks == 0) {
        r->space = true;
    }
}

static void set_prefix(struct reader *r, const char *text, int number)
{
    struct er_buf b;
    er_buf_init(&b, PREFIX - 1);
    if (number)
        er_buf_addf(&b, "%d. ", number);
    else
        er_buf_adds(&b, text);
    memcpy(r->prefix, er_buf_str(&b), b.len + 1);
    er_buf_release(&b);
}

/* ---------------------------------------------------------------- reading */

/* One character or reference of text at at. */
static void read_text(struct reader *r)
{
    const char *s = r->s + r->at;
    size_t left = r->len - r->at, n = 0, took = 1;
    unsigned char c = (unsigned char)*s;
    char bytes[8];
    if (c == '&')
        took = er_html_entity(s, left, bytes, &n);
    if (took == 0 || n == 0) {
        took = n = 1;
        bytes[0] = *s;
    }
    r->at += took;
    bool wide = n == 1 && c == 0xc2 && left > 1;
    if ((n == 1 && (unsigned char)bytes[0] <= ' ') || bytes[0] == 0x7f) {
        put_space(r, bytes[0]);
    } else if ((n == 2 && memcmp(bytes, "\xC2\xA0", 2) == 0) ||
               (wide && (unsigned char)s[1] == 0xa0)) {
        r->at += wide;
        put_space(r, ' ');
    } else if ((n == 2 && memcmp(bytes, "\xC2\xAD", 2) == 0) ||
               (wide && (unsigned char)s[1] == 0xad)) {
        r->at += wide; /* a soft hyphen */
    } else {
        put(r, bytes, n);
    }
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == ':';
}

/* An attribute's value at at, quoted or not. */
static const char *read_value(struct reader *r, size_t *len)
{
    char quote = r->s[r->at] == '"' || r->s[r->at] == '\'' ? r->s[r->at] : 0;
    size_t from = r->at += quote != 0;
    while (r->at < r->len) {
        char c = r->s[r->at];
        if (quote ? c == quote : isspace((unsigned char)c) || c == '>')
            break;
        r->at++;
    }
    *len = r->at - from;
    if (quote && r->at < r->len)
        r->at++;
    return r->s + from;
}

static void read_attribute(struct reader *r, struct tag *tag)
{
    const char *name = r->s + r->at;
    size_t n = 0;
    while (r->at < r->len && !isspace((unsigned char)r->s[r->at]) &&
           !strchr("=>/", r->s[r->at]) && ++r->at)
        n++;
    while (r->at < r->len && isspace((unsigned char)r->s[r->at]))
        r->at++;
    if (r->at >= r->len || r->s[r->at] != '=') {
        r->at += n == 0 && r->at < r->len && r->s[r->at] != '>';
        return;
    }
    r->at++;
    while (r->at < r->len && isspace((unsigned char)r->s[r->at]))
        r->at++;
    size_t len = 0;
    const char *value = r->at < r->len ? read_value(r, &len) : NULL;
    if (value && n == 4 && strncasecmp(name, "href", 4) == 0) {
        tag->href = value;
        tag->href_len = len;
    } else if (value && n == 3 && strncasecmp(name, "alt", 3) == 0) {
        tag->alt = value;
        tag->alt_len = len;
    }
}

/* At '<': a tag up to its '>'. False: it is text. */
static bool read_tag(struct reader *r, struct tag *tag)
{
    size_t at = r->at + 1, n = 0;
    *tag = (struct tag){.end = at < r->len && r->s[at] == '/'};
    at += tag->end;
    if (at >= r->len || !isalpha((unsigned char)r->s[at]))
        return false;
    for (; at < r->len && is_name_char(r->s[at]); at++)
        if (n < NAME - 1)
            tag->name[n++] = (char)tolower((unsigned char)r->s[at]);
    r->at = at;
    while (r->at < r->len && r->s[r->at] != '>') {
        char c = r->s[r->at];
        if (isspace((unsigned char)c) || c == '/')
            r->at++;
        else
            read_attribute(r, tag);
    }
    r->at += r->at < r->len;
    return true;
}

/* At "<!" or "<?": behind it. */
static void skip_declaration(struct reader *r)
{
    const char *end = NULL;
    bool comment = r->len - r->at >= 4 &&
                   memcmp(r->s + r->at, "<!--", 4) == 0;
    size_t from = r->at + (comment ? 4 : 2);
    for (size_t i = from; !end && i < r->len; i++) {
        const char *c = memchr(r->s + i, '>', r->len - i);
        if (!c)
            break;
        i = (size_t)(c - r->s);
        bool closes = !comment || (i >= from && i >= r->at + 6 &&
                                      memcmp(c - 2, "--", 2) == 0) ||
                      i == from || (i == from + 1 && c[-1] == '-');
        end = closes ? c + 1 : NULL;
    }
    r->at = end ? (size_t)(end - r->s) : r->len;
}

/* Where "</name" begins from at on; len if nowhere. */
static size_t find_end(const struct reader *r, size_t at, const char *name)
{
    size_t n = strlen(name);
    while (at < r->len) {
        const char *c = memchr(r->s + at, '<', r->len - at);
        if (!c)
            return r->len;
        at = (size_t)(c - r->s);
        if (r->len - at > n + 2 && c[1] == '/' &&
            strncasecmp(c + 2, name, n) == 0 && !is_name_char(c[2 + n]))
            return at;
        at++;
    }
    return r->len;
}

/* ------------------------------------------------------ what is left out */

/* Their content is no markup; the page ends in them if they do not. */
static const char *const raw[] = {"script", "style", "noscript", "iframe",
    "textarea", "noframes", "xmp", NULL};

/* Their content is for other eyes than a reader's. */
static const char *const unread[] = {"nav", "footer", "svg", "math",
    "template", "select", "button", "object", "canvas", "audio", "video",
    "dialog", "map", NULL};

static int place_in(const char *const *list, const char *name)
{
    for (int i = 0; list[i]; i++)
        if (strcmp(list[i], name) == 0)
            return i;
    return -1;
}

/* Behind the end of an element that just began; at stays if it has none. */
static void skip_element(struct reader *r, const char *name, int place)
{
    struct reader look = *r;
    int depth = 1;
    if (r->unclosed >> place & 1)
        return;
    while (depth > 0 && look.at < look.len) {
        struct tag tag;
        const char *c = memchr(look.s + look.at, '<', look.len - look.at);
        if (!c)
            break;
        look.at = (size_t)(c - look.s);
        if (look.len - look.at > 3 && c[1] == '!')
            skip_declaration(&look);
        else if (!read_tag(&look, &tag))
            look.at++;
        else if (strcmp(tag.name, name) == 0)
            depth += tag.end ? -1 : 1;
        else if (!tag.end && place_in(raw, tag.name) >= 0)
            look.at = find_end(&look, look.at, tag.name);
    }
    if (depth == 0)
        r->at = look.at;
    else
        r->unclosed |= 1u << place;
}

static void read_title(struct reader *r)
{
    struct er_buf title, *out = r->out;
    struct reader inner = *r;
    inner.len = find_end(r, r->at, "title");
    er_buf_init(&title, ER_HTML_TITLE * 8);
    inner.out = &title;
    inner.first = 0;
    inner.breaks = inner.depth = inner.pre = 0;
    inner.space = inner.fresh = false;
    inner.prefix[0] = '\0';
    while (inner.at < inner.len && title.len < ER_HTML_TITLE + 4)
        read_text(&inner); /* a character more, so that the cut sees it */
    size_t n = er_utf8_cut(er_buf_str(&title), title.len, ER_HTML_TITLE);
    if (!r->page->title[0]) {
        memcpy(r->page->title, er_buf_str(&title), n);
        r->page->title[n] = '\0';
    }
    er_buf_release(&title);
    r->out = out;
    r->at = inner.len;
}

/* ------------------------------------------------------------ the elements */

static void on_link(struct reader *r, const struct tag *tag)
{
    if (r->link[0] && r->out->len > r->link_from && r->page->links &&
        r->link_count < ER_HTML_LINKS &&
        r->links.len < LINKS_BYTES - ER_HTML_LINK - 20) {
        er_buf_addf(r->out, "[%d]", ++r->link_count);
        er_buf_addf(&r->links, "[%d] %s\n", r->link_count, r->link);
    }
    r->link[0] = '\0';
    r->link_from = r->out->len;
    char plain[ER_HTML_LINK + 8];
    size_t n = 0;
    for (size_t i = 0; !tag->end && i < tag->href_len;) {
        char bytes[8] = {tag->href[i]};
        size_t got = 1, took = 0;
        if (bytes[0] == '&')
            took = er_html_entity(
                tag->href + i, tag->href_len - i, bytes, &got);
        if (took == 0)
            bytes[0] = tag->href[i], got = 1;
        if (n + got > ER_HTML_LINK)
            return;
        memcpy(plain + n, bytes, got);
        n += got;
        i += took ? took : 1;
    }
    size_t from = 0;
    while (from < n && isspace((unsigned char)plain[from]))
        from++;
    while (n > from && isspace((unsigned char)plain[n - 1]))
        n--;
    if (!er_html_link(r->page->base, plain + from, n - from, r->link))
        r->link[0] = '\0';
}

static void on_image(struct reader *r, const struct tag *tag)
{
    if (!tag->alt || tag->alt_len == 0 || tag->alt_len > 500)
        return;
    struct reader inner = *r;
    inner.s = tag->alt;
    inner.at = 0;
    inner.len = tag->alt_len;
    put(&inner, "[image: ", 8);
    inner.fresh = true; /* no space behind the colon */
    inner.depth = 0;
    while (inner.at < inner.len)
        read_text(&inner);
    er_buf_addc(inner.out, ']');
    r->breaks = 0;
    r->space = r->fresh = false;
    r->prefix[0] = '\0';
}

static void on_list(struct reader *r, const struct tag *tag)
{
    due(r, r->depth > (tag->end ? 1 : 0) ? 1 : 2);
    if (tag->end && r->depth > 0)
        r->depth--;
    else if (!tag->end && r->depth++ < LISTS)
        r->numbers[r->depth - 1] = tag->name[0] == 'o';
}

static void on_item(struct reader *r, const struct tag *tag)
{
    due(r, 1);
    r->prefix[0] = '\0';
    if (tag->end)
        return;
    int *number = r->depth > 0 && r->depth <= LISTS
                      ? &r->numbers[r->depth - 1]
                      : NULL;
    set_prefix(r, "- ", number && *number ? (*number)++ : 0);
}

static void on_heading(struct reader *r, const struct tag *tag)
{
    static const char marks[] = "###### ";
    due(r, 2);
    r->prefix[0] = '\0';
    if (!tag->end)
        set_prefix(r, marks + 6 - (tag->name[1] - '0'), 0);
}

static void on_pre(struct reader *r, const struct tag *tag)
{
    if (tag->end && r->pre == 0)
        return;
    r->pre += tag->end ? -1 : 1;
    due(r, r->pre && !tag->end ? 2 : 1);
    if (!tag->end && r->at < r->len && r->s[r->at] == '\n')
        r->at++;
    if (r->pre == (tag->end ? 0 : 1))
        put(r, "```", 3);
    due(r, tag->end ? 2 : 1);
}

static void on_cell(struct reader *r, const struct tag *tag)
{
    if (tag->end)
        return;
    if (r->cell && r->breaks == 0) {
        r->space = false;
        put(r, " |", 2);
        r->space = true;
    }
    r->cell = true;
}

static void on_row(struct reader *r, const struct tag *tag)
{
    (void)tag;
    due(r, 1);
    r->cell = false;
}

static void on_rule(struct reader *r, const struct tag *tag)
{
    (void)tag;
    due(r, 2);
    put(r, "---", 3);
    due(r, 2);
}

static void on_line(struct reader *r, const struct tag *tag)
{
    (void)tag;
    if (r->breaks == 1)
        due(r, 2);
    due(r, 1);
}

static void on_block(struct reader *r, const struct tag *tag)
{
    (void)tag;
    due(r, 1);
}

static void on_paragraph(struct reader *r, const struct tag *tag)
{
    (void)tag;
    due(r, 2);
}

static const struct element {
    const char *name;
    void (*on)(struct reader *r, const struct tag *tag);
} elements[] = {
    {"a", on_link},
    {"address", on_paragraph},
    {"article", on_paragraph},
    {"aside", on_paragraph},
    {"blockquote", on_paragraph},
    {"br", on_line},
    {"caption", on_block},
    {"center", on_block},
    {"dd", on_block},
    {"details", on_paragraph},
    {"div", on_block},
    {"dl", on_paragraph},
    {"dt", on_block},
    {"fieldset", on_paragraph},
    {"figcaption", on_block},
    {"figure", on_paragraph},
    {"form", on_paragraph},
    {"h1", on_heading},
    {"h2", on_heading},
    {"h3", on_heading},
    {"h4", on_heading},
    {"h5", on_heading},
    {"h6", on_heading},
    {"header", on_paragraph},
    {"hr", on_rule},
    {"img", on_image},
    {"legend", on_block},
    {"li", on_item},
    {"main", on_paragraph},
    {"ol", on_list},
    {"option", on_block},
    {"p", on_paragraph},
    {"pre", on_pre},
    {"section", on_paragraph},
    {"summary", on_block},
    {"table", on_paragraph},
    {"td", on_cell},
    {"th", on_cell},
    {"tr", on_row},
    {"ul", on_list},
};

static void on_tag(struct reader *r, const struct tag *tag)
{
    int place = place_in(unread, tag->name);
    if (!tag->end && place_in(raw, tag->name) >= 0) {
        r->at = find_end(r, r->at, tag->name);
        return;
    }
    if (!tag->end && strcmp(tag->name, "title") == 0) {
        read_title(r);
        return;
    }
    if (place >= 0) {
        due(r, 1);
        if (!tag->end)
            skip_element(r, tag->name, place);
        return;
    }
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++)
        if (strcmp(elements[i].name, tag->name) == 0)
            elements[i].on(r, tag);
}

bool er_html_text(struct er_html *page, const char *html, size_t len,
    size_t most, struct er_buf *out)
{
    struct reader r = {.page = page, .s = html, .len = len, .most = most,
        .out = out, .first = out->len, .fresh = true};
    er_buf_init(&r.links, LINKS_BYTES);
    while (r.at < r.len && out->len - r.first < most && !out->failed) {
        struct tag tag;
        bool open = r.s[r.at] == '<' && r.at + 1 < r.len;
        if (open && (r.s[r.at + 1] == '!' || r.s[r.at + 1] == '?'))
            skip_declaration(&r);
        else if (open && read_tag(&r, &tag))
            on_tag(&r, &tag);
        else
            read_text(&r);
    }
    while (r.at < r.len && ((unsigned char)r.s[r.at] & 0xc0) == 0x80)
        er_buf_addc(out, r.s[r.at++]); /* the rest of a character */
    page->cut = r.at < r.len;
    if (out->len > r.first && !out->failed) {
        out->len = r.first + er_utf8_cut(out->data + r.first,
                                 out->len - r.first, most);
        out->data[out->len] = '\0';
    }
    if (r.links.len > 0)
        er_buf_addf(out, "\n\nLinks:\n%.*s", (int)(r.links.len - 1),
            r.links.data);
    er_buf_release(&r.links);
    return !out->failed;
}
