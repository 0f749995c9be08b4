/* Source code: cut between definitions where that is possible, else at blank
 * lines. Languages differ, but in nearly all of them a definition begins in
 * the first column; its line is the chunk's heading. */
#include "search/cutter.h"

#include "base/text.h"

#include <string.h>

enum { LINE_MOST = 120, HALF = ER_CHUNK_TOKENS / 2 };

/* Words that stand in the first column and define nothing. */
static bool defines(const char *s, size_t len)
{
    static const char *const not[] = {"import ", "from ", "use ", "using ",
        "package ", "return", "else", "end", "include ", "require", NULL};
    if (len < 3 || !(((unsigned char)*s | 0x20) >= 'a' &&
                        ((unsigned char)*s | 0x20) <= 'z') ||
        s[len - 1] == ';' || s[len - 1] == ',')
        return false;
    for (size_t i = 0; not[i]; i++)
        if (len >= strlen(not[i]) && memcmp(s, not[i], strlen(not[i])) == 0)
            return false;
    return true;
}

static void set_heading(struct er_cutter *c, const char *s, size_t len)
{
    while (len > 0 && ((unsigned char)s[len - 1] <= ' ' ||
                          s[len - 1] == '{' || s[len - 1] == ':'))
        len--;
    len = er_utf8_cut(s, len, LINE_MOST);
    const char *copy = er_arena_strn(&c->out->arena, s, len);
    if (copy)
        c->heading = copy;
    else
        c->code = er_nomem(c->err);
}

void er_cut_code(struct er_cutter *c)
{
    size_t at = 0, from = 0;
    bool blank_before = true;
    while (at < c->len && c->code == ERRAND_OK) {
        size_t end = er_line_end(c->text, c->len, at), len = end - at;
        const char *line = c->text + at;
        bool blank = er_is_blank(line, len);
        if (!blank && blank_before && line[0] != ' ' && line[0] != '\t') {
            er_cutter_piece(c, from, at);
            from = at;
            if (c->tokens >= HALF)
                er_cutter_end(c, at);
        } else if (blank && end - from > 4 * HALF) {
            er_cutter_piece(c, from, end);
            from = end;
        }
        while (len > 0 && (unsigned char)line[len - 1] <= ' ')
            len--;
        /* the chunk is called by what it holds first; if that began before
         * it, by that */
        if (defines(line, len) && (!c->body || c->heading[0] == '\0'))
            set_heading(c, line, len);
        blank_before = blank;
        at = end;
    }
    er_cutter_piece(c, from, c->len);
}
