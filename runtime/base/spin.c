/* When to spin. */
#include "spin.h"

#include <unistd.h>

enum { IN_VAIN_MOST = 6 }; /* then one wait in 64 looks */

void er_spin_init(struct er_spin *s)
{
    *s = (struct er_spin){.possible = sysconf(_SC_NPROCESSORS_ONLN) > 1};
}

bool er_spin_begin(struct er_spin *s)
{
    if (!s->possible)
        return false;
    if (s->skip == 0)
        return true;
    s->skip--;
    return false;
}

void er_spin_end(struct er_spin *s, bool found)
{
    if (found)
        s->in_vain = 0;
    else if (s->in_vain < IN_VAIN_MOST)
        s->in_vain++;
    s->skip = (1 << s->in_vain) - 1;
}
