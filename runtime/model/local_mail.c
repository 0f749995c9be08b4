/* The queue, its lock, and who still holds it: engine, loop, posted work. */
#include "model/local_mail.h"

#include "base/buf.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct letter {
    struct letter *next;
    enum er_model_event_type type;
    struct er_buf text;  /* of a piece; a call's arguments */
    char *id, *name;     /* of a call */
    bool id_made;
    struct er_usage usage;
};

struct er_mail {
    atomic_uint holders;
    atomic_bool left;
    struct er_loop *loop;
    struct er_post post;
    er_model_event_fn give; /* the loop's thread alone, as ctx */
    void *ctx;
    pthread_mutex_t lock; /* of all below */
    struct letter *first, *last;
    bool posted, ended, no_memory;
    enum er_finish finish;
    struct errand_error error; /* code OK: ended well */
};

enum { PIECE_MAX = 64 << 20 };

/* ------------------------------------------------------------- letters */

static void letter_free(struct letter *l)
{
    er_buf_release(&l->text);
    free(l->id);
    free(l->name);
    free(l);
}

static char *copy(const char *s)
{
    size_t n = strlen(s) + 1;
    char *c = malloc(n);
    return c ? memcpy(c, s, n) : NULL;
}

static struct letter *letter_of(const struct er_model_event *ev)
{
    const struct er_model_call *c = ev->call;
    struct letter *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->type = ev->type;
    er_buf_init(&l->text, PIECE_MAX);
    bool ok = true;
    if (c) {
        l->id = copy(c->id);
        l->name = copy(c->name);
        l->id_made = c->id_made;
        ok = l->id && l->name &&
             er_buf_add(&l->text, c->arguments, c->arguments_len);
    } else if (ev->usage) {
        l->usage = *ev->usage;
    } else {
        ok = er_buf_add(&l->text, ev->text, ev->len);
    }
    if (ok)
        return l;
    letter_free(l);
    return NULL;
}

/* ---------------------------------------------------------------- life */

static void drop(struct er_mail *m)
{
    if (atomic_fetch_sub(&m->holders, 1) != 1)
        return;
    while (m->first) {
        struct letter *l = m->first;
        m->first = l->next;
        letter_free(l);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static void on_post(void *ctx);

static void on_dropped(void *ctx)
{
    drop(ctx);
}

struct er_mail *er_mail_new(
    struct er_loop *loop, er_model_event_fn give, void *ctx)
{
    struct er_mail *m = calloc(1, sizeof *m);
    if (!m || pthread_mutex_init(&m->lock, NULL)) {
        free(m);
        return NULL;
    }
    atomic_init(&m->holders, 2);
    atomic_init(&m->left, false);
    m->loop = loop;
    m->give = give;
    m->ctx = ctx;
    m->post = (struct er_post){
        .run = on_post, .cancel = on_dropped, .ctx = m};
    return m;
}

void er_mail_leave(struct er_mail *m)
{
    atomic_store(&m->left, true);
    drop(m);
}

const atomic_bool *er_mail_left(const struct er_mail *m)
{
    return &m->left;
}

/* -------------------------------------------------------------- giving */

static bool give(struct er_mail *m, const struct er_model_event *ev)
{
    if (!atomic_load(&m->left))
        m->give(m->ctx, ev);
    return !atomic_load(&m->left);
}

static void give_letter(struct er_mail *m, const struct letter *l)
{
    struct er_model_event ev = {.type = l->type,
        .text = er_buf_str(&l->text), .len = l->text.len};
    struct er_model_call call = {.id = l->id, .id_made = l->id_made,
        .name = l->name, .arguments = er_buf_str(&l->text),
        .arguments_len = l->text.len};
    if (l->type == ER_MODEL_CALL)
        ev.call = &call;
    if (l->type == ER_MODEL_USAGE)
        ev.usage = &l->usage;
    give(m, &ev);
}

static void give_end(struct er_mail *m, bool no_memory)
{
    struct er_model_event ev = {
        .type = ER_MODEL_DONE, .finish = m->finish};
    if (no_memory && m->error.code == ERRAND_OK)
        er_nomem(&m->error);
    if (m->error.code != ERRAND_OK)
        ev = (struct er_model_event){
            .type = ER_MODEL_ERROR, .error = &m->error};
    give(m, &ev);
}

static void on_post(void *ctx)
{
    struct er_mail *m = ctx;
    pthread_mutex_lock(&m->lock);
    struct letter *list = m->first;
    bool ended = m->ended, no_memory = m->no_memory;
    m->first = m->last = NULL;
    m->posted = false;
    pthread_mutex_unlock(&m->lock);
    while (list) {
        struct letter *l = list;
        list = l->next;
        give_letter(m, l);
        letter_free(l);
    }
    if (ended)
        give_end(m, no_memory);
    drop(m);
}

/* ------------------------------------------------------------- sending */

/* With the lock held; once for all that waits. */
static void wake(struct er_mail *m)
{
    if (m->posted)
        return;
    m->posted = true;
    atomic_fetch_add(&m->holders, 1);
    er_loop_post(m->loop, &m->post);
}

static bool joins(const struct er_mail *m, const struct er_model_event *ev)
{
    return m->last && m->last->type == ev->type &&
           (ev->type == ER_MODEL_TEXT || ev->type == ER_MODEL_REASONING);
}

void er_mail_send(struct er_mail *m, const struct er_model_event *ev)
{
    pthread_mutex_lock(&m->lock);
    if (joins(m, ev)) {
        if (!er_buf_add(&m->last->text, ev->text, ev->len))
            m->no_memory = true;
    } else {
        struct letter *l = letter_of(ev);
        if (l && m->last)
            m->last->next = l;
        else if (l)
            m->first = l;
        m->last = l ? l : m->last;
        m->no_memory = m->no_memory || !l;
    }
    wake(m);
    pthread_mutex_unlock(&m->lock);
}

void er_mail_end(struct er_mail *m, const struct er_model_event *ev)
{
    pthread_mutex_lock(&m->lock);
    m->ended = true;
    m->finish = ev->finish;
    if (ev->error)
        m->error = *ev->error;
    wake(m);
    pthread_mutex_unlock(&m->lock);
    drop(m);
}
