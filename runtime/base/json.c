/* Parsing with the decided answers of json.h, over jansson. */
#include "json.h"

#include "json_repair.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

/* Offset at which nesting exceeds the limit, or SIZE_MAX. */
static size_t too_deep_at(const char *s, size_t len)
{
    size_t depth = 0;
    bool in_string = false;
    if (len < 2 * ER_JSON_DEPTH) /* too short to hold so many pairs */
        return SIZE_MAX;
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > ER_JSON_DEPTH)
                return i;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return SIZE_MAX;
}

/* jansson says what is wrong with a text; where it says nothing, an
 * allocation failed. */
static void fail_parse(const json_error_t *je, struct errand_error *err)
{
    const char *hint = "";
    if (!je->text[0]) {
        er_nomem(err);
        return;
    }
    switch (json_error_code(je)) {
    case json_error_numeric_overflow:
        hint = "; a number does not fit, write it as a string";
        break;
    case json_error_duplicate_key:
        hint = "; a key stands twice in one object";
        break;
    case json_error_null_byte_in_key:
        hint = "; a key holds \\u0000";
        break;
    case json_error_out_of_memory:
        er_nomem(err);
        return;
    default:
        break;
    }
    er_fail(err, ERRAND_SYNTAX, "not valid JSON at byte %d: %.120s%s",
        je->position, je->text, hint);
    if (err)
        err->at = je->position;
}

static json_t *parse_repaired(
    const char *text, size_t len, size_t flags, json_error_t *je)
{
    struct er_buf fixed;
    er_buf_init(&fixed, len > SIZE_MAX / 4 ? SIZE_MAX - 1 : len * 3 + 16);
    json_t *value = NULL;
    *je = (json_error_t){0};
    if (er_json_repair(&fixed, text, len))
        value = json_loadb(er_buf_str(&fixed), fixed.len, flags, je);
    er_buf_release(&fixed);
    return value;
}

json_t *er_json_parse(const char *text, size_t len, enum er_json_mode mode,
    struct errand_error *err)
{
    size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    if (mode == ER_JSON_STRICT)
        flags |= JSON_REJECT_DUPLICATES;
    size_t deep = too_deep_at(text, len);
    if (deep != SIZE_MAX) {
        er_fail(err, ERRAND_SYNTAX,
            "not valid JSON at byte %zu: nested deeper than %d", deep,
            ER_JSON_DEPTH);
        if (err)
            err->at = (int64_t)deep;
        return NULL;
    }
    json_error_t je = {0};
    json_t *value = json_loadb(text, len, flags, &je);
    if (!value && mode == ER_JSON_LENIENT)
        value = parse_repaired(text, len, flags, &je);
    if (!value)
        fail_parse(&je, err);
    return value;
}

const char *er_json_str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

json_int_t er_json_int(
    const json_t *object, const char *key, json_int_t fallback)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_integer(v))
        return json_integer_value(v);
    if (json_is_real(v)) {
        double d = json_real_value(v);
        if (d >= -9007199254740992.0 && d <= 9007199254740992.0 &&
            d == (double)(json_int_t)d)
            return (json_int_t)d;
    }
    return fallback;
}
