/* Reading the command line against a command's tables. */
#include "options.h"

#include "base/text.h"
#include "commands.h"
#include "similar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct parse {
    const struct er_command *cmd;
    struct er_args *args;
    int argc;
    char **argv;
    int i; /* argument under way */
    struct errand_error *err;
};

void er_args_init(struct er_args *args)
{
    *args = (struct er_args){.at = -1, .prefix_bytes = -1};
}

void er_options_each(const struct er_command *cmd,
    bool (*fn)(void *ctx, const struct er_opt *opt), void *ctx)
{
    for (size_t g = 0; g < ER_COMMAND_GROUPS && cmd->groups[g]; g++)
        for (const struct er_opt *o = cmd->groups[g]->options; o->name; o++)
            if (!fn(ctx, o))
                return;
}

/* ------------------------------------------------------- finding a row */

struct find {
    const char *name; /* not NUL-terminated where a '=' follows */
    size_t len;
    char letter;
    const struct er_opt *found;
    bool opposite; /* found, but as --no-x of x or --x of no-x */
};

static bool same(const char *name, const struct find *f)
{
    return strlen(name) == f->len && memcmp(name, f->name, f->len) == 0;
}

/* True if f names the flag o with "no-" added or taken away. */
static bool is_opposite(const struct er_opt *o, const struct find *f)
{
    if (o->kind != ER_OPT_FLAG)
        return false;
    if (er_starts_with(o->name, "no-"))
        return same(o->name + 3, f);
    return f->len > 3 && memcmp(f->name, "no-", 3) == 0 &&
           strlen(o->name) == f->len - 3 &&
           memcmp(o->name, f->name + 3, f->len - 3) == 0;
}

static bool match(void *ctx, const struct er_opt *o)
{
    struct find *f = ctx;
    if (f->letter ? o->letter == f->letter : same(o->name, f)) {
        f->found = o;
        f->opposite = false;
        return false;
    }
    if (!f->letter && !f->found && is_opposite(o, f)) {
        f->found = o;
        f->opposite = true; /* an exact name may still follow */
    }
    return true;
}

static bool offer(void *ctx, const struct er_opt *o)
{
    er_similar_offer(ctx, o->name);
    return true;
}

static int unknown_long(struct parse *p, const char *name, size_t len)
{
    char wrong[65] = "";
    memcpy(wrong, name, len < sizeof wrong ? len : sizeof wrong - 1);
    struct er_similar s;
    er_similar_init(&s, wrong);
    er_options_each(p->cmd, offer, &s);
    const char *best = er_similar_best(&s);
    if (best)
        return er_fail(p->err, ERRAND_USAGE,
            "%s has no option --%s; did you mean --%s?", p->cmd->name, wrong,
            best);
    return er_fail(p->err, ERRAND_USAGE,
        "%s has no option --%s; errand help %s lists those it has, and -- in "
        "front of a word makes it text", p->cmd->name, wrong, p->cmd->name);
}

static int unknown_letter(struct parse *p, char letter)
{
    unsigned char c = (unsigned char)letter;
    if (c < 0x21 || c > 0x7E)
        return er_fail(p->err, ERRAND_USAGE,
            "%s has no such option: %.40s; errand help %s lists those it has",
            p->cmd->name, p->argv[p->i], p->cmd->name);
    return er_fail(p->err, ERRAND_USAGE,
        "%s has no option -%c; errand help %s lists those it has, and -- in "
        "front of a word makes it text", p->cmd->name, letter, p->cmd->name);
}

/* ------------------------------------------------------ storing a value */

static int set_int(struct parse *p, const struct er_opt *o, const char *v)
{
    char *end = NULL;
    errno = 0;
    long long n = strtoll(v, &end, 10);
    if (end == v || *end || errno || n < o->min || n > o->max)
        return er_fail(p->err, ERRAND_RANGE,
            "--%s must be a whole number from %lld to %lld, not \"%.60s\"",
            o->name, (long long)o->min, (long long)o->max, v);
    int64_t *slot = (int64_t *)(void *)((char *)p->args + o->offset);
    *slot = n;
    return ERRAND_OK;
}

static int set_real(struct parse *p, const struct er_opt *o, const char *v)
{
    char *end = NULL;
    double d = strtod(v, &end);
    if (end == v || *end || !isfinite(d) || d <= 0)
        return er_fail(p->err, ERRAND_RANGE,
            "--%s must be a number above 0, as 0.5, not \"%.60s\"", o->name,
            v);
    double *slot = (double *)(void *)((char *)p->args + o->offset);
    *slot = d;
    return ERRAND_OK;
}

static int set_choice(struct parse *p, const struct er_opt *o, const char *v)
{
    struct er_similar s;
    char names[160] = "";
    const char **slot = (const char **)(void *)((char *)p->args + o->offset);
    memcpy(names, o->arg,
        strlen(o->arg) < sizeof names ? strlen(o->arg) : sizeof names - 1);
    er_similar_init(&s, v);
    char *rest = names;
    for (char *name; (name = strsep(&rest, "|"));) {
        if (strcmp(name, v) == 0) {
            *slot = v;
            return ERRAND_OK;
        }
        er_similar_offer(&s, name);
    }
    const char *best = er_similar_best(&s);
    return er_fail(p->err, ERRAND_USAGE,
        "--%s must be one of %s, not \"%.40s\"%s%s%s", o->name, o->arg, v,
        best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
}

static int set_list(struct parse *p, const struct er_opt *o, const char *v)
{
    struct er_list *list =
        (struct er_list *)(void *)((char *)p->args + o->offset);
    if (list->n == ER_LIST_MAX)
        return er_fail(p->err, ERRAND_USAGE,
            "--%s was given more than %d times; this is its limit", o->name,
            ER_LIST_MAX);
    list->v[list->n++] = v;
    return ERRAND_OK;
}

static int set_value(struct parse *p, const struct er_opt *o, const char *v)
{
    switch (o->kind) {
    case ER_OPT_INT: return set_int(p, o, v);
    case ER_OPT_REAL: return set_real(p, o, v);
    case ER_OPT_CHOICE: return set_choice(p, o, v);
    case ER_OPT_LIST:
    case ER_OPT_FILES: return set_list(p, o, v);
    case ER_OPT_TEXT:
    case ER_OPT_FILE:
    case ER_OPT_FLAG: break;
    }
    const char **slot = (const char **)(void *)((char *)p->args + o->offset);
    *slot = v;
    return ERRAND_OK;
}

static void set_flag(struct parse *p, const struct er_opt *o, int value)
{
    int *slot = (int *)(void *)((char *)p->args + o->offset);
    *slot = value;
}

/* The value that follows in the next argument. */
static int next_value(struct parse *p, const struct er_opt *o, const char **v)
{
    if (p->i + 1 >= p->argc)
        return er_fail(p->err, ERRAND_USAGE,
            "--%s needs a value: --%s %s", o->name, o->name, o->arg);
    *v = p->argv[++p->i];
    return ERRAND_OK;
}

/* ------------------------------------------------------------- arguments */

static int parse_long(struct parse *p, const char *text)
{
    struct find f = {.name = text, .len = strcspn(text, "=")};
    er_options_each(p->cmd, match, &f);
    const char *value = text[f.len] == '=' ? text + f.len + 1 : NULL;
    if (!f.found)
        return unknown_long(p, text, f.len);
    if (f.found->kind == ER_OPT_FLAG) {
        if (value)
            return er_fail(p->err, ERRAND_USAGE,
                "--%.*s takes no value, but got \"%.60s\"", (int)f.len, text,
                value);
        set_flag(p, f.found, !f.opposite);
        return ERRAND_OK;
    }
    if (!value) {
        int code = next_value(p, f.found, &value);
        if (code)
            return code;
    }
    return set_value(p, f.found, value);
}

/* One argument of short options: -vq, -mNAME, -m NAME. */
static int parse_short(struct parse *p, const char *letters)
{
    for (; *letters; letters++) {
        struct find f = {.letter = *letters};
        er_options_each(p->cmd, match, &f);
        if (!f.found)
            return unknown_letter(p, *letters);
        if (f.found->kind == ER_OPT_FLAG) {
            set_flag(p, f.found, 1);
            continue;
        }
        const char *value = letters + 1;
        if (!*value) {
            int code = next_value(p, f.found, &value);
            if (code)
                return code;
        }
        return set_value(p, f.found, value);
    }
    return ERRAND_OK;
}

int er_options_parse(const struct er_command *cmd, int argc, char **argv,
    struct er_args *args, int *n_words, struct errand_error *err)
{
    struct parse p = {
        .cmd = cmd, .args = args, .argc = argc, .argv = argv, .err = err};
    bool words_only = false;
    *n_words = 0;
    for (; p.i < argc; p.i++) {
        char *a = argv[p.i];
        int code = ERRAND_OK;
        if (words_only || a[0] != '-' || !a[1])
            argv[(*n_words)++] = a;
        else if (strcmp(a, "--") == 0)
            words_only = true;
        else
            code = a[1] == '-' ? parse_long(&p, a + 2)
                               : parse_short(&p, a + 1);
        if (code)
            return code;
    }
    return ERRAND_OK;
}
