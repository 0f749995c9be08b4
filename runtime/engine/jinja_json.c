/* tojson, as transformers' templates have it: json.dumps without escapes for
 * HTML, letters beyond ASCII as they are unless asked otherwise. */
#include "engine/jinja_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ascii_escape(struct er_jrun *r, struct er_jbuild *b,
    uint32_t c, bool trusted)
{
    char text[16];
    if (c >= 0x10000)
        snprintf(text, sizeof text, "\\u%04x\\u%04x",
            0xD800u + ((c - 0x10000) >> 10), 0xDC00u + (c & 0x3FF));
    else
        snprintf(text, sizeof text, "\\u%04x", c);
    return er_jb_add(r, b, text, strlen(text), trusted);
}

static bool json_char(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jstr *s, size_t at, size_t len, bool ascii)
{
    static const char short_of[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char c = s->s[at];
    if (len > 1)
        return ascii
            ? ascii_escape(r, b, er_ju_code(s->s + at, len), s->t[at])
            : er_jb_part(r, b, s, at, at + len);
    for (const char *p = short_of; *p; p += 2)
        if (*p == c) {
            char text[2] = {'\\', p[1]};
            return er_jb_add(r, b, text, 2, s->t[at]);
        }
    if ((unsigned char)c < 0x20)
        return ascii_escape(r, b, (unsigned char)c, s->t[at]);
    return er_jb_part(r, b, s, at, at + 1);
}

static bool json_str(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jstr *s, bool ascii)
{
    er_jb_text(r, b, "\"");
    for (size_t at = 0, len; at < s->n && !r->failed; at += len) {
        len = er_ju_len(s->s, s->n, at);
        json_char(r, b, s, at, len, ascii);
    }
    return er_jb_text(r, b, "\"");
}

static bool new_line(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jjson *how, unsigned level)
{
    if (!how->indent)
        return true;
    er_jb_text(r, b, "\n");
    for (unsigned i = 0; i < level && !r->failed; i++)
        er_jb_str(r, b, how->indent);
    return !r->failed;
}

static bool json_list(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jjson *how, const struct er_jlist *l, unsigned level)
{
    if (l->n == 0)
        return er_jb_text(r, b, "[]");
    er_jb_text(r, b, "[");
    for (size_t i = 0; i < l->n && !r->failed; i++) {
        if (i)
            er_jb_str(r, b, how->item);
        new_line(r, b, how, level + 1);
        er_jb_json(r, b, how, l->v[i], level + 1);
    }
    new_line(r, b, how, level);
    return er_jb_text(r, b, "]");
}

static bool json_key(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jjson *how, struct er_jv key)
{
    struct er_jbuild text = {0};
    if (key.kind == ER_J_STR)
        return json_str(r, b, key.u.s, how->ascii);
    if (!er_jv_is_number(key) && key.kind != ER_J_NONE) {
        er_jv_fail(r, "tojson: keys must be texts, not '%s'",
            er_jv_type(key));
        return false;
    }
    er_jb_json(r, &text, how, key, 0);
    struct er_jv t = er_jb_done(r, &text);
    return !r->failed && json_str(r, b, t.u.s, how->ascii);
}

/* Insertion sort of indices: objects of schemas are small, and steps are
 * counted. */
static size_t *sorted_keys(struct er_jrun *r, const struct er_jdict *d)
{
    size_t *order = er_jv_alloc(r, d->n, sizeof *order);
    if (!order)
        return NULL;
    for (size_t i = 0; i < d->n; i++) {
        size_t k = i;
        for (; k > 0; k--) {
            if (!er_jv_step(r, 1) ||
                er_jv_compare(r, d->p[order[k - 1]].key, d->p[i].key) <= 0)
                break;
            order[k] = order[k - 1];
        }
        order[k] = i;
    }
    return r->failed ? NULL : order;
}

static bool json_dict(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jjson *how, const struct er_jdict *d, unsigned level)
{
    size_t *order = how->sorted ? sorted_keys(r, d) : NULL;
    if (r->failed || d->n == 0)
        return er_jb_text(r, b, "{}");
    er_jb_text(r, b, "{");
    for (size_t i = 0; i < d->n && !r->failed; i++) {
        const struct er_jpair *p = &d->p[order ? order[i] : i];
        if (i)
            er_jb_str(r, b, how->item);
        new_line(r, b, how, level + 1);
        json_key(r, b, how, p->key);
        er_jb_str(r, b, how->key);
        er_jb_json(r, b, how, p->value, level + 1);
    }
    new_line(r, b, how, level);
    return er_jb_text(r, b, "}");
}

static bool json_float(struct er_jrun *r, struct er_jbuild *b, double f)
{
    char text[40];
    if (isnan(f))
        return er_jb_text(r, b, "NaN");
    if (isinf(f))
        return er_jb_text(r, b, f < 0 ? "-Infinity" : "Infinity");
    er_jv_float_text(f, text);
    return er_jb_text(r, b, text);
}

static bool json_plain(
    struct er_jrun *r, struct er_jbuild *b, struct er_jv v)
{
    if (v.kind == ER_J_NONE)
        return er_jb_text(r, b, "null");
    if (v.kind == ER_J_BOOL)
        return er_jb_text(r, b, v.u.b ? "true" : "false");
    if (v.kind == ER_J_INT)
        return er_jb_repr(r, b, v);
    if (v.kind == ER_J_FLOAT)
        return json_float(r, b, v.u.f);
    er_jv_fail(r, "tojson: '%s' is no JSON value", er_jv_type(v));
    return false;
}

bool er_jb_json(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jjson *how, struct er_jv v, unsigned level)
{
    bool ok = false;
    if (er_jv_enter(r) && er_jv_step(r, 1)) {
        if (v.kind == ER_J_STR)
            ok = json_str(r, b, v.u.s, how->ascii);
        else if (er_jv_is_seq(v))
            ok = json_list(r, b, how, v.u.l, level);
        else if (v.kind == ER_J_DICT)
            ok = json_dict(r, b, how, v.u.d, level);
        else
            ok = json_plain(r, b, v);
    }
    er_jv_leave(r);
    return ok;
}
