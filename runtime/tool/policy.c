/* The lists of rules, and the decision. */
#include "policy.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct er_policy_rule row;
    er_rule *rule;
};

struct er_policy {
    struct er_policy_place place;
    char *cwd, *home;
    const er_policy *base;
    enum er_policy_kind fallback;
    struct entry *list;
    size_t n, room;
};

const char *er_policy_kind_name(enum er_policy_kind kind)
{
    static const char *const names[] = {"deny", "ask", "allow"};
    return names[kind];
}

er_policy *er_policy_new(const struct er_policy_place *place,
    const er_policy *base, struct errand_error *err)
{
    er_policy *p = calloc(1, sizeof *p);
    if (!p) {
        er_nomem(err);
        return NULL;
    }
    p->base = base;
    p->fallback = ER_POLICY_ALLOW;
    p->cwd = er_strdup(place->cwd);
    p->home = er_strdup(place->home);
    p->place = (struct er_policy_place){.cwd = p->cwd, .home = p->home};
    if ((place->cwd && !p->cwd) || (place->home && !p->home)) {
        er_policy_free(p);
        er_nomem(err);
        return NULL;
    }
    return p;
}

void er_policy_free(er_policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        er_rule_free(p->list[i].rule);
    free(p->list);
    free(p->cwd);
    free(p->home);
    free(p);
}

void er_policy_set_default(er_policy *p, enum er_policy_kind kind)
{
    if (kind < p->fallback)
        p->fallback = kind;
}

int er_policy_add(er_policy *p, enum er_policy_kind kind,
    enum er_policy_level level, const char *text, struct errand_error *err)
{
    if (p->n == p->room) {
        size_t room = p->room ? p->room * 2 : 8;
        struct entry *list = realloc(p->list, room * sizeof *list);
        if (!list)
            return er_nomem(err);
        p->list = list;
        p->room = room;
    }
    struct errand_error mine = {0};
    err = err ? err : &mine;
    er_rule *rule = er_rule_parse(text, &p->place, err);
    if (!rule)
        return err->code;
    p->list[p->n++] = (struct entry){.rule = rule,
        .row = {.kind = kind, .level = level, .rule = rule}};
    return ERRAND_OK;
}

bool er_policy_drop(
    er_policy *p, enum er_policy_level level, const char *text)
{
    size_t kept = 0, n = p->n;
    for (size_t i = 0; i < n; i++) {
        struct entry *e = &p->list[i];
        if (e->row.level == level &&
            (!text || strcmp(er_rule_text(e->rule), text) == 0))
            er_rule_free(e->rule);
        else
            p->list[kept++] = *e;
    }
    p->n = kept;
    return kept < n;
}

int er_policy_add_all(er_policy *p, enum er_policy_kind kind,
    enum er_policy_level level, const json_t *texts, const char *what,
    struct errand_error *err)
{
    size_t i;
    json_t *v;
    json_array_foreach(texts, i, v)
    {
        const char *text = json_string_value(v);
        if (!text)
            return er_fail(err, ERRAND_USAGE, "%s: a rule is no text", what);
        int rc = er_policy_add(p, kind, level, text, err);
        if (rc != ERRAND_OK)
            return er_while(err, "%s", what);
    }
    return ERRAND_OK;
}

const struct er_policy_rule *er_policy_at(const er_policy *p, size_t i)
{
    for (; p; p = p->base) {
        if (i < p->n)
            return &p->list[i].row;
        i -= p->n;
    }
    return NULL;
}

/* --------------------------------------------------------------- deciding */

/* The first rule of a kind and level that matches. with: only those with
 * conditions. */
static const struct er_policy_rule *find(const er_policy *p,
    enum er_policy_kind kind, enum er_policy_level level, bool with,
    const struct er_policy_question *q)
{
    for (; p; p = p->base)
        for (size_t i = 0; i < p->n; i++) {
            const struct er_policy_rule *r = &p->list[i].row;
            if (r->kind == kind && r->level == level &&
                !(with && er_rule_is_bare(r->rule)) &&
                er_rule_matches(r->rule, kind, q->tool, q->args))
                return r;
        }
    return NULL;
}

static const struct er_policy_rule *find_deny(
    const er_policy *p, const struct er_policy_question *q)
{
    const struct er_policy_rule *r = NULL;
    for (int level = 0; level < ER_POLICY_LEVELS && !r; level++)
        r = find(p, ER_POLICY_DENY, (enum er_policy_level)level, false, q);
    return r;
}

static enum er_policy_kind fallback_of(
    const er_policy *p, const struct er_policy_question *q)
{
    enum er_policy_kind kind = ER_POLICY_ALLOW;
    bool harmless =
        (q->effect == ERRAND_PURE || q->effect == ERRAND_READ) && !q->egress;
    for (; p && !harmless; p = p->base)
        if (p->fallback < kind)
            kind = p->fallback;
    return kind;
}

struct er_policy_answer er_policy_decide(
    const er_policy *p, const struct er_policy_question *q)
{
    struct er_policy_answer a = {.kind = ER_POLICY_DENY};
    bool risky = q->egress || q->effect == ERRAND_UNSAFE;
    bool taint = q->tainted && risky;
    if ((a.by = find_deny(p, q)))
        return a;
    for (int i = 0; i < ER_POLICY_LEVELS; i++) {
        enum er_policy_level level = (enum er_policy_level)i;
        a.kind = ER_POLICY_ASK;
        if ((a.by = find(p, ER_POLICY_ASK, level, false, q)))
            return a;
        a.kind = ER_POLICY_ALLOW;
        if ((a.by = find(p, ER_POLICY_ALLOW, level, taint, q)))
            return a;
    }
    /* a bare allow does not outweigh the taint, but a default of deny */
    a.kind = fallback_of(p, q);
    for (int i = 0; i < ER_POLICY_LEVELS && taint; i++)
        if (find(p, ER_POLICY_ALLOW, (enum er_policy_level)i, false, q))
            a.kind = ER_POLICY_ALLOW;
    if (taint && a.kind != ER_POLICY_DENY) {
        a.kind = ER_POLICY_ASK;
        a.taint = true;
    }
    return a;
}

void er_policy_say(const struct er_policy_answer *a, char *out, size_t size)
{
    static const char *const levels[] = {
        "an answer in this run", "this request", "an answer for always",
        "errand.lua"};
    if (a->by)
        snprintf(out, size, "the rule %s \"%.160s\" (%s)",
            er_policy_kind_name(a->by->kind), er_rule_text(a->by->rule),
            levels[a->by->level]);
    else if (a->taint)
        snprintf(out, size, "this conversation holds text from outside, and "
            "the tool could act on it or send data out");
    else
        snprintf(out, size, "no rule allows it, and policy.default is %s",
            er_policy_kind_name(a->kind));
    er_text_trim_utf8(out);
}

const struct er_policy_rule *er_policy_hides(
    const er_policy *p, const char *tool)
{
    for (; p; p = p->base)
        for (size_t i = 0; i < p->n; i++) {
            const struct er_policy_rule *r = &p->list[i].row;
            if (r->kind == ER_POLICY_DENY && er_rule_is_bare(r->rule) &&
                er_rule_names(r->rule, tool))
                return r;
        }
    return NULL;
}
