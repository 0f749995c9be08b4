/* What the operating system takes away from a worker. One file per system. */
#ifndef ERRAND_WORKER_PLATFORM_H
#define ERRAND_WORKER_PLATFORM_H

/* Close every descriptor but 0, 1, 2 and sock; set limits; see to it that
 * the worker does not outlive the runtime. What cannot be enforced here is
 * left out: the runtime's deadline stands in any case. */
void er_platform_lock_down(int sock);

/* Give memory that a large call left behind back to the system. */
void er_platform_trim(void);

#endif
