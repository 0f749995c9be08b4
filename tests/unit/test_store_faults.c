/* A disk that refuses: the n-th write, sync or truncation fails, for every n
 * of a story, once or until somebody makes room. Each op reports, nothing
 * that was acknowledged is lost, no op is done by half, and afterwards the
 * store works on or says plainly that it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/fault_vfs.c"
#include "support/store_story.c"

struct stage {
    char folder[64], path[80];
    struct story_pages pages;
    struct fault_vfs *vfs;
    struct er_loop *loop;
    long failed, refused; /* ops that failed; stores that gave up */
};

static void stage_open(struct stage *st)
{
    struct errand_error err = {0};
    memset(st, 0, sizeof *st);
    assert_true(story_tell(&st->pages));
    st->loop = er_loop_new(&err);
}

static void stage_close(struct stage *st)
{
    er_loop_free(st->loop);
    story_free(&st->pages);
}

static void new_folder(struct stage *st)
{
    st->vfs = fault_vfs_use();
    kit_folder_make(st->folder);
    snprintf(st->path, sizeof st->path, "%s/e.db", st->folder);
}

static er_store *open_store(struct stage *st, struct errand_error *err)
{
    struct er_backend b;
    struct er_store_options opt = {.path = st->path};
    if (er_sqlite_open(st->path, FAULT_VFS, NULL, &b, err) != ERRAND_OK)
        return NULL;
    return er_store_over(st->loop, b, &opt, err);
}

/* Call op k, again when it failed and the disk is well again. True if it was
 * acknowledged. */
static bool insist(struct stage *st, er_store *s, int k)
{
    struct errand_error err = {0};
    int code = kit_call(s, story_op(k), &err);
    if (code == ERRAND_OK)
        return true;
    st->failed++;
    if (code != ERRAND_IO || strlen(err.msg) < 20)
        print_error("op %d: %d %s\n", k, code, err.msg);
    assert_int_equal(code, ERRAND_IO);
    st->vfs->fail_to = 0;
    code = kit_call(s, story_op(k), &err);
    if (code == ERRAND_OK)
        return true;
    assert_int_equal(code, ERRAND_IO);
    assert_non_null(strstr(err.msg, "nothing more is accepted"));
    return false;
}

/* One telling in which call number n after the opening fails. Returns false
 * when the story is over before that. */
static bool tell_with_fault(struct stage *st, long n, long width, int with)
{
    struct errand_error err = {0};
    new_folder(st);
    er_store *s = open_store(st, &err);
    assert_non_null(s);
    st->vfs->fail_from = st->vfs->calls + n;
    st->vfs->fail_to = st->vfs->fail_from + width;
    st->vfs->fail_with = with;
    int done = 0;
    bool alive = true;
    while (done < STORY_OPS && (alive = insist(st, s, done)))
        done++;
    bool hit = st->vfs->calls >= st->vfs->fail_from;
    st->refused += !alive;
    st->vfs->fail_to = 0;
    er_store_close(s);
    char *dump = story_dump(st->path);
    int k = story_find(&st->pages, dump);
    if (k < done || k > done + !alive)
        print_error("n %ld: %d done, %d found\n%s\n", n, done, k,
            dump ? dump : "damaged");
    assert_true(k >= done && k <= done + !alive);
    free(dump);
    /* whoever opens it next finds a store that works */
    s = open_store(st, &err);
    if (!s)
        print_error("n %ld: %s\n", n, err.msg);
    assert_non_null(s);
    for (; k < STORY_OPS; k++)
        assert_int_equal(kit_call(s, story_op(k), NULL), ERRAND_OK);
    er_store_close(s);
    kit_folder_remove(st->folder);
    return hit;
}

static void fail_each_call(long width, int with)
{
    struct stage st;
    stage_open(&st);
    long n = 1;
    while (tell_with_fault(&st, n, width, with))
        n++;
    print_message("%ld calls failed in turn: %ld ops reported it, %ld stores "
                  "gave up\n",
        n - 1, st.failed, st.refused);
    assert_true(n > 100);
    assert_true(st.failed > n / 2);
    assert_true(st.refused > 5); /* flushes failed as well */
    assert_true(st.refused < st.failed / 2);
    stage_close(&st);
}

static void test_store_faults_one_call_fails(void **state)
{
    (void)state;
    fail_each_call(0, SQLITE_IOERR);
}

static void test_store_faults_the_disk_is_full(void **state)
{
    (void)state;
    fail_each_call(1000000, SQLITE_FULL);
}

static void test_store_faults_while_opening(void **state)
{
    struct stage st;
    struct errand_error err = {0};
    (void)state;
    stage_open(&st);
    int opened = 0, n = 0;
    while (opened < 3) { /* three in a row need no call so late */
        new_folder(&st);
        st.vfs->fail_from = st.vfs->fail_to = ++n;
        st.vfs->fail_with = n % 2 ? SQLITE_FULL : SQLITE_IOERR;
        er_store *s = open_store(&st, &err);
        opened = s ? opened + 1 : 0;
        if (!s)
            assert_true(err.code == ERRAND_IO && strlen(err.msg) > 20);
        er_store_close(s);
        st.vfs->fail_to = 0;
        s = open_store(&st, &err);
        if (!s)
            print_error("n %d: %s\n", n, err.msg);
        assert_non_null(s);
        assert_int_equal(kit_call(s, story_op(0), NULL), ERRAND_OK);
        er_store_close(s);
        kit_folder_remove(st.folder);
    }
    assert_true(n > 20);
    stage_close(&st);
}

/* --- many ops in one batch */

struct many {
    int left, ok;
    struct er_loop *loop;
};

static void on_one(void *ctx, struct er_op *op)
{
    struct many *m = ctx;
    m->ok += op->code == ERRAND_OK;
    er_op_free(op);
    if (--m->left == 0)
        er_loop_stop(m->loop);
}

static void submit(er_store *s, struct many *m, struct er_op *op)
{
    op->done = on_one;
    op->ctx = m;
    m->left++;
    er_store_submit(s, op);
}

static struct er_op *put_op(int i, size_t size)
{
    struct er_op *op = er_op_new(ER_OP_PUT);
    char *key = er_arena_alloc(&op->arena, 16);
    char *value = er_arena_alloc(&op->arena, size + 1);
    snprintf(key, 16, "key %d", i);
    memset(value, 'v', size);
    op->in.put.key = key;
    op->in.put.value = value;
    return op;
}

/* A batch that fails together is tried again one by one. */
static void test_store_faults_spare_the_rest_of_a_batch(void **state)
{
    struct stage st;
    struct errand_error err = {0};
    (void)state;
    stage_open(&st);
    new_folder(&st);
    er_store *s = open_store(&st, &err);
    struct many m = {0, 0, st.loop};
    st.vfs->fail_from = st.vfs->fail_to = st.vfs->calls + 2;
    st.vfs->fail_with = SQLITE_IOERR;
    for (int i = 0; i < 8; i++)
        submit(s, &m, put_op(i, 10));
    assert_true(er_loop_run(st.loop, 10000));
    assert_int_equal(m.ok, 8);
    /* one that does not fit, in the middle of a batch: its pages leave the
     * cache before the commit, so SQLite rolls back in the middle */
    enum { HUGE_SIZE = 12 * 1024 * 1024 };
    m.ok = 0;
    st.vfs->fail_from = st.vfs->calls + 500;
    st.vfs->fail_to = st.vfs->fail_from + 1000000;
    st.vfs->fail_with = SQLITE_FULL;
    for (int i = 10; i < 18; i++)
        submit(s, &m, put_op(i, i == 14 ? HUGE_SIZE : 10));
    er_loop_run(st.loop, 10000);
    assert_int_equal(m.left, 0);
    long full = m.ok;
    st.vfs->fail_to = 0;
    m.ok = 0;
    for (int i = 20; i < 28; i++)
        submit(s, &m, put_op(i, 10));
    assert_true(er_loop_run(st.loop, 10000));
    assert_int_equal(m.ok, 8);
    print_message("%ld of 8 fitted on the full disk\n", full);
    er_store_close(s);
    char *dump = story_dump(st.path);
    assert_non_null(dump);
    free(dump);
    kit_folder_remove(st.folder);
    stage_close(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_faults_one_call_fails),
        cmocka_unit_test(test_store_faults_the_disk_is_full),
        cmocka_unit_test(test_store_faults_while_opening),
        cmocka_unit_test(test_store_faults_spare_the_rest_of_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
