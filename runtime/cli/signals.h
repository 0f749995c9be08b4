/* Ctrl-C: the first stops the work in an orderly way, the second at once. */
#ifndef ERRAND_CLI_SIGNALS_H
#define ERRAND_CLI_SIGNALS_H

#include <errand/errand.h>

#include <stdbool.h>

/* What the next SIGINT, SIGTERM or SIGHUP does. */
enum er_signal_mode {
    ER_SIGNAL_EXIT = 0, /* ends the program at once, status 130 */
    ER_SIGNAL_RUN = 1,  /* interrupts rt; the one after it exits */
    ER_SIGNAL_NOTE = 2, /* SIGINT is only noted; others exit */
};

/* Set up the handlers (mode EXIT); SIGPIPE is ignored from now on, SIGBUS
 * says what happened and ends with status 1. */
void er_signals_init(void);

/* Change the mode and forget earlier signals. rt is needed for RUN and must
 * stay open until the mode changes again. */
void er_signals_watch(enum er_signal_mode mode, errand *rt);

/* Back to the mode of rest, EXIT unless er_signals_rest says another. */
void er_signals_unwatch(void);
void er_signals_rest(enum er_signal_mode mode);

/* True if a signal came since the mode changed last. */
bool er_signals_came(void);

#endif
