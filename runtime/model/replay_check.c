/* Recordings are also written by hand, so every line is checked when it is
 * read, and what a person may leave out is filled in: the end of the events,
 * arguments as an object, the fingerprint, the model. */
#include "model/replay_check.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum kind { TEXT, WHOLE, NAME, ARGUMENTS, OBJECT, FINISH, CODE };

struct field {
    const char *key;
    enum kind kind;
    bool needed;
};

struct event_form {
    const char *type;
    struct field fields[5];
};

static const struct event_form forms[] = {
    {"text", {{"text", TEXT, true}}},
    {"reasoning", {{"text", TEXT, true}}},
    {"call",
        {{"name", TEXT, true}, {"arguments", ARGUMENTS, false},
            {"id", NAME, false}}},
    {"usage",
        {{"prompt_tokens", WHOLE, false},
            {"completion_tokens", WHOLE, false},
            {"cached_tokens", WHOLE, false},
            {"reasoning_tokens", WHOLE, false}}},
    {"done", {{"finish", FINISH, true}, {"extra", OBJECT, false}}},
    {"error",
        {{"code", CODE, true}, {"message", TEXT, true},
            {"detail", WHOLE, false}}},
};

enum { FIELDS = sizeof forms[0].fields / sizeof forms[0].fields[0] };

int er_replay_finish(const char *name)
{
    static const char *const names[] = {"stop", "calls", "length", "filter"};
    for (int i = 0; name && i < 4; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

int er_replay_code(const char *name)
{
    for (int i = ERRAND_OK + 1; name && i <= ERRAND_BUG; i++) {
        if (strcmp(errand_code_name(i), name) == 0)
            return i;
    }
    return -1;
}

static const char *misfit(enum kind kind, const json_t *v)
{
    const char *s = json_string_value(v);
    bool plain = s && strlen(s) == json_string_length(v);
    switch (kind) {
    case TEXT:
        return s ? NULL : "a text";
    case NAME:
        return plain && *s ? NULL : "a text that is not empty";
    case WHOLE:
        return json_is_integer(v) ? NULL : "a whole number";
    case ARGUMENTS:
        return s || json_is_object(v) ? NULL : "a text or an object";
    case OBJECT:
        return json_is_object(v) ? NULL : "an object";
    case FINISH:
        return er_replay_finish(s) >= 0 ? NULL
                                        : "stop, calls, length or filter";
    default:
        return er_replay_code(s) >= 0 ? NULL
                                      : "the name of an error, as PROVIDER";
    }
}

static int check_fields(const struct event_form *form, json_t *ev,
    struct errand_error *err)
{
    size_t known = 1; /* type */
    for (int i = 0; i < FIELDS && form->fields[i].key; i++) {
        const struct field *f = &form->fields[i];
        const json_t *v = json_object_get(ev, f->key);
        if (!v && f->needed)
            return er_fail(err, ERRAND_SYNTAX, "a %s event needs \"%s\"",
                form->type, f->key);
        const char *want = v ? misfit(f->kind, v) : NULL;
        if (want)
            return er_fail(err, ERRAND_SYNTAX,
                "\"%s\" of a %s event must be %s", f->key, form->type,
                want);
        known += v != NULL;
    }
    if (known == json_object_size(ev))
        return ERRAND_OK;
    return er_fail(err, ERRAND_SYNTAX,
        "a %s event has a member that it cannot have (docs/recordings.md)",
        form->type);
}

static int arguments_as_text(json_t *ev, struct errand_error *err)
{
    const json_t *v = json_object_get(ev, "arguments");
    if (json_is_string(v))
        return ERRAND_OK;
    char *text = v ? er_json_text(v) : er_strdup("{}");
    json_t *s = text ? json_string(text) : NULL;
    free(text);
    if (json_object_set_new(ev, "arguments", s) != 0)
        return er_nomem(err);
    return ERRAND_OK;
}

static int check_event(json_t *ev, struct errand_error *err)
{
    const char *type = er_json_str(ev, "type");
    if (!type)
        return er_fail(
            err, ERRAND_SYNTAX, "an event must be an object with \"type\"");
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(forms[i].type, type) != 0)
            continue;
        int rc = check_fields(&forms[i], ev, err);
        if (rc == ERRAND_OK && strcmp(type, "call") == 0)
            rc = arguments_as_text(ev, err);
        return rc;
    }
    return er_fail(err, ERRAND_SYNTAX,
        "no event has the type '%.40s'; known: text, reasoning, call, "
        "usage, done, error",
        type);
}

static bool is_end(const json_t *ev)
{
    const char *type = er_json_str(ev, "type");
    return strcmp(type, "done") == 0 || strcmp(type, "error") == 0;
}

static int check_events(json_t *events, struct errand_error *err)
{
    size_t n = json_array_size(events);
    bool calls = false, ended = false;
    if (!json_is_array(events))
        return er_fail(err, ERRAND_SYNTAX,
            "a line needs \"events\", a list (docs/recordings.md)");
    for (size_t i = 0; i < n; i++) {
        json_t *ev = json_array_get(events, i);
        int rc = check_event(ev, err);
        if (rc != ERRAND_OK)
            return rc;
        if (ended)
            return er_fail(err, ERRAND_SYNTAX,
                "there are events behind done or error");
        ended = is_end(ev);
        calls |= strcmp(er_json_str(ev, "type"), "call") == 0;
    }
    if (ended)
        return ERRAND_OK;
    json_t *done = json_pack("{s:s,s:s}", "type", "done", "finish",
        calls ? "calls" : "stop");
    if (json_array_append_new(events, done) != 0)
        return er_nomem(err);
    return ERRAND_OK;
}

static int check_whole(
    const json_t *line, const char *key, int64_t *out, struct errand_error *err)
{
    const json_t *v = json_object_get(line, key);
    if (v && (!json_is_integer(v) || json_integer_value(v) < 0 ||
                 json_integer_value(v) > 1000000000))
        return er_fail(
            err, ERRAND_SYNTAX, "\"%s\" must be a number from 0", key);
    *out = json_integer_value(v);
    return ERRAND_OK;
}

static int check_keys(const json_t *line, struct errand_error *err)
{
    static const char *const known[] = {"model", "fingerprint", "turn",
        "events", "delay_ms", "note"};
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)line, key, v)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            found |= strcmp(known[i], key) == 0;
        if (!found)
            return er_fail(err, ERRAND_SYNTAX,
                "unknown key '%.40s'; known: model fingerprint turn events "
                "delay_ms note",
                key);
    }
    return ERRAND_OK;
}

static int check_line(json_t *line, struct er_shot *s, json_t **print,
    struct errand_error *err)
{
    if (!json_is_object(line))
        return er_fail(
            err, ERRAND_SYNTAX, "a line must be a JSON object");
    int rc = check_keys(line, err);
    if (rc == ERRAND_OK)
        rc = check_whole(line, "turn", &s->turn, err);
    if (rc == ERRAND_OK)
        rc = check_whole(line, "delay_ms", &s->delay_ms, err);
    json_t *p = json_object_get(line, "fingerprint");
    if (rc == ERRAND_OK && p && json_string_length(p) != 64)
        rc = er_fail(err, ERRAND_SYNTAX,
            "\"fingerprint\" must be 64 hexadecimal digits; leave it out "
            "to answer by turn");
    json_t *events = json_object_get(line, "events");
    if (rc == ERRAND_OK)
        rc = check_events(events, err);
    if (rc != ERRAND_OK)
        return rc;
    s->events = json_incref(events);
    *print = p ? json_incref(p) : NULL;
    return ERRAND_OK;
}

int er_replay_check(const char *text, size_t len, struct er_shot *s,
    json_t **print, struct errand_error *err)
{
    json_t *line = er_json_parse(text, len, ER_JSON_LENIENT, err);
    if (!line)
        return err ? err->code : ERRAND_SYNTAX;
    int rc = check_line(line, s, print, err);
    json_decref(line);
    return rc;
}
