/* See store_story.h. Included by the tests that use it. */
#include "support/store_story.h"

#include "support/store_kit.c"

#include "base/buf.h"

#include <sqlite3.h>

static struct er_op *story_accept(const char *conv, const char *run)
{
    struct er_op *op = er_op_new(ER_OP_ACCEPT);
    struct er_new_message *m = er_arena_alloc(&op->arena, sizeof *m);
    *m = (struct er_new_message){
        "user", kit_message(op, "user", "a question"), "a question"};
    op->in.accept = (struct er_accept){.conv_id = er_arena_str(&op->arena,
                                           conv),
        .new_conversation = true,
        .run_id = er_arena_str(&op->arena, run),
        .owner = "other-host/boot/1/1",
        .lease_ms = 1000,
        .n_messages = 1,
        .messages = m};
    return op;
}

static void end_with(char *id, char digit)
{
    size_t len = strlen(id);
    id[len] = digit;
    id[len + 1] = '\0';
}

struct er_op *story_op(int k)
{
    int i = k / STORY_OPS_PER_RUN;
    struct kit_run r = {.claim.epoch = 1};
    char call[24];
    snprintf(r.conv, ER_ID_SIZE, "conversation-%d", i);
    snprintf(r.claim.run_id, ER_ID_SIZE, "run-%d", i);
    snprintf(call, sizeof call, "call-%d-", i);
    struct er_op *op = NULL;
    switch (k % STORY_OPS_PER_RUN) {
    case 0:
        return story_accept(r.conv, r.claim.run_id);
    case 1:
        return kit_step_op(&r, call, 2, ERRAND_UNSAFE);
    case 2:
        op = er_op_new(ER_OP_BEGIN);
        op->in.call.claim = r.claim;
        end_with(call, '0');
        op->in.call.call_id = er_arena_str(&op->arena, call);
        return op;
    case 3:
        end_with(call, '1');
        return kit_finish_op(&r, call, ER_CALL_DENIED, "not that one");
    case 4:
        end_with(call, '0');
        return kit_finish_op(&r, call, ER_CALL_DONE, "a result");
    case 5:
        return kit_step_op(&r, call, 0, 0);
    default:
        op = er_op_new(ER_OP_KV_SET);
        op->in.kv.tool = "remember";
        op->in.kv.key = i == 2 ? "first" : "second";
        op->in.kv.value = er_arena_str(&op->arena, call);
        return op;
    }
}

bool story_is_committed_only(int k) { return k % STORY_OPS_PER_RUN == 3; }

static const char *const story_questions[] = {
    "PRAGMA integrity_check",
    ("SELECT id,conv,state,todo&1,epoch,first_seq,next_seq,open_calls,turns,"
     "calls,prompt_tokens FROM runs ORDER BY no"),
    "SELECT no,id FROM conversations ORDER BY no",
    "SELECT id,run,role,calls,content,text FROM messages ORDER BY id",
    "SELECT no,id,state,attempt,result_seq FROM tool_calls ORDER BY no",
    "SELECT run,answer FROM run_texts ORDER BY run",
    "SELECT tool,key,value FROM kv ORDER BY tool,key",
};

static bool add_rows(sqlite3 *db, const char *question, struct er_buf *out)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, question, -1, &st, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            const char *s = (const char *)sqlite3_column_text(st, i);
            er_buf_addf(out, "%s|", s ? s : "-");
        }
        er_buf_addc(out, '\n');
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE;
}

char *story_dump(const char *path)
{
    sqlite3 *db = NULL;
    struct er_buf out;
    er_buf_init(&out, 1 << 20);
    bool ok = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ==
              SQLITE_OK;
    size_t n = sizeof story_questions / sizeof story_questions[0];
    for (size_t i = 0; i < n && ok; i++)
        ok = add_rows(db, story_questions[i], &out);
    sqlite3_close(db);
    if (ok && strncmp(er_buf_str(&out), "ok|", 3) != 0)
        ok = false;
    char *text = ok ? er_buf_take(&out, NULL) : NULL;
    er_buf_release(&out);
    return text;
}

bool story_tell(struct story_pages *pages)
{
    char folder[64], path[80];
    struct er_backend b;
    struct errand_error err = {0};
    bool ok = true;
    memset(pages, 0, sizeof *pages);
    kit_folder_make(folder);
    snprintf(path, sizeof path, "%s/e.db", folder);
    if (er_sqlite_open(path, NULL, NULL, &b, &err) != ERRAND_OK)
        return false;
    for (int k = 0; k <= STORY_OPS && ok; k++) {
        pages->text[k] = story_dump(path);
        ok = pages->text[k] != NULL;
        if (k == STORY_OPS || !ok)
            break;
        struct er_op *op = story_op(k);
        ok = b.ops->begin(b.self, &err) == ERRAND_OK &&
             b.ops->apply(b.self, op) == ERRAND_OK &&
             b.ops->commit(b.self, &err) == ERRAND_OK;
        if (!ok)
            fprintf(stderr, "op %d: %s %s\n", k, op->err.msg, err.msg);
        er_op_free(op);
    }
    b.ops->close(b.self);
    kit_folder_remove(folder);
    return ok;
}

int story_find(const struct story_pages *pages, const char *dump)
{
    for (int k = 0; dump && k <= STORY_OPS; k++) {
        if (strcmp(pages->text[k], dump) == 0)
            return k;
    }
    return -1;
}

void story_free(struct story_pages *pages)
{
    for (int k = 0; k <= STORY_OPS; k++)
        free(pages->text[k]);
}
