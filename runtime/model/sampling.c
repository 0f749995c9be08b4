/* Sampling parameters: the ranges and defaults of the model page. */
#include "model/model.h"

#include <stdio.h>
#include <string.h>

void er_sampling_defaults(struct er_sampling *s)
{
    *s = (struct er_sampling){.max_tokens = 256, .temperature = 0.6,
        .top_p = -1, .top_k = -1, .repetition_penalty = -1,
        .frequency_penalty = -1, .presence_penalty = -1};
}

struct range {
    const char *name;
    int64_t low, high;
    size_t at; /* of the field */
    bool integer;
    int none; /* the field's value for "not given" */
};

#define FIELD(name) #name, .at = offsetof(struct er_sampling, name)
static const struct range ranges[] = {
    {FIELD(max_tokens), .low = 1, .high = INT32_MAX, .integer = true,
        .none = -1},
    {FIELD(temperature), .low = 0, .high = 5, .none = -1},
    {FIELD(top_p), .low = 0, .high = 2, .none = -1},
    {FIELD(top_k), .low = 1, .high = 50, .integer = true, .none = -1},
    {FIELD(logprobs), .low = 1, .high = 20, .integer = true},
    {FIELD(seed), .low = 1, .high = 9999999999, .integer = true},
    {FIELD(repetition_penalty), .low = 0, .high = 2, .none = -1},
    {FIELD(frequency_penalty), .low = 0, .high = 2, .none = -1},
    {FIELD(presence_penalty), .low = 0, .high = 2, .none = -1},
};
#undef FIELD

static void store(
    const struct range *r, struct er_sampling *s, double real, int64_t whole)
{
    char *field = (char *)s + r->at;
    if (r->integer)
        memcpy(field, &whole, sizeof whole);
    else
        memcpy(field, &real, sizeof real);
}

static int parse_number(const struct range *r, const json_t *value,
    struct er_sampling *s, struct errand_error *err)
{
    if (json_is_null(value)) {
        store(r, s, r->none, r->none);
        return ERRAND_OK;
    }
    if (!json_is_number(value))
        return er_fail(err, ERRAND_USAGE, "%s must be %s from %lld to %lld",
            r->name, r->integer ? "an integer" : "a number",
            (long long)r->low, (long long)r->high);
    double d = json_number_value(value);
    char text[32];
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT,
            json_integer_value(value));
    else
        snprintf(text, sizeof text, "%g", d);
    bool inside = d >= (double)r->low && d <= (double)r->high;
    int64_t whole = inside ? (int64_t)d : 0;
    if (!inside)
        return er_fail(err, ERRAND_RANGE,
            "%s is %s; it must be from %lld to %lld", r->name, text,
            (long long)r->low, (long long)r->high);
    if (r->integer && (double)whole != d)
        return er_fail(err, ERRAND_RANGE,
            "%s is %s; it must be an integer from %lld to %lld", r->name,
            text, (long long)r->low, (long long)r->high);
    store(r, s, d, whole);
    return ERRAND_OK;
}

static int parse_lora(
    const json_t *value, struct er_sampling *s, struct errand_error *err)
{
    const char *name = json_is_null(value) ? "" : json_string_value(value);
    if (!name)
        return er_fail(err, ERRAND_USAGE, "lora must be a text");
    if (strlen(name) >= sizeof s->lora)
        return er_fail(err, ERRAND_RANGE,
            "lora has %zu bytes; it may have at most %zu", strlen(name),
            sizeof s->lora - 1);
    strncpy(s->lora, name, sizeof s->lora - 1);
    s->lora[sizeof s->lora - 1] = '\0';
    return ERRAND_OK;
}

static int add_stop(const json_t *value, struct er_sampling *s, size_t i,
    struct errand_error *err)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    if (!text || len == 0 || len >= ER_STOP_SIZE || strlen(text) != len)
        return er_fail(err, ERRAND_USAGE,
            "stop must be a text of 1 to %d bytes, or a list of them",
            ER_STOP_SIZE - 1);
    if (i == ER_STOPS)
        return er_fail(err, ERRAND_RANGE,
            "stop has more than %d texts, which is its limit", ER_STOPS);
    memcpy(s->stop[i], text, len + 1);
    return ERRAND_OK;
}

static int parse_stop(
    const json_t *value, struct er_sampling *s, struct errand_error *err)
{
    size_t i;
    json_t *v;
    memset(s->stop, 0, sizeof s->stop);
    if (json_is_null(value))
        return ERRAND_OK;
    if (!json_is_array(value))
        return add_stop(value, s, 0, err);
    json_array_foreach((json_t *)value, i, v)
    {
        int rc = add_stop(v, s, i, err);
        if (rc != ERRAND_OK)
            return rc;
    }
    return ERRAND_OK;
}

static int parse_raw(
    const json_t *value, struct er_sampling *s, struct errand_error *err)
{
    if (!json_is_boolean(value) && !json_is_null(value))
        return er_fail(err, ERRAND_USAGE, "raw must be true or false");
    s->raw = json_is_true(value);
    return ERRAND_OK;
}

static int parse_one(const char *name, const json_t *value,
    struct er_sampling *s, struct errand_error *err)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (strcmp(ranges[i].name, name) == 0)
            return parse_number(&ranges[i], value, s, err);
    if (strcmp(name, "raw") == 0)
        return parse_raw(value, s, err);
    if (strcmp(name, "lora") == 0)
        return parse_lora(value, s, err);
    if (strcmp(name, "stop") == 0)
        return parse_stop(value, s, err);
    return er_fail(err, ERRAND_USAGE,
        "there is no parameter \"%.40s\"; there are max_tokens, "
        "temperature, top_p, top_k, seed, repetition_penalty, "
        "frequency_penalty, presence_penalty, stop, logprobs, raw and lora",
        name);
}

int er_sampling_parse(
    const json_t *object, struct er_sampling *s, struct errand_error *err)
{
    struct er_sampling read = *s;
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return er_fail(err, ERRAND_USAGE, "parameters must be a JSON object");
    json_object_foreach((json_t *)object, name, value)
    {
        int code = parse_one(name, value, &read, err);
        if (code != ERRAND_OK)
            return code;
    }
    *s = read;
    return ERRAND_OK;
}
