/* The faults: a good answer, spoiled in one way each. */
#include "endpoint.h"

#include <stdlib.h>
#include <string.h>

static void step(struct ep_plan *p, enum ep_step_type type)
{
    ep_plan_step(p, (struct ep_step){.type = type});
}

/* The answer that is spoiled: "cut-of-text-500" cuts that of text-500; with
 * no "of" it is what echo says. */
static void base_answer(struct ep_server *s, const struct ep_request *r,
    struct ep_answer *a)
{
    const char *of = strstr(r->model, "-of-");
    if (!of || !ep_model(s, r, of + strlen("-of-"), a))
        ep_model(s, r, "echo", a);
}

static void good(
    struct ep_server *s, const struct ep_request *r, struct ep_plan *p)
{
    struct ep_answer a;
    base_answer(s, r, &a);
    ep_render(r, &a, p);
}

static void good_body(struct ep_server *s, const struct ep_request *r,
    bool events, struct er_buf *out)
{
    struct ep_answer a;
    er_buf_init(out, 64 << 20);
    base_answer(s, r, &a);
    ep_render_body(r, &a, events, out);
}

/* Shorten the last step to its head and half of its body. */
static void halve(struct ep_plan *p)
{
    struct ep_step *last = &p->steps[p->n - 1];
    size_t head = p->head_len - last->off;
    last->len = head + (last->len - head) / 2;
}

/* "status-429-code-3040-retry-20": retry is retry-after-ms. */
static void status(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)s;
    int code = (int)ep_option(name, "status", 500);
    long wait = ep_option(name, "retry", code == 429 ? 20 : -1);
    char headers[120] = "", message[80];
    if (wait >= 0)
        snprintf(headers, sizeof headers, "retry-after-ms: %ld\r\n", wait);
    if (ep_has_word(name, "noretry"))
        snprintf(headers, sizeof headers, "x-should-retry: false\r\n");
    snprintf(message, sizeof message, "status %d, as was asked for", code);
    ep_render_error(r, code, ep_option(name, "code",
        code == 429 ? 3040 : code), message, "", headers, p);
}

static void html(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)s, (void)r;
    static const char page[] = "<!DOCTYPE html>\n<html><head><title>Log in"
        "</title></head><body><h1>Please log in</h1></body></html>\n";
    ep_plan_whole(p, (int)ep_option(name, "html", 200),
        "text/html; charset=utf-8", "", page, sizeof page - 1);
}

/* The right bytes under the wrong name. */
static void wrong_type(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)name;
    struct er_buf b;
    good_body(s, r, r->stream, &b);
    ep_plan_whole(p, 200, r->stream ? "application/json"
        : "text/event-stream", "", er_buf_str(&b), b.len);
    er_buf_release(&b);
}

/* One JSON document, whatever was asked for: some models do that. */
static void plain_json(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)name;
    struct er_buf b;
    good_body(s, r, false, &b);
    ep_plan_whole(p, 200, "application/json", "", er_buf_str(&b), b.len);
    er_buf_release(&b);
}

/* Well framed, but the JSON ends in the middle. */
static void half_json(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)name;
    struct er_buf b;
    good_body(s, r, false, &b);
    size_t half = b.len / 2;
    if (!r->stream) {
        ep_plan_whole(
            p, 200, "application/json", "", er_buf_str(&b), half);
    } else {
        struct er_buf e;
        er_buf_init(&e, 64 << 20);
        er_buf_addf(&e, "data: %.*s\n\ndata: [DONE]\n\n", (int)half,
            er_buf_str(&b));
        ep_plan_whole(
            p, 200, "text/event-stream", "", er_buf_str(&e), e.len);
        er_buf_release(&e);
    }
    er_buf_release(&b);
}

static void stall_before(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)s, (void)r, (void)name;
    step(p, EP_STALL);
}

static void stall_mid(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)name;
    good(s, r, p);
    halve(p);
    step(p, EP_STALL);
}

static void trickle(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    good(s, r, p);
    p->steps[p->n - 1].type = EP_TRICKLE;
    p->steps[p->n - 1].ms = ep_option(name, "trickle", 2);
}

static void cut(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)name;
    good(s, r, p);
    halve(p);
    step(p, EP_CLOSE);
}

static void reset(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)name;
    good(s, r, p);
    halve(p);
    step(p, EP_RESET);
}

static void refuse(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)s, (void)r, (void)name;
    step(p, EP_CLOSE);
}

/* Whole events of a stream up to about half; ends on an event's border. */
static size_t half_of_events(const struct er_buf *b)
{
    const char *s = er_buf_str(b);
    const char *end = s, *next;
    while ((next = strstr(end, "\n\n")) != NULL &&
           (size_t)(next - s) < b->len / 2 + 1)
        end = next + 2;
    return (size_t)(end - s);
}

/* An event stream that begins well and then goes another way. */
static void half_stream(struct ep_server *s, const struct ep_request *r,
    const char *rest, struct ep_plan *p)
{
    struct er_buf b;
    good_body(s, r, true, &b);
    size_t half = half_of_events(&b);
    struct er_buf out;
    er_buf_init(&out, 64 << 20);
    er_buf_add(&out, er_buf_str(&b), half);
    er_buf_adds(&out, rest);
    ep_plan_whole(
        p, 200, "text/event-stream", "", er_buf_str(&out), out.len);
    er_buf_release(&out);
    er_buf_release(&b);
}

static void error_in_stream(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)name;
    static const char whole[] = "{\"error\":{\"code\":502,\"message\":"
        "\"the upstream went away\",\"type\":\"upstream_error\"}}";
    if (!r->stream)
        ep_plan_whole(p, 200, "application/json", "", whole,
            sizeof whole - 1);
    else
        half_stream(s, r, "data: {\"error\":{\"code\":502,\"message\":"
            "\"the upstream went away\",\"type\":\"upstream_error\"}}\n\n",
            p);
}

/* The stream ends in good order, but nothing said that it was done. */
static void no_done(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)name;
    half_stream(s, r, "", p);
}

static void endless(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    (void)s, (void)name;
    static const char openai[] = "data: {\"id\":\"c\",\"object\":"
        "\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":"
        "{\"content\":\"and so on \"},\"finish_reason\":null}]}\n\n";
    static const char workers[] = "data: {\"response\":\"and so on \"}\n\n";
    static const char spaces[] = "                                ";
    const char *piece = !r->stream ? spaces
        : r->route == EP_WORKERS ? workers : openai;
    size_t from = p->bytes.len;
    ep_plan_head(p, 200, r->stream ? "text/event-stream"
        : "application/json", -1, "");
    ep_plan_send_from(p, from);
    from = p->bytes.len;
    for (int i = 0; i < 100; i++)
        er_buf_addf(&p->bytes, "%zx\r\n%s\r\n", strlen(piece), piece);
    ep_plan_step(p, (struct ep_step){
        .type = EP_REPEAT, .off = from, .len = p->bytes.len - from});
}

struct fault {
    const char *word;
    void (*answer)(struct ep_server *s, const struct ep_request *r,
        const char *name, struct ep_plan *p);
};

static const struct fault faults[] = {{"status", status}, {"html", html},
    {"wrong-type", wrong_type}, {"plain-json", plain_json},
    {"half-json", half_json}, {"stall-before", stall_before},
    {"stall-mid", stall_mid},
    {"trickle", trickle}, {"cut", cut}, {"reset", reset},
    {"refuse", refuse}, {"error-in-stream", error_in_stream},
    {"no-done", no_done}, {"endless", endless}};

bool ep_fault(struct ep_server *s, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        size_t len = strlen(faults[i].word);
        if (strncmp(name, faults[i].word, len) == 0 &&
            (name[len] == '\0' || name[len] == '-')) {
            faults[i].answer(s, r, name, p);
            return true;
        }
    }
    return false;
}
