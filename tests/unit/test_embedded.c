/* Files inside the program: the very bytes of schemas/, all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/embedded.h"
#include "base/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder(void)
{
    const char *root = getenv("ERRAND_ROOT");
    static char path[4096];
    snprintf(path, sizeof path, "%s/schemas", root ? root : ".");
    return path;
}

static void read_file(const char *name, struct er_buf *out)
{
    char path[4400], piece[4096];
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        assert_true(er_buf_add(out, piece, n));
    fclose(f);
}

static void test_embedded_has_the_bytes_of_the_files(void **state)
{
    (void)state;
    size_t i = 0;
    for (const char *name; (name = er_embedded_name(i)); i++) {
        struct er_buf b;
        er_buf_init(&b, 1 << 20);
        read_file(name, &b);
        size_t len = 0;
        const char *bytes = er_embedded(name, &len);
        assert_non_null(bytes);
        assert_int_equal(len, b.len);
        assert_memory_equal(bytes, b.data, len);
        assert_int_equal(bytes[len], 0);
        assert_ptr_equal(er_embedded(name, NULL), bytes);
        er_buf_release(&b);
    }
    assert_true(i > 0);
    assert_null(er_embedded_name(i));
    assert_null(er_embedded_name(SIZE_MAX));
}

static void test_embedded_leaves_no_schema_out(void **state)
{
    (void)state;
    DIR *dir = opendir(folder());
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        const char *end = strrchr(e->d_name, '.');
        if (end && strcmp(end, ".json") == 0)
            assert_non_null(er_embedded(e->d_name, NULL));
    }
    closedir(dir);
}

static void test_embedded_knows_no_other_names(void **state)
{
    (void)state;
    size_t len = 7;
    assert_null(er_embedded("none.json", &len));
    assert_null(er_embedded("", &len));
    assert_int_equal(len, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedded_has_the_bytes_of_the_files),
        cmocka_unit_test(test_embedded_leaves_no_schema_out),
        cmocka_unit_test(test_embedded_knows_no_other_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
