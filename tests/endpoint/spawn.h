/* Start and stop the test endpoint from a C test.
 *
 *     struct endpoint ep;
 *     endpoint_start(&ep, "--script", path, NULL);
 *     … "http://127.0.0.1:%u", ep.port …
 *     endpoint_stop(&ep);
 *
 * The program is $ERRAND_BUILD/tests/endpoint, or stands beside the folder
 * of the test that asks. It ends when the test does, however that dies: its
 * standard input is a pipe that only the test holds.
 */
#ifndef ERRAND_TESTS_ENDPOINT_SPAWN_H
#define ERRAND_TESTS_ENDPOINT_SPAWN_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENDPOINT_MAX_ARGS = 24 };

struct endpoint {
    pid_t pid;
    unsigned port;
    int in;           /* its standard input */
    FILE *out;        /* its standard output, behind the line of the port */
    char totals[300]; /* after endpoint_stop, if --count was given */
};

static inline void endpoint_path(char *path, size_t size)
{
    const char *build = getenv("ERRAND_BUILD");
    char self[3000] = "";
    if (build) {
        snprintf(path, size, "%s/tests/endpoint", build);
        return;
    }
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        self[0] = '\0';
    for (int i = 0; i < 2; i++)
        if (strrchr(self, '/'))
            *strrchr(self, '/') = '\0';
    snprintf(path, size, "%s/endpoint", self);
}

static inline void endpoint_child(
    char **argv, const int in[2], const int out[2])
{
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    execv(argv[0], argv);
    _exit(127);
}

/* Arguments end with NULL. True once it listens. */
static inline int endpoint_start(struct endpoint *ep, ...)
{
    char path[3100];
    char *argv[ENDPOINT_MAX_ARGS] = {path, (char *)"--until-eof"};
    int in[2], out[2], n = 2;
    va_list ap;
    va_start(ap, ep);
    while (n < ENDPOINT_MAX_ARGS - 1 &&
           (argv[n] = va_arg(ap, char *)) != NULL)
        n++;
    va_end(ap);
    endpoint_path(path, sizeof path);
    memset(ep, 0, sizeof *ep);
    if (pipe(in) != 0 || pipe(out) != 0)
        return 0;
    ep->pid = fork();
    if (ep->pid == 0)
        endpoint_child(argv, in, out);
    close(in[0]);
    close(out[1]);
    ep->in = in[1];
    ep->out = fdopen(out[0], "r");
    return ep->pid > 0 && ep->out &&
           fgets(ep->totals, sizeof ep->totals, ep->out) &&
           sscanf(ep->totals, "port %u", &ep->port) == 1;
}

/* End it; its exit status, or -1. */
static inline int endpoint_stop(struct endpoint *ep)
{
    int status = -1;
    close(ep->in);
    if (ep->out && !fgets(ep->totals, sizeof ep->totals, ep->out))
        ep->totals[0] = '\0';
    if (ep->out)
        fclose(ep->out);
    if (waitpid(ep->pid, &status, 0) != ep->pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

#endif
