/* The one place with a mutable file-scope variable: a signal handler gets
 * no argument, so it must find its runtime there. */
#include "signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* Written by the main thread, read by the handler; all are lock-free. */
static struct {
    atomic_int mode, rest; /* each an er_signal_mode */
    atomic_int count;
    _Atomic(errand *) rt;
} watch;

static void on_signal(int number)
{
    int before = atomic_fetch_add(&watch.count, 1);
    int mode = atomic_load(&watch.mode);
    errand *rt = atomic_load(&watch.rt);
    if (mode == ER_SIGNAL_NOTE && number == SIGINT)
        return;
    if (mode != ER_SIGNAL_RUN || !rt || before > 0)
        _exit(130);
    errand_interrupt(rt);
}

/* The only files that are read through a mapping are models; one that is cut
 * shorter while it is read ends here. Nothing is lost by ending at once: what
 * matters was flushed. */
static void on_bus_error(int number)
{
    static const char text[] = "errand: a file was cut shorter while it was "
        "read (SIGBUS), most likely the model's; put it back and run "
        "errand resume\n";
    ssize_t done = write(STDERR_FILENO, text, sizeof text - 1);
    (void)number;
    _exit(done < 0 ? 2 : 1);
}

/* A signal that the caller has us ignore (nohup, a shell's background)
 * stays ignored. */
static void handle(int number)
{
    struct sigaction act = {.sa_handler = on_signal}, old;
    sigemptyset(&act.sa_mask);
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
        return;
    sigaction(number, &act, NULL);
}

void er_signals_init(void)
{
    handle(SIGINT);
    handle(SIGTERM);
    handle(SIGHUP);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
    struct sigaction bus = {.sa_handler = on_bus_error};
    sigemptyset(&bus.sa_mask);
    sigaction(SIGBUS, &bus, NULL);
}

void er_signals_watch(enum er_signal_mode mode, errand *rt)
{
    /* between two modes that of rest holds, and a signal is not too many */
    atomic_store(&watch.mode, atomic_load(&watch.rest));
    atomic_store(&watch.rt, rt);
    atomic_store(&watch.count, 0);
    atomic_store(&watch.mode, (int)mode);
}

void er_signals_unwatch(void)
{
    er_signals_watch((enum er_signal_mode)atomic_load(&watch.rest), NULL);
}

void er_signals_rest(enum er_signal_mode mode)
{
    atomic_store(&watch.rest, (int)mode);
    er_signals_unwatch();
}

bool er_signals_came(void) { return atomic_load(&watch.count) > 0; }
