/* One file on its way. See pull.h for what stands where. */
#include "model/pull_file.h"

#include "base/sha256.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    PATH = 4096,
    PIECE = 1 << 18,
    TRIES = 4, /* in a row that brought nothing */
    FIRST_WAIT_MS = 500,
};

struct job {
    const struct er_pull *p;
    struct er_download *d;
    const struct er_hub_file *f;
    const char *path;
    char part[PATH], etag[100], want[65]; /* want: sum, or "" */
    int fd;
    int64_t have, total; /* total -1: unknown */
    struct er_sha256 sum;
    struct errand_error *why; /* that on_bytes ended it; code 0: it did not */
    bool learned;             /* size and etag, from one byte */
};

/* ---------------------------------------------------------- small parts */

static bool tell(const struct job *j, int phase)
{
    struct errand_progress p = {.size = sizeof p, .phase = (uint32_t)phase,
        .file = j->f->name, .done = j->have, .total = j->total};
    return !j->p->on_progress || j->p->on_progress(j->p->ctx, &p);
}

static bool go_on(void *ctx) { return tell(ctx, ERRAND_PULL_FETCH); }

static int start_over(struct job *j, struct errand_error *err)
{
    j->have = 0;
    er_sha256_init(&j->sum);
    if (ftruncate(j->fd, 0) != 0 || lseek(j->fd, 0, SEEK_SET) != 0)
        return er_fail_errno(err, ERRAND_IO, "cannot empty %s", j->part);
    return ERRAND_OK;
}

/* Add what stands in fd to the sum, from its beginning to its end. */
static int read_all(struct job *j, int fd, struct errand_error *err)
{
    char *piece = malloc(PIECE);
    int rc = piece ? ERRAND_OK : er_nomem(err);
    ssize_t n = 0;
    er_sha256_init(&j->sum);
    j->have = 0;
    while (rc == ERRAND_OK && (n = read(fd, piece, PIECE)) > 0) {
        er_sha256_add(&j->sum, piece, (size_t)n);
        j->have += n;
        if (!tell(j, ERRAND_PULL_CHECK))
            rc = er_fail(err, ERRAND_CANCELLED, "interrupted");
    }
    if (n < 0)
        rc = er_fail_errno(err, ERRAND_IO, "cannot read %s", j->path);
    free(piece);
    return rc;
}

static void end_sum(struct job *j, char out[65])
{
    unsigned char bytes[32];
    er_sha256_end(&j->sum, bytes);
    er_hex(bytes, sizeof bytes, out);
}

/* Is there room for what is missing? */
static int check_room(const struct job *j, struct errand_error *err)
{
    struct statvfs fs;
    if (j->total < 0 || fstatvfs(j->fd, &fs) != 0)
        return ERRAND_OK;
    uint64_t room = (uint64_t)fs.f_bavail;
    uint64_t need = (uint64_t)(j->total - j->have);
    if (need / (fs.f_frsize ? fs.f_frsize : 512) < room)
        return ERRAND_OK;
    return er_fail(err, ERRAND_TOO_LARGE, "%s needs %llu MiB more and the "
        "disk has %llu MiB; make room, or name another folder with --dir",
        j->f->name, (unsigned long long)(need >> 20),
        (unsigned long long)(room * fs.f_frsize >> 20));
}

/* ---------------------------------------------------------- bytes that come */

/* ... says the server, which ends it. */
static bool ended(struct job *j, const char *what)
{
    er_fail(j->why, ERRAND_PROTOCOL, "%s %s; was it replaced? Try again",
        j->f->name, what);
    return false;
}

/* The server's answer fits what is there, or all begins anew. */
static bool fits(struct job *j, const struct er_reply *r)
{
    if (r->from != j->have) {
        if (r->from != 0)
            return ended(j, "comes from another byte than was asked for");
        if (start_over(j, j->why) != ERRAND_OK)
            return false;
    }
    if (j->total >= 0 && r->total >= 0 && r->total != j->total)
        return ended(j, "has another size than was said");
    j->total = j->total >= 0 ? j->total : r->total;
    snprintf(j->etag, sizeof j->etag, "%s", r->etag);
    return check_room(j, j->why) == ERRAND_OK;
}

struct flow {
    struct job *job;
    bool begun;
};

static bool on_bytes(void *ctx, const struct er_reply *r, const char *bytes,
    size_t len)
{
    struct flow *flow = ctx;
    struct job *j = flow->job;
    if (!flow->begun && !fits(j, r))
        return false;
    flow->begun = true;
    if (j->total >= 0 && (int64_t)len > j->total - j->have)
        return ended(j, "is longer than was said");
    for (size_t done = 0; done < len;) {
        ssize_t n = write(j->fd, bytes + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            er_fail_errno(j->why, ERRAND_IO, "cannot write %s", j->part);
            return false;
        }
        done += (size_t)n;
    }
    er_sha256_add(&j->sum, bytes, len);
    j->have += (int64_t)len;
    return true;
}

static bool on_one_byte(void *ctx, const struct er_reply *r,
    const char *bytes, size_t len)
{
    (void)ctx, (void)r, (void)bytes, (void)len;
    return false;
}

/* ------------------------------------------------------------- the request */

/* Of an address of its own nobody has said anything: one byte tells its size
 * and which content it is. */
static int learn(struct job *j, struct errand_error *err)
{
    struct er_reply r;
    struct er_wish w = {
        .url = j->f->url, .one_byte = true, .on_bytes = on_one_byte};
    int rc = er_download_get(j->d, &w, &r, err);
    if (rc != ERRAND_OK)
        return rc;
    j->total = r.total;
    snprintf(j->etag, sizeof j->etag, "%s", r.etag);
    if (!j->want[0])
        memcpy(j->want, r.sha256, sizeof j->want);
    return ERRAND_OK;
}

static int fetch_once(
    struct job *j, bool *again, struct errand_error *err)
{
    struct er_reply r;
    struct errand_error why = {0};
    struct flow flow = {.job = j};
    struct er_wish w = {.url = j->f->url, .from = j->have, .etag = j->etag,
        .on_bytes = on_bytes, .ctx = &flow};
    j->why = &why;
    int rc = er_download_get(j->d, &w, &r, err);
    if (why.code != ERRAND_OK) {
        *again = false;
        *err = why;
        return why.code;
    }
    *again = r.retriable;
    if (rc == ERRAND_RANGE && j->have > 0) { /* what is there fits no more */
        *again = true;
        return start_over(j, err) == ERRAND_OK ? rc : err->code;
    }
    if (rc == ERRAND_OK && j->total >= 0 && j->have < j->total)
        return er_fail(err, ERRAND_NETWORK, "%s ended after %lld of %lld "
            "bytes", j->f->name, (long long)j->have, (long long)j->total);
    return rc;
}

/* As often as it gets further, and TRIES times more. */
static int fetch(struct job *j, struct errand_error *err)
{
    int64_t best = j->have;
    struct errand_error last = {0};
    for (int tries = 0; tries < TRIES; tries++) {
        bool again = false;
        struct errand_error now = {0};
        if (j->total >= 0 && j->have == j->total && j->total > 0)
            return ERRAND_OK;
        int rc = fetch_once(j, &again, &now);
        if (rc == ERRAND_OK)
            return rc;
        last = now;
        if (!again)
            break;
        if (j->have > best) {
            best = j->have;
            tries = 0;
        }
        if (!er_download_pause(j->d, FIRST_WAIT_MS << tries)) {
            er_fail(&last, ERRAND_CANCELLED, "interrupted");
            break;
        }
    }
    if (err)
        *err = last;
    return last.code;
}

/* ------------------------------------------------------------ the part */

/* NAME.ID.part: ID of the checksum, else of address and etag. */
static int name_part(struct job *j, struct errand_error *err)
{
    struct er_buf id;
    char sum[65];
    er_buf_init(&id, 8192);
    if (j->want[0])
        er_buf_adds(&id, j->want);
    else
        er_buf_addf(&id, "%s\n%s", j->f->url, j->etag);
    er_sha256_hex(er_buf_str(&id), id.len, sum);
    er_buf_release(&id);
    int n = snprintf(
        j->part, sizeof j->part, "%s.%.12s.part", j->path, sum);
    return n > 0 && (size_t)n < sizeof j->part ? ERRAND_OK
        : er_fail(err, ERRAND_IO, "the path %.80s… is too long", j->path);
}

static int open_part(struct job *j, struct errand_error *err)
{
    j->fd = open(j->part, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (j->fd < 0)
        return er_fail_errno(err, ERRAND_IO, "cannot write %s", j->part);
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        return er_fail(err, ERRAND_BUSY,
            "%s is being pulled by another errand", j->f->name);
    struct stat st;
    if (fstat(j->fd, &st) != 0)
        return er_fail_errno(err, ERRAND_IO, "cannot read %s", j->part);
    /* without a name for the content, the part may be of any */
    bool known = j->want[0] || j->etag[0];
    if (!known || (j->total >= 0 && st.st_size > j->total))
        return start_over(j, err);
    return read_all(j, j->fd, err);
}

/* ------------------------------------------------------------ the end */

static int check_magic(const struct job *j, struct errand_error *err)
{
    char magic[4] = "";
    if (pread(j->fd, magic, 4, 0) == 4 && memcmp(magic, "GGUF", 4) == 0)
        return ERRAND_OK;
    unlink(j->part);
    return er_fail(err, ERRAND_PROTOCOL,
        "what came for %s is no GGUF file; is the address right?",
        j->f->name);
}

static int check_sum(const struct job *j, const char *sum,
    struct errand_error *err)
{
    if (!j->want[0] || strcmp(sum, j->want) == 0)
        return ERRAND_OK;
    unlink(j->part);
    return er_fail(err, ERRAND_PROTOCOL, "the checksum of %s is %.16s…, and "
        "should be %.16s…; what came was thrown away, try again",
        j->f->name, sum, j->want);
}

/* Flushed, then renamed, then the rename flushed. */
static int put_in_place(const struct job *j, struct errand_error *err)
{
    char dir[PATH];
    const char *slash = strrchr(j->path, '/');
    snprintf(dir, sizeof dir, "%.*s", (int)(slash - j->path), j->path);
    if (fsync(j->fd) != 0)
        return er_fail_errno(err, ERRAND_IO, "cannot flush %s", j->part);
    if (rename(j->part, j->path) != 0)
        return er_fail_errno(err, ERRAND_IO, "cannot rename %s", j->part);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!fsync(fd); /* some file systems cannot; the file itself is */
        close(fd);
    }
    return ERRAND_OK;
}

static int finish(
    struct job *j, struct er_pulled *out, struct errand_error *err)
{
    end_sum(j, out->sha256);
    out->bytes = j->have;
    out->verified = j->want[0] != '\0';
    int rc = check_sum(j, out->sha256, err);
    if (rc == ERRAND_OK)
        rc = check_magic(j, err);
    return rc == ERRAND_OK ? put_in_place(j, err) : rc;
}

/* ------------------------------------------------------------ the whole */

/* A file of that name is there: the same one? */
static int look_at(struct job *j, int fd, struct er_pulled *out,
    struct errand_error *err)
{
    struct stat st;
    bool same = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                (j->total < 0 || st.st_size == j->total);
    int rc = same ? read_all(j, fd, err) : ERRAND_OK;
    if (rc != ERRAND_OK)
        return rc;
    if (same)
        end_sum(j, out->sha256);
    if (!same || (j->want[0] && strcmp(out->sha256, j->want) != 0))
        return er_fail(err, ERRAND_EXISTS, "there is another file %s; move "
            "it away, or name another folder with --dir", j->path);
    out->already = true;
    out->bytes = j->have;
    out->verified = j->want[0] != '\0';
    return ERRAND_OK;
}

static int fetch_part(
    struct job *j, struct er_pulled *out, struct errand_error *err)
{
    int rc = name_part(j, err);
    if (rc == ERRAND_OK)
        rc = open_part(j, err);
    if (rc != ERRAND_OK)
        return rc;
    out->resumed = j->have;
    rc = check_room(j, err);
    if (rc == ERRAND_OK)
        rc = fetch(j, err);
    if (rc == ERRAND_OK)
        return finish(j, out, err);
    if (j->have == 0)
        unlink(j->part);
    else if (rc == ERRAND_NETWORK || rc == ERRAND_TIMEOUT)
        er_while(err, "%lld bytes are kept, the same command goes on",
            (long long)j->have);
    return rc;
}

int er_pull_file(const struct er_pull *p, struct er_download *d,
    const struct er_hub_file *f, const char *path, struct er_pulled *out,
    struct errand_error *err)
{
    struct job j = {.p = p, .d = d, .f = f, .path = path, .fd = -1,
        .total = f->bytes};
    struct errand_error mine = {0};
    *out = (struct er_pulled){0};
    const char *want = p->sha256 ? p->sha256 : f->sha256;
    snprintf(j.want, sizeof j.want, "%s", want ? want : "");
    d->go_on = go_on;
    d->ctx = &j;
    er_sha256_init(&j.sum);
    int rc = f->sha256 ? ERRAND_OK : learn(&j, &mine);
    int fd = rc == ERRAND_OK ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        rc = look_at(&j, fd, out, &mine);
        close(fd);
    } else if (rc == ERRAND_OK) {
        rc = fetch_part(&j, out, &mine);
    }
    if (j.fd >= 0)
        close(j.fd);
    d->go_on = NULL;
    if (rc != ERRAND_OK && err)
        *err = mine;
    return rc;
}
