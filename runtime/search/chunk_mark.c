/* Markdown, and what is read as if it were: web pages and office files come
 * with "# " headings from their readers. Headings open sections; fenced code
 * is never taken for headings, and no paragraph ends in it. */
#include "search/cutter.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

enum { LEVELS = 6, NAME_MOST = 100, SMALL = 30 };

struct marked {
    struct er_cutter *c;
    const char *names[LEVELS + 1]; /* the open headings; NULL: none */
    int level;   /* of the section that the chunk belongs to */
    size_t from; /* where the paragraph begins that is being read */
    char fence;  /* '`' or '~' within fenced code */
};

/* A line without spaces around it. */
static const char *trim(const char *s, size_t *len)
{
    while (*len > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        --*len;
    }
    while (*len > 0 && ((unsigned char)s[*len - 1] <= ' '))
        --*len;
    return s;
}

/* The level of a "## heading" and its name; 0: it is none. */
static int heading_of(const char *line, size_t len, const char **name,
    size_t *name_len)
{
    size_t level = 0;
    const char *s = trim(line, &len);
    if (s - line > 3)
        return 0;
    while (level < len && s[level] == '#')
        level++;
    if (level == 0 || level > LEVELS ||
        (level < len && s[level] != ' ' && s[level] != '\t'))
        return 0;
    len -= level;
    s = trim(s + level, &len);
    size_t bare = len;
    while (bare > 0 && s[bare - 1] == '#')
        bare--;
    if (bare < len && (bare == 0 || s[bare - 1] == ' ')) {
        len = bare;
        s = trim(s, &len);
    }
    *name = s;
    *name_len = len;
    return (int)level;
}

/* 1 for a line of "===", 2 for one of "---", which makes a heading of the
 * line before it. */
static int underline_of(const char *line, size_t len)
{
    const char *s = trim(line, &len);
    if (len < 2 || (*s != '=' && *s != '-'))
        return 0;
    for (size_t i = 1; i < len; i++)
        if (s[i] != s[0])
            return 0;
    return *s == '=' ? 1 : 2;
}

static const char *path_of(struct marked *m)
{
    struct er_buf path;
    er_buf_init(&path, (size_t)LEVELS * (NAME_MOST + 4));
    for (int i = 1; i <= LEVELS; i++)
        if (m->names[i])
            er_buf_addf(&path, "%s%s", path.len ? " > " : "", m->names[i]);
    size_t n =
        er_utf8_cut(er_buf_str(&path), path.len, ER_CHUNK_HEADING);
    char *copy =
        er_arena_strn(&m->c->out->arena, er_buf_str(&path), n);
    if (!copy || path.failed)
        m->c->code = er_nomem(m->c->err);
    er_buf_release(&path);
    return copy ? copy : "";
}

/* A section begins at byte at. A small one that this is a part of stays in
 * one chunk with it. */
static void open_section(struct marked *m, size_t at, int level,
    const char *name, size_t name_len)
{
    struct er_cutter *c = m->c;
    bool part = level > m->level && c->tokens < SMALL;
    if (c->tokens > 0 && c->body && !part)
        er_cutter_end(c, at);
    size_t n = er_utf8_cut(name, name_len, NAME_MOST);
    m->names[level] = er_arena_strn(&c->out->arena, name, n);
    for (int i = level + 1; i <= LEVELS; i++)
        m->names[i] = NULL;
    if (!m->names[level])
        c->code = er_nomem(c->err);
    if (!c->out->title && n > 0)
        c->out->title = m->names[level];
    if (n == 0)
        m->names[level] = NULL;
    if (!c->body || !part) {
        c->heading = path_of(m);
        m->level = level;
    }
}

static void end_paragraph(struct marked *m, size_t at)
{
    if (at > m->from && m->fence == 0) {
        er_cutter_piece(m->c, m->from, at);
        m->from = at;
    }
}

/* A heading and its line belong to what comes: not a body. */
static void take_heading(struct marked *m, size_t at, size_t end, int level,
    const char *name, size_t name_len)
{
    bool had = false;
    end_paragraph(m, at);
    open_section(m, at, level, name, name_len);
    had = m->c->body;
    er_cutter_piece(m->c, at, end);
    m->c->body = had;
    m->from = end;
}

/* True at the line that ends fenced code. */
static bool watch_fence(struct marked *m, const char *line, size_t len)
{
    const char *s = trim(line, &len);
    if (len < 3 || (*s != '`' && *s != '~') || s[1] != *s || s[2] != *s)
        return false;
    if (m->fence == 0) {
        m->fence = *s;
        return false;
    }
    if (m->fence != *s)
        return false;
    m->fence = 0;
    return true;
}

static void read_line(struct marked *m, size_t *at)
{
    const struct er_cutter *c = m->c;
    size_t end = er_line_end(c->text, c->len, *at), name_len = 0;
    const char *line = c->text + *at, *name = NULL;
    size_t len = end - *at;
    bool closed = watch_fence(m, line, len);
    int level = m->fence ? 0 : heading_of(line, len, &name, &name_len);
    bool blank = er_is_blank(line, len);
    if (!level && !m->fence && !blank && *at == m->from) {
        size_t below = er_line_end(c->text, c->len, end);
        level = underline_of(c->text + end, below - end);
        if (level) {
            name_len = len;
            name = trim(line, &name_len);
            end = below;
        }
    }
    if (level)
        take_heading(m, *at, end, level, name, name_len);
    else if (blank || closed)
        end_paragraph(m, end);
    *at = end;
}

void er_cut_marked(struct er_cutter *c)
{
    struct marked m = {.c = c};
    size_t at = 0;
    while (at < c->len && c->code == ERRAND_OK)
        read_line(&m, &at);
    m.fence = 0; /* one that nobody closed */
    end_paragraph(&m, c->len);
}

void er_cut_plain(struct er_cutter *c)
{
    size_t at = 0, from = 0;
    while (at < c->len && c->code == ERRAND_OK) {
        size_t end = er_line_end(c->text, c->len, at);
        if (er_is_blank(c->text + at, end - at)) {
            er_cutter_piece(c, from, end);
            from = end;
        }
        at = end;
    }
    er_cutter_piece(c, from, c->len);
}
