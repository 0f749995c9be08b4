/* A model's format: template, bos and eos, and messages as templates want
 * them. */
#include "engine/chat_format.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct er_chat_format {
    er_jinja *jinja;
    enum er_chat_family family;
    char *bos, *eos;
    bool one_call; /* the template takes one call per message */
};

static const char *const model_names[] = {"bos_token", "eos_token", NULL};

/* Llama's own template raises on more than one. */
static bool takes_one_call(const struct er_chat_signs *s)
{
    static const char sign[] = "tool_calls|length == 1";
    size_t n = sizeof sign - 1;
    for (size_t i = 0; s->chat_template && i + n <= s->len; i++)
        if (memcmp(s->chat_template + i, sign, n) == 0)
            return true;
    return false;
}

/* What a template writes becomes JSON, so it must be text. */
static int check_text(
    const struct er_chat_signs *signs, struct errand_error *err)
{
    size_t good = signs->len
        ? er_utf8_valid_prefix(signs->chat_template, signs->len) : 0;
    if (good == signs->len)
        return ERRAND_OK;
    return er_fail(err, ERRAND_SYNTAX,
        "the chat template is not text: byte %zu is no UTF-8; a model file "
        "begins with \"GGUF\"", good);
}

int er_chat_format_new(const struct er_chat_signs *signs, const char *bos,
    const char *eos, er_chat_format **out, struct errand_error *err)
{
    int rc = check_text(signs, err);
    if (rc != ERRAND_OK)
        return rc;
    er_chat_format *f = calloc(1, sizeof *f);
    if (!f)
        return er_nomem(err);
    f->family = er_chat_family_of(signs);
    f->one_call = takes_one_call(signs);
    f->bos = strdup(bos ? bos : "");
    f->eos = strdup(eos ? eos : "");
    const char *text = signs->len ? signs->chat_template
                                  : er_chat_builtin(f->family);
    struct errand_error mine = {0};
    f->jinja = er_jinja_compile(
        text, signs->len ? signs->len : strlen(text), &mine);
    if (f->jinja && f->bos && f->eos) {
        *out = f;
        return ERRAND_OK;
    }
    er_chat_format_free(f);
    if (mine.code == ERRAND_OK)
        return er_nomem(err);
    if (err)
        *err = mine;
    return mine.code;
}

void er_chat_format_free(er_chat_format *f)
{
    if (!f)
        return;
    er_jinja_free(f->jinja);
    free(f->bos);
    free(f->eos);
    free(f);
}

enum er_chat_family er_chat_format_family(const er_chat_format *f)
{
    return f->family;
}

/* --- out of a model file */

/* The text of token number id. New; NULL: none or no memory. */
static char *token_text(const struct er_gguf *g, const char *id_key)
{
    struct er_gguf_array a;
    struct errand_error ignored = {0};
    uint64_t id = 0;
    if (!er_gguf_has(g, id_key) ||
        er_gguf_get_u64(g, id_key, 0, UINT32_MAX, &id, &ignored) ||
        er_gguf_get_array(g, "tokenizer.ggml.tokens", &a, &ignored) ||
        a.type != ER_GGUF_STRING ||
        id >= a.count)
        return NULL;
    struct er_gguf_str s = {0};
    for (uint64_t i = 0; i <= id; i++)
        s = er_gguf_next_str(&a);
    return strndup(s.s, s.len);
}

static bool in_vocabulary(void *ctx, const char *name)
{
    struct er_gguf_array a;
    struct errand_error ignored = {0};
    if (er_gguf_get_array(ctx, "tokenizer.ggml.tokens", &a, &ignored) ||
        a.type != ER_GGUF_STRING)
        return false;
    size_t len = strlen(name);
    for (uint64_t i = 0; i < a.count; i++) {
        struct er_gguf_str s = er_gguf_next_str(&a);
        if (s.len == len && memcmp(s.s, name, len) == 0)
            return true;
    }
    return false;
}

int er_chat_format_read(
    const struct er_gguf *g, er_chat_format **out, struct errand_error *err)
{
    static const char template_key[] = "tokenizer.chat_template";
    struct er_gguf_str text = {0}, arch = {0};
    int rc = ERRAND_OK;
    if (er_gguf_has(g, template_key))
        rc = er_gguf_get_str(g, template_key, &text, err);
    if (!rc && er_gguf_has(g, "general.architecture"))
        rc = er_gguf_get_str(g, "general.architecture", &arch, err);
    if (rc)
        return rc;
    char *name = strndup(arch.len ? arch.s : "", arch.len);
    char *bos = token_text(g, "tokenizer.ggml.bos_token_id");
    char *eos = token_text(g, "tokenizer.ggml.eos_token_id");
    struct er_chat_signs signs = {.chat_template = text.s, .len = text.len,
        .arch = name, .has_control = in_vocabulary,
        .ctx = (void *)(uintptr_t)g};
    rc = er_chat_format_new(&signs, bos, eos, out, err);
    free(name);
    free(bos);
    free(eos);
    return rc;
}

static int open_template(
    FILE *file, er_chat_format **out, struct errand_error *err)
{
    struct er_buf b;
    er_buf_init(&b, ER_JINJA_MAX_SOURCE + 1);
    size_t n = 1;
    while (n > 0 && er_buf_reserve(&b, 4096)) {
        n = fread(b.data + b.len, 1, 4096, file);
        b.len += n;
    }
    if (b.failed) {
        er_buf_release(&b);
        return er_fail(err, ERRAND_TOO_LARGE,
            "a template of more than %d bytes", ER_JINJA_MAX_SOURCE);
    }
    struct er_chat_signs signs = {.chat_template = b.data, .len = b.len};
    int rc = er_chat_format_new(&signs, NULL, NULL, out, err);
    er_buf_release(&b);
    return rc;
}

int er_chat_format_open(
    const char *path, er_chat_format **out, struct errand_error *err)
{
    char magic[4] = "";
    struct er_gguf *g = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return er_fail_errno(err, ERRAND_NOT_FOUND, "%.100s", path);
    size_t n = fread(magic, 1, sizeof magic, file);
    bool model = n == 4 && memcmp(magic, "GGUF", 4) == 0;
    int rc = ERRAND_OK;
    if (!model) {
        rewind(file);
        rc = open_template(file, out, err);
    }
    fclose(file);
    if (model)
        rc = er_gguf_open(path, &g, err);
    if (model && !rc)
        rc = er_chat_format_read(g, out, err);
    er_gguf_close(g);
    return rc;
}

/* --- messages as templates want them */

static bool parse_arguments(json_t *message)
{
    size_t i;
    json_t *call;
    json_array_foreach(json_object_get(message, "tool_calls"), i, call) {
        json_t *fn = json_object_get(call, "function");
        json_t *args = json_object_get(fn, "arguments");
        if (!json_is_string(args))
            continue;
        json_t *v = er_json_parse(json_string_value(args),
            json_string_length(args), ER_JSON_LENIENT, NULL);
        if (v && json_object_set_new(fn, "arguments", v) != 0)
            return false;
    }
    return true;
}

/* A message of several calls as several messages of one. */
static bool add_split(json_t *list, const json_t *message)
{
    const json_t *calls = json_object_get(message, "tool_calls");
    for (size_t i = 0; i < json_array_size(calls); i++) {
        json_t *one = json_copy((json_t *)(uintptr_t)message);
        if (!one ||
            json_object_set_new(one, "tool_calls",
                json_pack("[O]", json_array_get(calls, i))) != 0 ||
            json_array_append_new(list, one) != 0)
            return false;
    }
    return true;
}

static json_t *adapted(const er_chat_format *f, const json_t *messages)
{
    json_t *list = json_array(), *m;
    bool ok = list != NULL;
    size_t i;
    json_array_foreach(messages, i, m) {
        json_t *copy = json_deep_copy(m);
        ok = ok && copy && parse_arguments(copy);
        if (ok && f->one_call &&
            json_array_size(json_object_get(copy, "tool_calls")) > 1)
            ok = add_split(list, copy);
        else
            ok = ok && json_array_append(list, copy) == 0;
        json_decref(copy);
    }
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

static bool set_missing(json_t *vars, const char *key, json_t *v)
{
    if (!json_object_get(vars, key))
        return json_object_set_new(vars, key, v) == 0;
    json_decref(v);
    return true;
}

/* Without tools, transformers says tools is None: most templates ask for
 * that. Some walk over it all the same, and mean that there is none. */
static int render(const er_chat_format *f, json_t *vars, int64_t now_s,
    struct er_prompt *out, struct errand_error *err)
{
    struct errand_error first = {0};
    struct er_jinja_input in = {
        .vars = vars, .trusted = model_names, .now_s = now_s};
    bool none = !json_object_get(vars, "tools");
    if (none && !set_missing(vars, "tools", json_null()))
        return er_nomem(err);
    int rc = er_jinja_render(f->jinja, &in, out, &first);
    if (rc && none) {
        json_object_del(vars, "tools");
        rc = er_jinja_render(f->jinja, &in, out, &first);
    }
    if (rc && err)
        *err = first;
    return rc;
}

int er_chat_format_render(const er_chat_format *f, const json_t *input,
    int64_t now_s, struct er_prompt *out, struct errand_error *err)
{
    const json_t *messages = json_object_get(input, "messages");
    if (!json_is_array(messages))
        return er_fail(err, ERRAND_USAGE, "\"messages\" must be an array");
    json_t *vars = json_copy((json_t *)(uintptr_t)input);
    json_t *list = adapted(f, messages);
    bool ok = vars && list && json_object_set(vars, "messages", list) == 0 &&
              set_missing(vars, "bos_token", json_string(f->bos)) &&
              set_missing(vars, "eos_token", json_string(f->eos));
    int rc = ok ? render(f, vars, now_s, out, err) : er_nomem(err);
    json_decref(vars);
    json_decref(list);
    return rc;
}

json_t *er_chat_debug_render(const er_chat_format *f, const json_t *input,
    struct errand_error *err)
{
    struct er_prompt p;
    struct er_buf text;
    json_t *v = NULL;
    er_prompt_init(&p);
    er_buf_init(&text, (size_t)ER_PROMPT_MAX * 6u);
    json_int_t now = er_json_int(input, "now", (json_int_t)time(NULL));
    if (er_chat_format_render(f, input, now, &p, err) == ERRAND_OK) {
        json_t *s = er_json_add_string(
                        &text, er_buf_str(&p.text), p.text.len)
            ? er_json_parse(text.data, text.len, ER_JSON_LENIENT, NULL)
            : NULL;
        v = json_pack("{s:o}", "prompt", s);
        if (!v)
            er_nomem(err);
    }
    er_buf_release(&text);
    er_prompt_release(&p);
    return v;
}
