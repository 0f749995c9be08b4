/* Flushes and power cuts. The disk is a model: what was not synced may be
 * lost, sector by sector. After a cut at any write, sync or truncation of a
 * story, the database must open, be sound, and hold a beginning of the story
 * that has every op whose flush had returned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/fault_vfs.c"
#include "support/store_story.c"

#include "store/sqlite_db.h"

struct stage {
    char folder[64], path[80], cut[80], cut_path[100];
    struct story_pages pages;
    struct fault_vfs *vfs;
    int durable, begun; /* ops flushed; ops begun */
    long cuts, kept[3]; /* verdicts: how often less, equal, more than durable */
};

/* Open what the cut left, as after the power is back, and look. */
static int story_after_cut(struct stage *st)
{
    struct er_backend b;
    struct errand_error err = {0};
    struct fault_vfs saved = *st->vfs;
    *st->vfs = (struct fault_vfs){0};
    int code = er_sqlite_open(st->cut_path, FAULT_VFS, NULL, &b, &err);
    if (code == ERRAND_OK)
        b.ops->close(b.self);
    else
        print_error("opening after a cut: %s\n", err.msg);
    *st->vfs = saved;
    assert_int_equal(code, ERRAND_OK);
    char *dump = story_dump(st->cut_path);
    int k = story_find(&st->pages, dump);
    if (k < 0)
        print_error("after a cut: %s\n", dump ? dump : "damaged");
    free(dump);
    return k;
}

static void cut_now(void *ctx)
{
    struct stage *st = ctx;
    for (int how = 0; how < 3; how++) {
        if ((how == FAULT_CUT_SYNCED && st->vfs->calls % 3) ||
            (how == FAULT_CUT_ALL && st->vfs->calls % 5))
            continue;
        mkdir(st->cut, 0700);
        assert_true(fault_vfs_cut(
            st->cut, (enum fault_cut)how, (uint64_t)st->vfs->calls));
        int k = story_after_cut(st);
        kit_folder_remove(st->cut);
        assert_true(k >= st->durable);
        assert_true(k <= st->begun);
        st->cuts++;
        st->kept[k > st->durable]++;
    }
}

static void tell(struct stage *st, struct er_backend *b, int k)
{
    struct errand_error err = {0};
    struct er_op *op = story_op(k);
    st->begun = k + 1;
    assert_int_equal(b->ops->begin(b->self, &err), ERRAND_OK);
    assert_int_equal(b->ops->apply(b->self, op), ERRAND_OK);
    assert_int_equal(b->ops->commit(b->self, &err), ERRAND_OK);
    if (!story_is_committed_only(k)) {
        assert_int_equal(b->ops->flush(b->self, &err), ERRAND_OK);
        st->durable = k + 1;
    }
    er_op_free(op);
}

static void test_store_power_cut_at_every_moment(void **state)
{
    struct stage st = {.vfs = fault_vfs_use()};
    struct er_backend b;
    struct errand_error err = {0};
    (void)state;
    assert_true(story_tell(&st.pages));
    kit_folder_make(st.folder);
    snprintf(st.path, sizeof st.path, "%s/e.db", st.folder);
    snprintf(st.cut, sizeof st.cut, "%s/cut", st.folder);
    snprintf(st.cut_path, sizeof st.cut_path, "%s/e.db", st.cut);
    st.vfs->tracking = true;
    st.vfs->before = cut_now;
    st.vfs->ctx = &st;
    for (int k = 0; k < STORY_OPS; k++) {
        if (k % STORY_OPS_PER_RUN == 0) /* each run in a session of its own */
            assert_int_equal(er_sqlite_open(st.path, FAULT_VFS, NULL, &b,
                                 &err),
                ERRAND_OK);
        tell(&st, &b, k);
        if (k % STORY_OPS_PER_RUN == 2) /* and a checkpoint in the middle */
            assert_int_equal(
                er_sqlite_checkpoint(b.self, k > STORY_OPS_PER_RUN, 0, &err),
                ERRAND_OK);
        if (k % STORY_OPS_PER_RUN == STORY_OPS_PER_RUN - 1)
            b.ops->close(b.self);
    }
    print_message("%ld cuts; in %ld more was there than was flushed\n",
        st.cuts, st.kept[1]);
    assert_true(st.cuts > 300);
    assert_true(st.kept[1] >= 3); /* the model keeps some, loses some */
    assert_true(st.kept[0] > 10);
    fault_vfs_use();
    kit_folder_remove(st.folder);
    story_free(&st.pages);
}

/* The counter-proof: without flushes the same cuts must lose something, or
 * the model proves nothing. */
static void test_store_power_cut_loses_what_was_not_flushed(void **state)
{
    struct stage st = {.vfs = fault_vfs_use()};
    struct er_backend b;
    struct errand_error err = {0};
    (void)state;
    assert_true(story_tell(&st.pages));
    kit_folder_make(st.folder);
    snprintf(st.path, sizeof st.path, "%s/e.db", st.folder);
    snprintf(st.cut, sizeof st.cut, "%s/cut", st.folder);
    snprintf(st.cut_path, sizeof st.cut_path, "%s/e.db", st.cut);
    st.vfs->tracking = true;
    assert_int_equal(
        er_sqlite_open(st.path, FAULT_VFS, NULL, &b, &err), ERRAND_OK);
    for (int k = 0; k < STORY_OPS; k++) {
        struct er_op *op = story_op(k);
        assert_int_equal(b.ops->begin(b.self, &err), ERRAND_OK);
        assert_int_equal(b.ops->apply(b.self, op), ERRAND_OK);
        assert_int_equal(b.ops->commit(b.self, &err), ERRAND_OK);
        er_op_free(op);
    }
    mkdir(st.cut, 0700);
    assert_true(fault_vfs_cut(st.cut, FAULT_CUT_SYNCED, 1));
    assert_int_equal(story_after_cut(&st), 0);
    kit_folder_remove(st.cut);
    mkdir(st.cut, 0700); /* a kill loses nothing of it */
    assert_true(fault_vfs_cut(st.cut, FAULT_CUT_ALL, 1));
    assert_int_equal(story_after_cut(&st), STORY_OPS);
    kit_folder_remove(st.cut);
    /* and the next flush makes all of it safe */
    assert_int_equal(b.ops->flush(b.self, &err), ERRAND_OK);
    mkdir(st.cut, 0700);
    assert_true(fault_vfs_cut(st.cut, FAULT_CUT_SYNCED, 1));
    assert_int_equal(story_after_cut(&st), STORY_OPS);
    b.ops->close(b.self);
    fault_vfs_use();
    kit_folder_remove(st.folder);
    story_free(&st.pages);
}

/* --- how often the WAL is synced */

struct counting {
    int left;
    struct er_loop *loop;
};

static void on_counted(void *ctx, struct er_op *op)
{
    struct counting *c = ctx;
    assert_int_equal(op->code, ERRAND_OK);
    er_op_free(op);
    if (--c->left == 0)
        er_loop_stop(c->loop);
}

/* A value that was not there: writing the same again writes nothing. */
static struct er_op *put_op(enum er_level level)
{
    struct er_op *op = er_op_new(ER_OP_PUT);
    char *id = er_arena_alloc(&op->arena, ER_ID_SIZE);
    er_id_new(id);
    op->in.put.key = "k";
    op->in.put.value = id;
    op->level = level;
    return op;
}

static long syncs_of(
    struct fault_vfs *vfs, er_store *s, struct er_loop *loop, int n,
    enum er_level level)
{
    struct counting c = {n, loop};
    long before = vfs->wal_syncs;
    for (int i = 0; i < n; i++) {
        struct er_op *op = put_op(level);
        op->done = on_counted;
        op->ctx = &c;
        er_store_submit(s, op);
    }
    assert_true(er_loop_run(loop, 10000));
    return vfs->wal_syncs - before;
}

static er_store *open_counted(
    const char *path, struct er_loop *loop, enum errand_sync sync)
{
    struct er_backend b;
    struct errand_error err = {0};
    struct er_store_options opt = {.path = path, .sync = sync};
    assert_int_equal(
        er_sqlite_open(path, FAULT_VFS, NULL, &b, &err), ERRAND_OK);
    er_store *s = er_store_over(loop, b, &opt, &err);
    /* the first commit writes and syncs the WAL's header */
    assert_int_equal(kit_call(s, put_op(ER_COMMITTED), NULL), ERRAND_OK);
    return s;
}

static void test_store_power_one_sync_per_batch(void **state)
{
    struct fault_vfs *vfs = fault_vfs_use();
    struct errand_error err = {0};
    struct er_loop *loop = er_loop_new(&err);
    char folder[64], path[80];
    (void)state;
    kit_folder_make(folder);
    snprintf(path, sizeof path, "%s/e.db", folder);
    er_store *s = open_counted(path, loop, ERRAND_SYNC_FULL);
    assert_int_equal(syncs_of(vfs, s, loop, 1, ER_DURABLE), 1);
    assert_int_equal(syncs_of(vfs, s, loop, 1, ER_DURABLE), 1);
    assert_int_equal(syncs_of(vfs, s, loop, 100, ER_DURABLE), 1);
    assert_int_equal(syncs_of(vfs, s, loop, 100, ER_COMMITTED), 0);
    struct er_op *op = er_op_new(ER_OP_READ); /* changes nothing */
    op->level = ER_DURABLE;
    op->in.read.conv_id = op->in.read.call_id = "x";
    long before = vfs->wal_syncs;
    assert_int_equal(kit_call(s, op, NULL), ERRAND_NOT_FOUND);
    assert_int_equal(vfs->wal_syncs - before, 1); /* of the 100 before */
    er_store_close(s);
    s = open_counted(path, loop, ERRAND_SYNC_NORMAL);
    assert_int_equal(syncs_of(vfs, s, loop, 100, ER_DURABLE), 0);
    er_store_close(s);
    er_loop_free(loop);
    kit_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_power_cut_at_every_moment),
        cmocka_unit_test(test_store_power_cut_loses_what_was_not_flushed),
        cmocka_unit_test(test_store_power_one_sync_per_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
