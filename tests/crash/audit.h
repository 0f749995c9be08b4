/* The auditor: holds a database and the ledger outside against what errand
 * promises. */
#ifndef ERRAND_CRASH_AUDIT_H
#define ERRAND_CRASH_AUDIT_H

/* What may be found. */
struct audit_want {
    const char *db, *ledger, *acks;
    int runs, rounds, parallel; /* what was asked for */
    int unsafe;                 /* the ledger tool is unsafe */
};

/* Calls whose outcome is unknown, counted; each must have been killed between
 * its T2 and its T3 (a ledger line may or may not be there). -1: a promise is
 * broken, said on standard error. final: everything must be done. */
int audit(const struct audit_want *w, int final);

/* Settle unknown calls as the ledger says: done if their key is there. 0, or
 * -1 on failure. */
int audit_settle(const struct audit_want *w);

#endif
