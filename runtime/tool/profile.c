/* Profiles: what a worker may touch, told to it in its first frame.
 *
 * Two tools with the same grants have the same profile, found by the text of
 * the frame that locks its workers. A profile holds the line of the jobs
 * that wait for such a worker, and how its workers have fared lately: one
 * plugin that keeps dying must not slow down the others.
 */
#include "pool_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOCK_MOST = 1024 * 1024 }; /* bytes of a lock frame */

/* "cwd/path", or path if that is absolute. NULL: out of memory. */
static char *join(const char *cwd, const char *path)
{
    struct er_buf b;
    er_buf_init(&b, 64 * 1024);
    if (path[0] != '/' && cwd)
        er_buf_addf(&b, "%s/", cwd);
    er_buf_adds(&b, path);
    return er_buf_take(&b, NULL);
}

/* Its roots, which are looked at before a worker is used again. */
static bool take_paths(struct er_profile *p, const json_t *lock)
{
    static const char *const names[] = {"read", "write", "files"};
    p->paths = calloc(ER_PATHS_MOST, sizeof *p->paths);
    for (size_t i = 0; p->paths && i < sizeof names / sizeof names[0]; i++) {
        const json_t *list = json_object_get(lock, names[i]);
        for (size_t k = 0; k < json_array_size(list); k++) {
            const char *path = json_string_value(json_array_get(list, k));
            if (!path || p->path_count == ER_PATHS_MOST)
                continue;
            p->paths[p->path_count] = join(p->pool->cwd, path);
            if (!p->paths[p->path_count++])
                return false;
        }
    }
    return p->paths != NULL;
}

static void free_profile(struct er_profile *p)
{
    for (size_t i = 0; i < p->path_count; i++)
        free(p->paths[i]);
    free(p->paths);
    free(p->key);
    free(p);
}

void er_profile_look(const struct er_profile *profile, struct er_seen *seen)
{
    for (size_t i = 0; i < profile->path_count; i++) {
        struct stat st;
        seen[i] = (struct er_seen){0};
        if (stat(profile->paths[i], &st) == 0)
            seen[i] = (struct er_seen){
                .device = (uint64_t)st.st_dev, .inode = (uint64_t)st.st_ino};
    }
}

bool er_profile_is_current(const struct er_slot *slot)
{
    const struct er_profile *p = slot->profile;
    struct er_seen now[ER_PATHS_MOST];
    if (p->path_count == 0) /* nothing to hold, nothing to guard */
        return true;
    if (slot->guard != slot->pool->guards)
        return false;
    er_profile_look(p, now);
    for (size_t i = 0; i < p->path_count; i++)
        if (now[i].device != slot->seen[i].device ||
            now[i].inode != slot->seen[i].inode)
            return false;
    return true;
}

int er_pool_guard(
    struct er_pool *pool, const json_t *guard, struct errand_error *err)
{
    char *text = er_json_sorted(guard);
    if (!text)
        return er_nomem(err);
    free(pool->guard);
    pool->guard = text;
    pool->guards++;
    return ERRAND_OK;
}

static struct er_profile *find(struct er_pool *pool, const char *key)
{
    for (struct er_profile *p = pool->profiles; p; p = p->next)
        if (strcmp(p->key, key) == 0)
            return p;
    return NULL;
}

struct er_profile *er_pool_profile(
    struct er_pool *pool, const json_t *lock, struct errand_error *err)
{
    const char *kind = er_json_str(lock, "kind");
    char *key = er_json_sorted(lock);
    struct er_profile *p = key ? find(pool, key) : NULL;
    if (key && !p) {
        p = calloc(1, sizeof *p);
        if (p) {
            p->pool = pool;
            p->key = key;
            er_spin_init(&p->spin);
            p->is_lua = kind && strcmp(kind, "lua") == 0;
            p->is_script = json_is_true(json_object_get(lock, "script"));
            p->is_single =
                json_array_size(json_object_get(lock, "run")) > 0;
            if (take_paths(p, lock)) {
                p->next = pool->profiles;
                pool->profiles = p;
                return p;
            }
            free_profile(p);
            p = NULL;
            key = NULL;
        }
    }
    free(key);
    if (!p)
        er_nomem(err);
    return p;
}

struct er_profile *er_pool_lua(struct er_pool *pool,
    const json_t *permissions, struct errand_error *err)
{
    static const char *const names[] = {"read", "write", "run"};
    struct er_profile *p = NULL;
    json_t *lock = json_pack("{s:s}", "kind", "lua");
    bool ok = lock != NULL;
    for (size_t i = 0; ok && i < sizeof names / sizeof names[0]; i++) {
        json_t *list = json_object_get(permissions, names[i]);
        if (json_array_size(list) > 0)
            ok = json_object_set(lock, names[i], list) == 0;
    }
    if (ok)
        p = er_pool_profile(pool, lock, err);
    else
        er_nomem(err);
    json_decref(lock);
    return p;
}

bool er_profile_lock(const struct er_profile *profile, struct er_buf *out)
{
    size_t token = er_frame_begin(out);
    const char *guard = profile->pool->guard;
    er_buf_adds(out, "{\"id\":0,\"op\":\"lock\",");
    if (guard && strlen(guard) > 2) { /* without their braces */
        er_buf_add(out, guard + 1, strlen(guard) - 2);
        er_buf_addc(out, ',');
    }
    er_buf_adds(out, profile->key + 1);
    return er_frame_end(out, token) && out->len <= LOCK_MOST;
}

/* Was this said already? If not, it is now. */
static bool is_told(struct er_pool *pool, const json_t *text)
{
    size_t i;
    json_t *known;
    json_array_foreach(pool->told, i, known)
        if (json_equal(known, text))
            return true;
    if (!pool->told)
        pool->told = json_array();
    json_array_append(pool->told, (json_t *)text);
    return false;
}

/* Keep what holds, and say once what does not. */
static void note_cage(struct er_slot *slot, const json_t *frame)
{
    struct er_pool *pool = slot->pool;
    json_t *missing = json_object_get(frame, "missing"), *text;
    size_t i;
    json_array_foreach(missing, i, text)
    {
        if (json_is_string(text) && !is_told(pool, text))
            er_log(pool->log, ERRAND_LOG_WARN,
                "the cage of tools has a gap: %s", json_string_value(text));
    }
    if (pool->cage || !slot->profile->is_lua)
        return;
    pool->cage = json_pack("{s:O?, s:O?}", "enforced",
        json_object_get(frame, "enforced"), "missing", missing);
}

int er_profile_locked(
    struct er_slot *slot, const json_t *frame, struct errand_error *err)
{
    const char *message = er_json_str(frame, "message");
    if (er_json_int(frame, "id", -1) != 0)
        return er_fail(err, ERRAND_WORKER,
            "the worker answered what it was not asked");
    if (!json_is_true(json_object_get(frame, "ok")))
        return er_fail(err, ERRAND_WORKER,
            "the worker cannot lock itself in: %s",
            message ? message : "it does not say why");
    slot->locked = true;
    er_profile_look(slot->profile, slot->seen); /* it may have made some */
    note_cage(slot, frame);
    return ERRAND_OK;
}

json_t *er_pool_cage(struct er_pool *pool, struct errand_error *err)
{
    struct er_profile *profile = er_pool_lua(pool, NULL, err);
    if (!profile || er_pool_wake(pool, profile, err) != ERRAND_OK)
        return NULL;
    return json_incref(pool->cage);
}

void er_profiles_free(struct er_pool *pool)
{
    json_decref(pool->cage);
    json_decref(pool->told);
    free(pool->guard);
    while (pool->profiles) {
        struct er_profile *p = pool->profiles;
        pool->profiles = p->next;
        er_timer_stop(&p->retry);
        free_profile(p);
    }
}
