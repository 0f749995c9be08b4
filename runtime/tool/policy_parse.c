/* Reading a rule:
 *
 *   rule       NAME | NAME ( * ) | NAME ( condition , ... )
 *   NAME       letters, digits, _ and -, with * and ?
 *   condition  [argument] == JSON | argument = pattern | argument != pattern
 *   argument   name .name [0] [*], or ** for every value there is
 *   pattern    up to , or ), or in double quotes; \ takes the next character
 *              as it is, and \n \t \r \uXXXX are what they are in JSON
 */
#include "base/buf.h"
#include "base/text.h"
#include "policy_rule.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    const char *text, *at;
    const struct er_policy_place *place;
    struct errand_error *err;
};

static int bad(struct reader *r, const char *what)
{
    int rc = er_fail(r->err, ERRAND_SYNTAX, "%s, at character %zu of \"%.80s\"",
        what, (size_t)(r->at - r->text) + 1, r->text);
    if (r->err)
        r->err->at = r->at - r->text;
    return rc;
}

static void skip_space(struct reader *r)
{
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n')
        r->at++;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* * or ** */
static bool add_star(struct reader *r, struct er_glob *g)
{
    bool all = r->at[1] == '*';
    while (*r->at == '*')
        r->at++;
    return er_glob_add(g, all ? ER_GLOB_ALL : ER_GLOB_NAME, 0);
}

static int read_tool(struct reader *r, struct er_glob *g)
{
    bool ok = true;
    while (ok && (is_name_byte(*r->at) || *r->at == '*' || *r->at == '?')) {
        if (*r->at == '*')
            ok = add_star(r, g);
        else if (*r->at == '?')
            ok = er_glob_add(g, ER_GLOB_ONE, 0) && r->at++;
        else
            ok = er_glob_add(g, ER_GLOB_BYTE, (unsigned char)*r->at++);
    }
    if (!ok)
        return er_nomem(r->err);
    if (g->n == 0)
        return bad(r, "a rule begins with a tool's name");
    if (g->n > 128)
        return bad(r, "the name is too long for a tool's");
    return ERRAND_OK;
}

/* ------------------------------------------------------------- arguments */

static struct er_step *add_step(struct reader *r, struct er_condition *c)
{
    if (c->n_steps == ER_RULE_STEPS) {
        bad(r, "an argument so deep is not looked at");
        return NULL;
    }
    if (!c->steps)
        c->steps = calloc(ER_RULE_STEPS, sizeof *c->steps);
    if (!c->steps) {
        er_nomem(r->err);
        return NULL;
    }
    return &c->steps[c->n_steps++];
}

/* name, or "any name" as JSON writes it */
static int read_member(struct reader *r, struct er_condition *c)
{
    const char *from = r->at;
    struct er_step *s = add_step(r, c);
    if (!s)
        return r->err->code;
    s->kind = ER_STEP_MEMBER;
    if (*from == '"') {
        for (r->at++; *r->at && *r->at != '"'; r->at++)
            if (*r->at == '\\' && r->at[1])
                r->at++;
        if (!*r->at)
            return bad(r, "the quoted name does not end");
        r->at++;
        struct errand_error why = {0};
        json_t *v = er_json_parse(
            from, (size_t)(r->at - from), ER_JSON_STRICT, &why);
        s->member_len = json_string_length(v);
        s->member = v ? er_strndup(json_string_value(v), s->member_len)
                      : NULL;
        json_decref(v);
        if (why.code == ERRAND_SYNTAX)
            return bad(r, "the quoted name is no JSON text");
    } else {
        while (is_name_byte(*r->at) || *r->at == '$')
            r->at++;
        s->member_len = (size_t)(r->at - from);
        if (s->member_len == 0)
            return bad(r, "an argument's name is missing");
        s->member = er_strndup(from, s->member_len);
    }
    return s->member ? ERRAND_OK : er_nomem(r->err);
}

/* [0] or [*] */
static int read_index(struct reader *r, struct er_condition *c)
{
    struct er_step *s = add_step(r, c);
    if (!s)
        return r->err->code;
    r->at++;
    if (*r->at == '*') {
        s->kind = ER_STEP_EACH;
        r->at++;
    } else {
        const char *from = r->at;
        s->kind = ER_STEP_INDEX;
        while (*r->at >= '0' && *r->at <= '9' && r->at - from < 9)
            s->index = s->index * 10 + (size_t)(*r->at++ - '0');
        if (r->at == from)
            return bad(r, "[ ] wants a number, or *");
    }
    if (*r->at != ']')
        return bad(r, "the ] is missing");
    r->at++;
    return ERRAND_OK;
}

static int read_argument(struct reader *r, struct er_condition *c)
{
    if (r->at[0] == '*' && r->at[1] == '*') {
        struct er_step *s = add_step(r, c);
        if (!s)
            return r->err->code;
        s->kind = ER_STEP_ANYWHERE;
        r->at += 2;
        return ERRAND_OK;
    }
    int rc = read_member(r, c);
    while (rc == ERRAND_OK && (*r->at == '.' || *r->at == '[')) {
        if (*r->at == '[') {
            rc = read_index(r, c);
        } else {
            r->at++;
            rc = read_member(r, c);
        }
    }
    return rc;
}

/* -------------------------------------------------------------- patterns */

static int hex4(const char *s)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int d = c >= '0' && c <= '9' ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* \uXXXX, in pairs where it must; through JSON, which knows how. */
static int read_unicode(struct reader *r, struct er_glob *g)
{
    char text[16] = "\"";
    size_t n = 6;
    int v = hex4(r->at + 2);
    if (v >= 0xd800 && v < 0xdc00 && r->at[6] == '\\' && r->at[7] == 'u')
        n = 12;
    if (v < 0 || (n == 12 && hex4(r->at + 8) < 0))
        return bad(r, "\\u wants four hexadecimal digits");
    memcpy(text + 1, r->at, n);
    text[n + 1] = '"';
    json_t *s = er_json_parse(text, n + 2, ER_JSON_STRICT, NULL);
    if (!s)
        return bad(r, "\\u names no character");
    bool ok = er_glob_add_bytes(
        g, json_string_value(s), json_string_length(s));
    json_decref(s);
    r->at += n;
    return ok ? ERRAND_OK : er_nomem(r->err);
}

/* A backslash and what follows. */
static int read_escape(struct reader *r, struct er_glob *g)
{
    static const char from[] = "ntr", to[] = "\n\t\r";
    char c = r->at[1];
    const char *known = c ? strchr(from, c) : NULL;
    if (!c)
        return bad(r, "a \\ stands before a character");
    if (c == 'u')
        return read_unicode(r, g);
    r->at += 2;
    return er_glob_add(g, ER_GLOB_BYTE,
               (unsigned char)(known ? to[known - from] : c))
               ? ERRAND_OK : er_nomem(r->err);
}

/* One piece of a pattern. */
static int read_piece(struct reader *r, struct er_glob *g)
{
    bool ok;
    if (*r->at == '\\')
        return read_escape(r, g);
    if (*r->at == '*')
        ok = add_star(r, g);
    else if (*r->at == '?')
        ok = er_glob_add(g, ER_GLOB_ONE, 0) && r->at++;
    else
        ok = er_glob_add(g, ER_GLOB_BYTE, (unsigned char)*r->at++);
    return ok ? ERRAND_OK : er_nomem(r->err);
}

static void trim_end(struct er_glob *g)
{
    while (g->n > 0 && g->tokens[g->n - 1].op == ER_GLOB_BYTE &&
           g->tokens[g->n - 1].byte == ' ')
        g->n--;
}

static int read_pattern(struct reader *r, struct er_condition *c)
{
    int rc = ERRAND_OK;
    skip_space(r);
    bool quoted = *r->at == '"';
    if (quoted)
        r->at++;
    while (rc == ERRAND_OK && *r->at &&
           !(quoted ? *r->at == '"' : *r->at == ',' || *r->at == ')'))
        rc = read_piece(r, &c->glob);
    if (rc != ERRAND_OK)
        return rc;
    if (quoted && *r->at != '"')
        return bad(r, "the quoted pattern does not end");
    if (quoted)
        r->at++;
    else
        trim_end(&c->glob);
    if (c->glob.n == 0 && !quoted)
        return bad(r, "a pattern is missing; \"\" is the empty text");
    rc = er_pattern_finish(c, r->place, r->err);
    return rc == ERRAND_OK ? rc : er_while(r->err, "%.80s", r->text);
}

/* Length of the JSON value that begins here, by its brackets and quotes. */
static size_t json_length(const char *s)
{
    size_t i = 0, depth = 0;
    for (; s[i]; i++) {
        if (s[i] == '"') {
            for (i++; s[i] && s[i] != '"'; i++)
                if (s[i] == '\\' && s[i + 1])
                    i++;
            if (!s[i])
                break;
        } else if (s[i] == '{' || s[i] == '[') {
            depth++;
        } else if ((s[i] == '}' || s[i] == ']') && depth > 0) {
            depth--;
        } else if (depth == 0 && (s[i] == ',' || s[i] == ')')) {
            break;
        }
    }
    return i;
}

static int read_json(struct reader *r, struct er_condition *c)
{
    struct errand_error why = {0};
    size_t len = json_length(r->at);
    json_t *v = er_json_parse(r->at, len, ER_JSON_STRICT, &why);
    if (!v) {
        r->at += why.at > 0 && (size_t)why.at <= len ? why.at : 0;
        return why.code == ERRAND_NOMEM ? er_nomem(r->err)
                                        : bad(r, "== wants a JSON value");
    }
    c->kind = ER_PATTERN_JSON;
    c->json = er_json_sorted(v);
    json_decref(v);
    r->at += len;
    return c->json ? ERRAND_OK : er_nomem(r->err);
}

static int read_condition(struct reader *r, struct er_condition *c)
{
    int rc = ERRAND_OK;
    if (*r->at != '=')
        rc = read_argument(r, c);
    if (rc != ERRAND_OK)
        return rc;
    skip_space(r);
    if (r->at[0] == '=' && r->at[1] == '=') {
        r->at += 2;
        return read_json(r, c);
    }
    if (c->n_steps == 0)
        return bad(r, "an argument's name is missing");
    if (r->at[0] == '!' && r->at[1] == '=') {
        c->negated = true;
        r->at += 2;
    } else if (r->at[0] == '=') {
        r->at++;
    } else {
        return bad(r, "an argument is followed by =, != or ==");
    }
    return read_pattern(r, c);
}

static int read_conditions(struct reader *r, struct er_rule *rule)
{
    skip_space(r);
    if (r->at[0] == '*' && r->at[1] != '*') {
        r->at++;
        skip_space(r);
        return *r->at == ')' ? ERRAND_OK : bad(r, "the ) is missing");
    }
    rule->conditions = calloc(ER_RULE_CONDITIONS, sizeof *rule->conditions);
    if (!rule->conditions)
        return er_nomem(r->err);
    for (;;) {
        if (rule->n == ER_RULE_CONDITIONS)
            return bad(r, "a rule has at most 32 conditions");
        skip_space(r);
        int rc = read_condition(r, &rule->conditions[rule->n++]);
        if (rc != ERRAND_OK)
            return rc;
        skip_space(r);
        if (*r->at == ')')
            return ERRAND_OK;
        if (*r->at != ',')
            return bad(r, "conditions are followed by , or )");
        r->at++;
    }
}

static int read_rule(struct reader *r, struct er_rule *rule)
{
    skip_space(r);
    int rc = read_tool(r, &rule->tool);
    skip_space(r);
    rule->bare = *r->at != '(';
    if (rc == ERRAND_OK && !rule->bare) {
        r->at++;
        rc = read_conditions(r, rule);
        if (rc == ERRAND_OK)
            r->at++;
    }
    if (rc != ERRAND_OK)
        return rc;
    skip_space(r);
    return *r->at ? bad(r, "nothing may follow here") : ERRAND_OK;
}

er_rule *er_rule_parse(const char *text, const struct er_policy_place *place,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    struct reader r = {.text = text, .at = text, .place = place,
        .err = err ? err : &mine};
    size_t len = strlen(text);
    if (len > ER_RULE_MAX) {
        er_fail(err, ERRAND_TOO_LARGE, "a rule of %zu bytes, at most %d are "
            "taken", len, ER_RULE_MAX);
        return NULL;
    }
    if (er_utf8_valid_prefix(text, len) != len) {
        er_fail(err, ERRAND_SYNTAX, "a rule that is no UTF-8 text");
        return NULL;
    }
    er_rule *rule = calloc(1, sizeof *rule);
    if (!rule || !(rule->text = er_strndup(text, len))) {
        free(rule);
        er_nomem(err);
        return NULL;
    }
    rule->place = *place;
    if (read_rule(&r, rule) != ERRAND_OK) {
        er_rule_free(rule);
        return NULL;
    }
    return rule;
}

static void release_condition(struct er_condition *c)
{
    for (size_t i = 0; i < c->n_steps; i++)
        free(c->steps[i].member);
    free(c->steps);
    er_glob_release(&c->glob);
    er_glob_release(&c->path);
    er_glob_release(&c->scheme);
    er_glob_release(&c->host);
    er_glob_release(&c->port);
    er_glob_release(&c->rest);
    free(c->folder);
    free(c->json);
}

void er_rule_free(er_rule *rule)
{
    if (!rule)
        return;
    for (size_t i = 0; i < rule->n; i++)
        release_condition(&rule->conditions[i]);
    free(rule->conditions);
    er_glob_release(&rule->tool);
    free(rule->text);
    free(rule);
}

const char *er_rule_text(const er_rule *rule) { return rule->text; }

bool er_rule_is_bare(const er_rule *rule) { return rule->bare; }

char *er_rule_exact(const char *tool, const json_t *args)
{
    struct er_buf b;
    char *json = er_json_sorted(args);
    er_buf_init(&b, ER_RULE_MAX);
    if (json)
        er_buf_addf(&b, "%s(==%s)", tool, json);
    else
        b.failed = true;
    free(json);
    return er_buf_take(&b, NULL);
}
