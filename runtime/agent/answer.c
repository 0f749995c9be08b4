/* Peeling, parsing, checking of a structured answer. */
#include "answer.h"

#include "base/json.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void trim(const char **s, size_t *len)
{
    while (*len > 0 && is_space(**s)) {
        (*s)++;
        (*len)--;
    }
    while (*len > 0 && is_space((*s)[*len - 1]))
        (*len)--;
}

/* Take a Markdown fence off, if the whole text stands in one. */
static void peel(const char **s, size_t *len)
{
    trim(s, len);
    if (*len < 6 || memcmp(*s, "```", 3) != 0 ||
        memcmp(*s + *len - 3, "```", 3) != 0)
        return;
    const char *line = memchr(*s, '\n', *len);
    if (!line)
        return;
    size_t head = (size_t)(line + 1 - *s);
    if (head + 3 > *len)
        return;
    *s += head;
    *len -= head + 3;
    trim(s, len);
}

static void say_errors(struct er_buf *out, const json_t *errors)
{
    size_t i;
    json_t *e;
    er_buf_adds(out, "Your answer does not fit the required JSON Schema:");
    json_array_foreach(errors, i, e)
    {
        const char *path = er_json_str(e, "path");
        const char *message = er_json_str(e, "message");
        er_buf_addf(out, "\n- %.100s: %.300s",
            path && path[0] ? path : "(whole answer)",
            message ? message : "");
    }
    er_buf_adds(out, "\nAnswer again with the corrected JSON alone.");
}

char *er_answer_check(const er_schema *schema, const char *text, size_t len,
    struct er_buf *problem)
{
    struct errand_error err = {0};
    char *answer = NULL;
    peel(&text, &len);
    json_t *v = er_json_parse(text, len, ER_JSON_STRICT, &err);
    if (!v) {
        er_buf_addf(problem,
            "Your answer is %s. Answer again with JSON alone that fits the "
            "required JSON Schema.", err.msg);
        return NULL;
    }
    json_t *errors = json_array();
    er_schema_coerce(schema, &v);
    if (er_schema_check(schema, v, errors, 8))
        answer = er_json_text(v);
    else
        say_errors(problem, errors);
    json_decref(errors);
    json_decref(v);
    return answer;
}
