/* PCRE2 with a budget. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "tool/schema_regex.h"

#include "base/text.h"

#include <pcre2.h>
#include <string.h>

enum {
    MAX_PATTERN = 32768,       /* bytes */
    MAX_TRANSLATION = 1 << 22, /* \S makes 190 of 2, and nothing more */
    MATCH_LIMIT = 2000000,
    HEAP_LIMIT_KIB = 16384,
    BYTES_A_STEP = 16,
};

struct er_regex {
    pcre2_code *code;
    uint32_t at_least; /* bytes a match has at least */
    struct er_regex *next;
};

static const uint32_t OPTIONS = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY |
                                PCRE2_MATCH_UNSET_BACKREF |
                                PCRE2_NEVER_BACKSLASH_C |
                                PCRE2_AUTO_CALLOUT;

static pcre2_code *compile(struct er_compile *c, const char *where,
    const char *key, const struct er_buf *text)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)er_buf_str(text), text->len,
        OPTIONS, &code, &at, NULL);
    if (re)
        return re;
    char why[128] = "";
    pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
    if (code == PCRE2_ERROR_NOMEMORY || code == 121)
        er_schema_nomem(c);
    else
        er_schema_bad(c, where, key, "cannot use this pattern: %s", why);
    return NULL;
}

const struct er_regex *er_regex_compile(struct er_compile *c,
    const char *where, const char *key, const char *pattern, size_t len)
{
    struct er_buf text;
    const char *why = NULL;
    size_t at = 0;
    er_buf_init(&text, MAX_TRANSLATION);
    struct er_regex *re = er_schema_take(c, 1, sizeof *re);
    if (len > MAX_PATTERN)
        er_schema_bad(c, where, key, "a pattern of more than %d bytes",
            MAX_PATTERN);
    else if (er_ecma_translate(&text, pattern, len, &why, &at))
        re->code = re ? compile(c, where, key, &text) : NULL;
    else if (why)
        er_schema_bad(c, where, key,
            "\"%.60s\" is no ECMA-262 pattern: %s at byte %zu", pattern,
            why, at);
    else
        er_schema_nomem(c);
    er_buf_release(&text);
    if (c->failed || !re)
        return NULL;
    pcre2_pattern_info(re->code, PCRE2_INFO_MINLENGTH, &re->at_least);
    re->next = c->s->regexes;
    c->s->regexes = re;
    return re;
}

void er_regex_free_all(struct er_regex *re)
{
    for (; re; re = re->next) /* the arena has the rest */
        pcre2_code_free(re->code);
}

/* Before each item of a pattern. */
static int spend(pcre2_callout_block *block, void *ctx)
{
    struct er_matcher *m = ctx;
    size_t now = block->current_position;
    size_t moved = now > m->at ? now - m->at : m->at - now;
    size_t cost = 1 + moved / BYTES_A_STEP;
    m->at = now;
    if (*m->steps < cost)
        return PCRE2_ERROR_CALLOUT;
    *m->steps -= cost;
    return 0;
}

static bool prepare(struct er_matcher *m)
{
    if (m->data)
        return true;
    if (!m->context)
        m->context = pcre2_match_context_create(NULL);
    if (!m->context)
        return false;
    pcre2_set_match_limit(m->context, MATCH_LIMIT);
    pcre2_set_heap_limit(m->context, HEAP_LIMIT_KIB);
    pcre2_set_callout(m->context, spend, m);
    m->data = pcre2_match_data_create(1, NULL);
    return m->data;
}

enum er_match er_regex_match(const struct er_regex *re,
    struct er_matcher *m, const char *s, size_t len)
{
    if (!prepare(m))
        return ER_MATCH_GAVE_UP;
    size_t least = (len + re->at_least) / BYTES_A_STEP;
    if (*m->steps <= least)
        return ER_MATCH_GAVE_UP;
    *m->steps -= least;
    m->at = 0;
    int rc = pcre2_match(re->code, (PCRE2_SPTR)s, len, 0, 0, m->data,
        m->context);
    if (rc >= 0)
        return ER_MATCH_YES;
    return rc == PCRE2_ERROR_NOMATCH || (rc <= PCRE2_ERROR_UTF8_ERR1 &&
                                            rc >= PCRE2_ERROR_UTF8_ERR21)
               ? ER_MATCH_NO
               : ER_MATCH_GAVE_UP;
}

void er_matcher_release(struct er_matcher *m)
{
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
}
