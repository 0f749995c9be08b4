/* A VFS that stands between SQLite and the disk and misbehaves on demand.
 *
 * Counts     every write, sync and truncation has a number, from 1 on.
 * Faults     a range of numbers fails with a given result code.
 * Power cut  it knows which bytes were synced; a cut at any moment gives the
 *            files as a disk may hold them then: what was synced, and of the
 *            writes since any part, in sectors of 512 bytes, in any order.
 */
#ifndef ERRAND_TESTS_SUPPORT_FAULT_VFS_H
#define ERRAND_TESTS_SUPPORT_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_VFS "errand-fault"

struct fault_vfs {
    long calls;     /* writes, syncs and truncations so far */
    long wal_syncs; /* syncs of a WAL */
    long fail_from, fail_to; /* calls of these numbers fail; 0: none */
    int fail_with;           /* SQLITE_FULL or SQLITE_IOERR */
    bool tracking;           /* keep what a cut needs */
    /* Called before each call while tracking; may take a cut. */
    void (*before)(void *ctx);
    void *ctx;
};

/* Register it (once) and return its state, reset. */
struct fault_vfs *fault_vfs_use(void);

enum fault_cut {
    FAULT_CUT_SYNCED = 0, /* nothing that was not synced */
    FAULT_CUT_RANDOM = 1, /* of each sector written since, maybe */
    FAULT_CUT_ALL = 2,    /* everything: as after a kill */
};

/* Write the files as they may be after a cut now into folder, under their
 * own names. False: out of memory or the disk refused. */
bool fault_vfs_cut(const char *folder, enum fault_cut how, uint64_t seed);

#endif
