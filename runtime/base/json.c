/* Small questions to jansson's values. */
#include "json.h"

#include <string.h>

bool er_json_putn(
    json_t *object, const char *key, const char *text, size_t len)
{
    return json_object_set_new_nocheck(
               object, key, json_stringn_nocheck(text, len)) == 0;
}

bool er_json_put(json_t *object, const char *key, const char *text)
{
    return er_json_putn(object, key, text, strlen(text));
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
