/* Plans: the steps of an answer, and HTTP heads in front of them. */
#include "endpoint.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 256 << 20 };

void ep_plan_init(struct ep_plan *p)
{
    *p = (struct ep_plan){.n = 0};
    er_buf_init(&p->bytes, MAX_BYTES);
}

void ep_plan_reset(struct ep_plan *p)
{
    if (p->bytes.cap > (1 << 20))
        er_buf_release(&p->bytes);
    er_buf_reset(&p->bytes);
    p->n = p->at = p->head_len = 0;
    p->close = false;
}

void ep_plan_release(struct ep_plan *p)
{
    er_buf_release(&p->bytes);
    free(p->steps);
    *p = (struct ep_plan){.n = 0};
}

void ep_plan_step(struct ep_plan *p, struct ep_step step)
{
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 4;
        struct ep_step *steps = realloc(p->steps, cap * sizeof *steps);
        if (!steps)
            abort();
        p->steps = steps;
        p->cap = cap;
    }
    p->steps[p->n++] = step;
}

void ep_plan_send_from(struct ep_plan *p, size_t from)
{
    ep_plan_step(p, (struct ep_step){
        .type = EP_SEND, .off = from, .len = p->bytes.len - from});
}

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {{200, "OK"}, {206, "Partial Content"}, {302, "Found"},
        {400, "Bad Request"}, {401, "Unauthorized"},
        {403, "Forbidden"}, {404, "Not Found"},
        {405, "Method Not Allowed"}, {408, "Request Timeout"},
        {409, "Conflict"}, {413, "Content Too Large"},
        {416, "Range Not Satisfiable"},
        {429, "Too Many Requests"}, {500, "Internal Server Error"},
        {502, "Bad Gateway"}, {503, "Service Unavailable"},
        {504, "Gateway Timeout"}, {529, "Overloaded"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return rows[i].text;
    return "Unknown";
}

void ep_plan_head(struct ep_plan *p, int status, const char *content_type,
    long length, const char *headers)
{
    er_buf_addf(&p->bytes, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n", status,
        reason(status), content_type);
    if (length < 0)
        er_buf_adds(&p->bytes, "Transfer-Encoding: chunked\r\n");
    else
        er_buf_addf(&p->bytes, "Content-Length: %ld\r\n", length);
    er_buf_adds(&p->bytes, headers);
    er_buf_adds(&p->bytes, "\r\n");
    p->head_len = p->bytes.len;
}

void ep_plan_whole(struct ep_plan *p, int status, const char *content_type,
    const char *headers, const char *body, size_t len)
{
    size_t from = p->bytes.len;
    ep_plan_head(p, status, content_type, (long)len, headers);
    er_buf_add(&p->bytes, body, len);
    ep_plan_send_from(p, from);
}
