/* Hiding secrets in place: the mark is never longer than a secret. */
#define _GNU_SOURCE /* memmem */
#include "base/secret.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char mark[] = "***";
#define MARK_LEN (sizeof mark - 1)

_Static_assert(sizeof mark - 1 < (size_t)ER_SECRET_IN_ERRORS,
    "hiding never grows a text");

void er_secrets_release(struct er_secrets *s)
{
    for (size_t i = 0; i < s->count; i++) {
        explicit_bzero(s->values[i], strlen(s->values[i]));
        free(s->values[i]);
    }
    free(s->values);
    *s = (struct er_secrets){0};
}

bool er_secrets_add(struct er_secrets *s, const char *value, size_t len)
{
    if (len < ER_SECRET_IN_ERRORS)
        return true;
    for (size_t i = 0; i < s->count; i++) {
        if (strlen(s->values[i]) == len &&
            memcmp(s->values[i], value, len) == 0)
            return true;
    }
    char **grown = realloc(s->values, (s->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    s->values = grown;
    s->values[s->count] = er_strndup(value, len);
    if (!s->values[s->count])
        return false;
    s->count++;
    return true;
}

static size_t hide_one(
    const char *secret, size_t n, char *text, size_t len)
{
    char *first = memmem(text, len, secret, n);
    if (!first) /* the usual case, at the speed of memory */
        return len;
    size_t from = (size_t)(first - text), to = from;
    while (from < len) {
        if (len - from >= n && memcmp(text + from, secret, n) == 0) {
            memcpy(text + to, mark, MARK_LEN);
            to += MARK_LEN;
            from += n;
        } else {
            text[to++] = text[from++];
        }
    }
    text[to] = '\0';
    return to;
}

size_t er_secrets_hide(
    const struct er_secrets *s, size_t shortest, char *text, size_t len)
{
    for (size_t i = 0; s && i < s->count; i++) {
        size_t n = strlen(s->values[i]);
        if (n >= shortest)
            len = hide_one(s->values[i], n, text, len);
    }
    return len;
}

/* Hide the beginning of a secret that stands at the end of the text. */
static void hide_tail(const char *secret, char *text, size_t len)
{
    size_t n = strlen(secret);
    if (n > len)
        n = len;
    for (; n >= ER_SECRET_IN_ERRORS; n--) {
        if (memcmp(text + len - n, secret, n) == 0) {
            memcpy(text + len - n, mark, MARK_LEN + 1);
            return;
        }
    }
}

void er_secrets_hide_error(
    const struct er_secrets *s, struct errand_error *err)
{
    size_t len = strlen(err->msg);
    bool cut = len + 4 >= sizeof err->msg; /* a character may be dropped */
    len = er_secrets_hide(s, ER_SECRET_IN_ERRORS, err->msg, len);
    for (size_t i = 0; cut && s && i < s->count; i++)
        hide_tail(s->values[i], err->msg, len);
}
