/* Crash points: places where tests kill the process.
 *
 * ER_CRASH("T2.after_commit") does nothing in a release. In a build with
 * ERRAND_CRASHPOINTS it raises SIGKILL when the environment says
 * ERRAND_CRASH=T2.after_commit:3 and this is the third time here. The names
 * stand in one list, tests/crash/points, which lint holds against the code.
 */
#ifndef ERRAND_BASE_CRASH_H
#define ERRAND_BASE_CRASH_H

#ifdef ERRAND_CRASHPOINTS
void er_crash_point(const char *name);
#define ER_CRASH(name) er_crash_point(name)
#else
#define ER_CRASH(name) ((void)0)
#endif

#endif
