/* See fault_vfs.h. Included by the tests that use it. */
#include "support/fault_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 16, SECTOR = 512 };

struct pending { /* a write (or a truncation, bytes NULL) not yet synced */
    struct pending *next;
    sqlite3_int64 at;
    int len;
    unsigned char *bytes;
};

struct image { /* what the disk holds of one file */
    char path[512];
    unsigned char *bytes;
    sqlite3_int64 len;
    struct pending *first, **last;
    bool deleted;
};

struct shim {
    sqlite3_file base;
    sqlite3_file *real;
    struct image *image;
    bool is_wal;
    bool is_new; /* a journal: its first sync syncs the folder as well */
};

static struct fault_vfs fault;
static struct image images[IMAGES];
static sqlite3_vfs *real_vfs;

/* --- images */

static bool image_write(struct image *m, const void *bytes,
    sqlite3_int64 at, sqlite3_int64 len)
{
    if (at + len > m->len) {
        unsigned char *more = realloc(m->bytes, (size_t)(at + len));
        if (!more)
            return false;
        memset(more + m->len, 0, (size_t)(at + len - m->len));
        m->bytes = more;
        m->len = at + len;
    }
    memcpy(m->bytes + at, bytes, (size_t)len);
    return true;
}

static void apply(struct image *m, const struct pending *p)
{
    if (p->bytes)
        image_write(m, p->bytes, p->at, p->len);
    else if (p->at < m->len)
        m->len = p->at;
}

static void drop_pending(struct image *m, bool keep)
{
    while (m->first) {
        struct pending *p = m->first;
        m->first = p->next;
        if (keep)
            apply(m, p);
        free(p->bytes);
        free(p);
    }
    m->last = &m->first;
}

static void add_pending(
    struct image *m, const void *bytes, sqlite3_int64 at, int len)
{
    struct pending *p = calloc(1, sizeof *p);
    p->at = at;
    p->len = len;
    if (bytes) {
        p->bytes = malloc((size_t)len);
        memcpy(p->bytes, bytes, (size_t)len);
    }
    *m->last = p;
    m->last = &p->next;
}

static struct image *image_find(const char *path)
{
    for (int i = 0; i < IMAGES; i++) {
        if (strcmp(images[i].path, path) == 0)
            return &images[i];
    }
    return NULL;
}

/* What is there already counts as synced. */
static struct image *image_open(const char *path, bool *failed)
{
    struct image *m = image_find(path);
    if (m && !m->deleted)
        return m;
    if (!m)
        m = image_find("");
    if (!m) {
        *failed = true;
        return NULL;
    }
    drop_pending(m, false);
    m->len = 0;
    m->deleted = false;
    m->last = &m->first;
    snprintf(m->path, sizeof m->path, "%s", path);
    FILE *f = fopen(path, "rb");
    unsigned char block[4096];
    size_t n;
    while (f && (n = fread(block, 1, sizeof block, f)) > 0)
        image_write(m, block, m->len, (sqlite3_int64)n);
    if (f)
        fclose(f);
    return m;
}

static void images_reset(void)
{
    for (int i = 0; i < IMAGES; i++) {
        drop_pending(&images[i], false);
        free(images[i].bytes);
        images[i] = (struct image){.last = &images[i].first};
    }
}

/* --- cuts */

static uint64_t roll(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Each sector of a write may have reached the disk or not. */
static void apply_some(
    struct image *m, const struct pending *p, uint64_t *seed)
{
    if (!p->bytes) {
        if (roll(seed) & 1)
            apply(m, p);
        return;
    }
    for (int done = 0; done < p->len;) {
        sqlite3_int64 at = p->at + done;
        int n = SECTOR - (int)(at % SECTOR);
        if (n > p->len - done)
            n = p->len - done;
        if (roll(seed) & 1)
            image_write(m, p->bytes + done, at, n);
        done += n;
    }
}

static bool write_image(const struct image *m, const char *folder)
{
    char path[700];
    const char *slash = strrchr(m->path, '/');
    snprintf(path, sizeof path, "%s/%s", folder, slash ? slash + 1 : m->path);
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(m->bytes, 1, (size_t)m->len, f) == (size_t)m->len;
    if (f && fclose(f) != 0)
        ok = false;
    return ok;
}

static bool cut_one(const struct image *m, const char *folder,
    enum fault_cut how, uint64_t *seed)
{
    struct image copy = {.len = m->len};
    size_t len = strlen(m->path);
    memcpy(copy.path, m->path, len + 1);
    /* a removal nobody synced may be undone */
    if (m->deleted && (how != FAULT_CUT_RANDOM || roll(seed) & 1))
        return true;
    copy.bytes = malloc((size_t)m->len + 1);
    if (!copy.bytes)
        return false;
    if (m->len)
        memcpy(copy.bytes, m->bytes, (size_t)m->len);
    for (const struct pending *p = m->first; p; p = p->next) {
        if (how == FAULT_CUT_ALL)
            apply(&copy, p);
        else if (how == FAULT_CUT_RANDOM)
            apply_some(&copy, p, seed);
    }
    bool ok = write_image(&copy, folder);
    free(copy.bytes);
    return ok;
}

bool fault_vfs_cut(const char *folder, enum fault_cut how, uint64_t seed)
{
    for (int i = 0; i < IMAGES; i++) {
        if (images[i].path[0] &&
            !cut_one(&images[i], folder, how, &seed))
            return false;
    }
    return true;
}

/* --- files */

static sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct shim *)f)->real;
}

/* Count a call; the result it must have. */
static int next_call(void)
{
    if (fault.tracking && fault.before)
        fault.before(fault.ctx);
    fault.calls++;
    if (fault.calls >= fault.fail_from && fault.calls <= fault.fail_to)
        return fault.fail_with;
    return SQLITE_OK;
}

static int shim_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}

static int shim_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), buf, n, at);
}

static int shim_write(
    sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
    struct shim *s = (struct shim *)f;
    int rc = next_call();
    if (rc == SQLITE_OK)
        rc = s->real->pMethods->xWrite(s->real, buf, n, at);
    else if (n > 8) /* a failing write may leave a part of itself */
        s->real->pMethods->xWrite(s->real, buf, n / 2, at);
    if (rc == SQLITE_OK && s->image)
        add_pending(s->image, buf, at, n);
    return rc == SQLITE_IOERR ? SQLITE_IOERR_WRITE : rc;
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    struct shim *s = (struct shim *)f;
    int rc = next_call();
    if (rc == SQLITE_OK)
        rc = s->real->pMethods->xTruncate(s->real, size);
    if (rc == SQLITE_OK && s->image)
        add_pending(s->image, NULL, size, 0);
    return rc == SQLITE_IOERR ? SQLITE_IOERR_TRUNCATE : rc;
}

/* With the folder, the removals in it are on the disk. */
static void sync_folder_of_images(void)
{
    for (int i = 0; i < IMAGES; i++) {
        if (images[i].deleted) {
            drop_pending(&images[i], false);
            images[i].path[0] = '\0';
            images[i].deleted = false;
        }
    }
}

/* The disk itself is spared: only the books say what is synced. */
static int shim_sync(sqlite3_file *f, int flags)
{
    struct shim *s = (struct shim *)f;
    int rc = next_call();
    (void)flags;
    if (rc != SQLITE_OK)
        return rc == SQLITE_IOERR ? SQLITE_IOERR_FSYNC : rc;
    fault.wal_syncs += s->is_wal;
    if (s->image)
        drop_pending(s->image, true);
    if (s->is_new)
        sync_folder_of_images();
    s->is_new = false;
    return SQLITE_OK;
}

static int shim_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int shim_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int shim_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int shim_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int shim_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int shim_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int shim_device(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int shim_shm_map(
    sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(
        real_of(f), page, size, extend, out);
}

static int shim_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void shim_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int shim_shm_unmap(sqlite3_file *f, int delete)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), delete);
}

static const sqlite3_io_methods shim_methods = {
    .iVersion = 2, /* no memory mapping: every write is seen */
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_reserved,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f,
    int flags, int *out_flags)
{
    struct shim *s = (struct shim *)f;
    bool failed = false;
    (void)vfs;
    memset(s, 0, sizeof *s);
    s->real = (sqlite3_file *)(s + 1);
    s->is_wal = flags & SQLITE_OPEN_WAL;
    s->is_new = flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL) &&
                flags & SQLITE_OPEN_CREATE;
    if (fault.tracking && name)
        s->image = image_open(name, &failed);
    if (failed)
        return SQLITE_NOMEM;
    int rc = real_vfs->xOpen(real_vfs, name, s->real, flags, out_flags);
    if (s->real->pMethods)
        s->base.pMethods = &shim_methods;
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    struct image *m = fault.tracking ? image_find(name) : NULL;
    if (m)
        m->deleted = true;
    if (fault.tracking && sync_folder)
        sync_folder_of_images();
    return real_vfs->xDelete(real_vfs, name, sync_folder);
}

struct fault_vfs *fault_vfs_use(void)
{
    static sqlite3_vfs vfs;
    if (!real_vfs) {
        real_vfs = sqlite3_vfs_find(NULL);
        vfs = *real_vfs;
        vfs.zName = FAULT_VFS;
        vfs.szOsFile = (int)sizeof(struct shim) + real_vfs->szOsFile;
        vfs.xOpen = vfs_open;
        vfs.xDelete = vfs_delete;
        vfs.pNext = NULL;
        sqlite3_vfs_register(&vfs, 0);
    }
    images_reset();
    fault = (struct fault_vfs){0};
    return &fault;
}
