/* hash_file: the SHA-256 of a file, read piece by piece.
 *
 * A model cannot compute one and a tool in Lua would take minutes for what C
 * does in a second. What it may read is what the configuration says (read =
 * { ... }), or else the working folder; the cage around the worker sees to
 * that, so nothing here looks at paths.
 */
#include <errand/tool.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- SHA-256, FIPS 180-4 */

struct sha {
    uint32_t h[8];
    uint64_t total;
    unsigned char block[64];
};

static uint32_t turn(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void mix(uint32_t h[8], const uint32_t w[64])
{
    static const uint32_t k[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
        0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74,
        0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
        0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc,
        0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
        0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
        0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb,
        0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70,
        0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3,
        0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f,
        0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2};
    uint32_t v[8];
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t e = v[4], a = v[0];
        uint32_t t1 = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
                      ((e & v[5]) ^ (~e & v[6])) + k[i] + w[i];
        uint32_t t2 = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
                      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += v[i];
}

static void take_block(struct sha *s)
{
    uint32_t w[64];
    for (int i = 0; i < 16; i++) {
        const unsigned char *b = s->block + 4 * i;
        w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
               (uint32_t)b[2] << 8 | b[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ x >> 3) + w[i - 7] +
               (turn(y, 17) ^ turn(y, 19) ^ y >> 10);
    }
    mix(s->h, w);
}

static void add(struct sha *s, const unsigned char *bytes, size_t len)
{
    while (len > 0) {
        size_t at = (size_t)(s->total % 64), n = 64 - at;
        if (n > len)
            n = len;
        memcpy(s->block + at, bytes, n);
        s->total += n;
        bytes += n;
        len -= n;
        if (s->total % 64 == 0)
            take_block(s);
    }
}

static void finish(struct sha *s, char hex[65])
{
    static const unsigned char end[64] = {0x80};
    uint64_t bits = s->total * 8;
    unsigned char size[8];
    add(s, end, 1 + (size_t)((119 - s->total % 64) % 64));
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)(bits >> (56 - 8 * i));
    add(s, size, 8);
    for (int i = 0; i < 8; i++)
        snprintf(hex + 8 * i, 9, "%08x", (unsigned)s->h[i]);
}

/* --- the tool */

static void fail(struct errand_tool_call *call, const char *path,
    const char *what, const char *why)
{
    char text[600];
    snprintf(text, sizeof text, "%s %.300s: %s", what, path, why);
    call->host->fail(call, text, strlen(text));
}

/* Read to the end. NULL, or what went wrong. */
static const char *read_all(
    struct errand_tool_call *call, int fd, struct sha *s)
{
    unsigned char piece[65536];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n == 0)
            return NULL;
        if (n < 0 && errno != EINTR)
            return "reading failed";
        if (n > 0)
            add(s, piece, (size_t)n);
        if (call->host->cancelled(call))
            return "the time is over";
    }
}

static void hash(struct errand_tool_call *call, int fd, const char *path)
{
    struct sha s = {.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
    char hex[65], text[160];
    const char *why = read_all(call, fd, &s);
    if (why) {
        fail(call, path, "cannot read", why);
        return;
    }
    unsigned long long size = s.total;
    finish(&s, hex);
    int n = snprintf(
        text, sizeof text, "{\"sha256\":\"%s\",\"bytes\":%llu}", hex, size);
    call->host->reply(call, text, (size_t)n);
}

static void run(void *self, struct errand_tool_call *call)
{
    struct stat st;
    (void)self;
    const char *path = call->host->text(call, "/path", NULL);
    if (!path)
        path = "";
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        fail(call, path, "cannot open",
            errno == ENOENT ? "there is no such file"
                            : "it is not among the files that may be read");
        return;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        fail(call, path, "cannot hash", "it is not a file");
    else
        hash(call, fd, path);
    close(fd);
}

static const struct errand_tool tool = {
    .size = sizeof tool,
    .effect = ERRAND_TOOL_READ,
    .flags = ERRAND_TOOL_REENTRANT,
    .timeout_ms = 120000,
    .name = "hash_file",
    .description =
        "The SHA-256 of a file and its size in bytes. Use it to see whether "
        "two files are the same or whether a download is whole.",
    .parameters = "{\"type\": \"object\","
                  " \"properties\": {"
                  "  \"path\": {\"type\": \"string\", \"minLength\": 1,"
                  "   \"description\": \"file to hash\"}},"
                  " \"required\": [\"path\"],"
                  " \"additionalProperties\": false}",
    .permissions = "{\"read\": {\"config\": \"read\", \"else\": [\".\"]}}",
    .run = run,
};

static const struct errand_tool *const tools[] = {&tool, NULL};

static const struct errand_plugin plugin = {
    .size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "hash_file",
    .version = "1.0",
    .tools = tools,
    .configuration =
        "{\"type\": \"object\","
        " \"properties\": {"
        "  \"read\": {\"type\": \"array\","
        "   \"items\": {\"type\": \"string\", \"minLength\": 1},"
        "   \"description\": \"files and folders it may read\"}},"
        " \"additionalProperties\": false}",
};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
