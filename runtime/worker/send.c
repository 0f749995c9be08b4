/* A blocking write of everything. A runtime that has gone is an error here
 * and no signal. */
#include "send.h"

#include <errno.h>
#include <sys/socket.h>

bool er_send(int sock, const struct er_buf *bytes)
{
    size_t done = 0;
    while (done < bytes->len) {
        ssize_t n = send(
            sock, bytes->data + done, bytes->len - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            done += (size_t)n;
    }
    return true;
}
