/* The rules of one run, and judging its calls by them. */
#include "agent/consent.h"

#include "base/sha256.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {"deny", "ask", "allow"};

/* --------------------------------------------------------------- settings */

static int add_texts(json_t *policy, const char *key,
    const char *const *texts, struct errand_error *err)
{
    json_t *list = json_array();
    for (size_t i = 0; texts && texts[i]; i++)
        if (json_array_append_new(list, json_string(texts[i])) != 0) {
            json_decref(list);
            return er_fail(err, ERRAND_USAGE,
                "a rule to %s is not UTF-8", key);
        }
    if (json_array_size(list) == 0) {
        json_decref(list);
        return ERRAND_OK;
    }
    return json_object_set_new(policy, key, list) == 0 ? ERRAND_OK
                                                       : er_nomem(err);
}

int er_consent_settings(json_t *settings, const struct errand_request *req,
    struct errand_error *err)
{
    const char *const *lists[] = {req->deny, req->ask, req->allow};
    json_t *policy = json_object();
    int rc = policy ? ERRAND_OK : er_nomem(err);
    for (int i = 0; i < 3 && rc == ERRAND_OK; i++)
        rc = add_texts(policy, keys[i], lists[i], err);
    if (rc == ERRAND_OK && json_object_size(policy) > 0)
        json_object_set(settings, "policy", policy);
    json_decref(policy);
    if (rc == ERRAND_OK && req->on_ask)
        json_object_set_new(settings, "on_ask", json_string(req->on_ask));
    return rc;
}

int er_consent_more(
    json_t *settings, const json_t *policy, struct errand_error *err)
{
    const char *key;
    json_t *v, *mine = json_object_get(settings, "policy");
    if (!json_is_object(policy))
        return er_fail(err, ERRAND_USAGE,
            "policy must be {\"deny\":[...],\"ask\":[...],\"allow\":[...]}");
    if (!mine && json_object_set_new(
                     settings, "policy", (mine = json_object())) != 0)
        return er_nomem(err);
    json_object_foreach((json_t *)policy, key, v)
    {
        json_t *old = json_object_get(mine, key);
        if (strcmp(key, "deny") != 0 && strcmp(key, "ask") != 0 &&
            strcmp(key, "allow") != 0)
            return er_fail(err, ERRAND_USAGE, "unknown member \"%.40s\" of "
                "policy; known are deny, ask, allow", key);
        if ((old ? json_array_extend(old, v)
                 : json_object_set(mine, key, v)) != 0)
            return er_nomem(err);
    }
    return ERRAND_OK;
}

int er_run_read_policy(errand_run *run, struct errand_error *err)
{
    const char *on_ask = er_json_str(run->settings, "on_ask");
    const json_t *policy = json_object_get(run->settings, "policy");
    struct er_policy_place place = {
        .cwd = run->rt->cwd, .home = getenv("HOME")};
    if (on_ask && strcmp(on_ask, "deny") != 0 && strcmp(on_ask, "wait") != 0)
        return er_fail(err, ERRAND_USAGE,
            "on_ask is \"%.40s\"; it must be deny or wait", on_ask);
    run->wait_asks = on_ask && strcmp(on_ask, "wait") == 0;
    run->policy = er_policy_new(&place, run->rt->policy, err);
    if (!run->policy)
        return err->code;
    for (int i = 0; i < 3; i++) {
        int rc = er_policy_add_all(run->policy, (enum er_policy_kind)i,
            ER_POLICY_FLAG, json_object_get(policy, keys[i]), keys[i], err);
        if (rc == ERRAND_SYNTAX)
            err->code = rc = ERRAND_USAGE;
        if (rc != ERRAND_OK)
            return rc;
    }
    return er_consent_need(run->rt, err);
}

int er_consent_hidden(
    const er_policy *policy, const char *tool, struct errand_error *err)
{
    char why[300];
    struct er_policy_answer a = {
        .kind = ER_POLICY_DENY, .by = er_policy_hides(policy, tool)};
    er_policy_say(&a, why, sizeof why);
    return er_fail(err, ERRAND_DENIED,
        "the tool %.64s is denied by %s; leave it out of -t", tool, why);
}

/* --------------------------------------------------------------- judging */

/* What an approval is about: the tool as it is, and the arguments. */
static void digest(struct run_call *c)
{
    const struct er_tool *t = c->tool;
    char *parameters = er_json_sorted(t->parameters);
    char *permissions =
        t->permissions ? er_json_sorted(t->permissions) : NULL;
    char effect[16];
    const char *parts[] = {t->name, t->version ? t->version : "", effect,
        parameters ? parameters : "", permissions ? permissions : "",
        c->arguments};
    struct er_sha256 s;
    unsigned char out[32];
    snprintf(effect, sizeof effect, "%d", (int)t->effect);
    er_sha256_init(&s);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        er_sha256_add(&s, parts[i], strlen(parts[i]) + 1);
    er_sha256_end(&s, out);
    er_hex(out, sizeof out, c->about);
    free(parameters);
    free(permissions);
}

static struct er_policy_answer decide(const struct run_call *c)
{
    if (c->run->is_confirm) /* that is what it is for */
        return (struct er_policy_answer){.kind = ER_POLICY_ASK};
    struct er_policy_question q = {.tool = c->name,
        .effect = c->effect,
        .egress = er_consent_sends(c->tool),
        .tainted = c->run->tainted,
        .args = c->args};
    return er_policy_decide(c->run->policy, &q);
}

static void keep_why(struct run_call *c, const struct er_policy_answer *a)
{
    char why[400] = "the agent's script";
    if (!c->run->is_confirm)
        er_policy_say(a, why, sizeof why);
    free(c->why);
    c->why = er_strdup(why);
}

/* What the model reads of a call that is not run. */
static void say_denied(struct er_buf *b, const struct run_call *c,
    const struct er_policy_answer *a)
{
    er_buf_init(b, 1024);
    if (a->kind == ER_POLICY_DENY)
        er_buf_addf(b, "error: this call was not run: %s forbids it. Do not "
            "try to reach the same in another way; say that it is not "
            "allowed, or go on without it.", c->why ? c->why : "the policy");
    else
        er_buf_addf(b, "error: this call was not run: it needs a person's "
            "approval (%s), and nobody can be asked here. Say what you "
            "wanted to do, or go on without it.",
            c->why ? c->why : "the policy");
}

int er_run_judge(struct run_call *c, struct errand_error *err)
{
    struct er_policy_answer a = decide(c);
    if (a.kind == ER_POLICY_ALLOW)
        return ERRAND_OK;
    keep_why(c, &a);
    if (a.kind == ER_POLICY_ASK &&
        (c->run->on_approval || c->run->wait_asks)) {
        digest(c);
        c->state = ER_CALL_WAITING;
        return c->why ? ERRAND_OK : er_nomem(err);
    }
    struct er_buf text;
    say_denied(&text, c, &a);
    int rc = er_run_refuse(c, ER_CALL_DENIED, er_buf_str(&text), err);
    er_buf_release(&text);
    return rc;
}

/* ------------------------------------------------- calls from the store */

static void deny_again(
    struct run_call *c, const struct er_policy_answer *a)
{
    struct er_buf text;
    say_denied(&text, c, a);
    er_run_finish_call(
        c, ER_CALL_DENIED, er_buf_str(&text), text.len, c->why);
    er_buf_release(&text);
}

/* Let it wait (again). What it waits for changes only through planned. */
static void wait_again(struct run_call *c, const struct er_call_row *row)
{
    bool same = row->about && strcmp(row->about, c->about) == 0;
    if (c->state == ER_CALL_WAITING && same)
        return;
    if (c->state == ER_CALL_WAITING) {
        c->state = ER_CALL_PLANNED;
        er_run_store_call(c, NULL);
    }
    c->state = ER_CALL_WAITING;
    er_run_store_call(c, NULL);
}

void er_run_judge_again(struct run_call *c, const struct er_call_row *row)
{
    bool yes = row->decision && strcmp(row->decision, "no") != 0;
    if ((c->state != ER_CALL_PLANNED && c->state != ER_CALL_WAITING) ||
        !c->tool)
        return;
    struct er_policy_answer a = decide(c);
    digest(c);
    if (a.kind == ER_POLICY_ASK && yes && c->state == ER_CALL_PLANNED &&
        row->about && strcmp(row->about, c->about) == 0)
        a.kind = ER_POLICY_ALLOW; /* approved: exactly this */
    if (a.kind != ER_POLICY_ALLOW)
        keep_why(c, &a);
    bool may_wait = c->run->on_approval || c->run->wait_asks ||
                    c->state == ER_CALL_WAITING || yes;
    if (a.kind == ER_POLICY_ASK && may_wait) {
        wait_again(c, row);
    } else if (a.kind != ER_POLICY_ALLOW) {
        deny_again(c, &a);
    } else if (c->state == ER_CALL_WAITING) {
        c->state = ER_CALL_PLANNED;
        er_run_store_call(c, NULL);
    }
}

/* A whole tool for the rest of the run. */
static void allow_tool(errand_run *run, const char *tool)
{
    char rule[80];
    struct errand_error err = {0};
    snprintf(rule, sizeof rule, "%.64s(*)", tool);
    if (er_policy_add(run->policy, ER_POLICY_ALLOW, ER_POLICY_ANSWER, rule,
            &err) != ERRAND_OK)
        er_log(&run->rt->log, ERRAND_LOG_WARN, "%s", err.msg);
}

static bool is_external_row(const struct er_message_row *m)
{
    if (strcmp(m->role, "tool") != 0 || !strstr(m->content, "\"trust\""))
        return false;
    json_t *v = er_json_parse(
        m->content, strlen(m->content), ER_JSON_LENIENT, NULL);
    bool external = er_consent_is_external(v);
    json_decref(v);
    return external;
}

void er_run_take_consent(
    errand_run *run, const struct er_loaded *l, bool open)
{
    int64_t last = INT64_MAX;
    if (open && l->n_calls > 0)
        last = l->calls[l->n_calls - 1].asst_seq;
    for (size_t i = 0; i < l->n_messages; i++)
        if (l->messages[i].seq <= last && is_external_row(&l->messages[i]))
            run->tainted = true;
    for (size_t i = 0; i < l->n_calls; i++)
        if (l->calls[i].decision && strcmp(l->calls[i].decision, "run") == 0)
            allow_tool(run, l->calls[i].tool);
}
