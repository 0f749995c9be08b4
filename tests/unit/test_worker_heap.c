/* The memory of Lua states: contents survive, limits hold, and going back is
 * exact. The worker is a program of its own, so its file is included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "worker/heap.c"

enum { LIMIT = 1 << 20, SLOTS = 300 };

struct slot {
    unsigned char *p;
    size_t size;
    unsigned char mark; /* every byte of it */
};

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void check_slot(const struct slot *s, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(s->p[i], s->mark);
}

/* Give a slot another size: 0 frees it. */
static void change(
    struct er_heap *heap, struct slot *s, size_t size, unsigned char mark)
{
    size_t least = size < s->size ? size : s->size;
    void *p = er_heap_alloc(heap, s->p, s->p ? s->size : 5, size);
    if (size == 0) {
        assert_null(p);
    } else if (!p) {
        assert_true(size > s->size); /* shrinking never fails */
        check_slot(s, s->size);
        return;
    }
    s->p = p;
    s->size = size;
    if (size == 0)
        return;
    assert_int_equal((uintptr_t)p % ER_HEAP_UNIT, 0);
    check_slot(s, least);
    memset(p, mark, size);
    s->mark = mark;
}

static size_t random_size(uint64_t *x)
{
    switch (next_random(x) % 5) {
    case 0: return 0;
    case 1: return next_random(x) % 40 + 1;
    case 2: return next_random(x) % 1100 + 1;
    case 3: return next_random(x) % 20000 + 1;
    default: return next_random(x) % 200 + 1;
    }
}

static void work(struct er_heap *heap, struct slot *slots, size_t n,
    uint64_t seed, int steps)
{
    uint64_t x = seed;
    for (int i = 0; i < steps; i++) {
        struct slot *s = &slots[next_random(&x) % n];
        change(heap, s, random_size(&x), (unsigned char)next_random(&x));
    }
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        check_slot(&slots[i], slots[i].size);
        used += slots[i].size;
    }
    assert_true(heap->now.used <= LIMIT);
    assert_true(used <= heap->now.used);
}

static void test_heap_contents_survive(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        static struct slot slots[SLOTS];
        struct er_heap heap;
        memset(slots, 0, sizeof slots);
        assert_true(er_heap_open(&heap, LIMIT));
        work(&heap, slots, 60, seed, 300); /* before the image */
        assert_true(er_heap_keep(&heap));
        work(&heap, slots, SLOTS, seed * 77, 20000);
        for (size_t i = 0; i < SLOTS; i++)
            change(&heap, &slots[i], 0, 0);
        assert_int_equal(heap.now.used, 0);
        assert_null(heap.large);
        er_heap_close(&heap);
    }
}

static void test_heap_goes_back_exactly(void **state)
{
    (void)state;
    struct slot kept[50] = {{0}};
    struct er_heap heap;
    assert_true(er_heap_open(&heap, LIMIT));
    work(&heap, kept, 50, 99, 400);
    assert_true(er_heap_keep(&heap));
    size_t used = heap.now.used, top = heap.now.top;
    void *first = NULL;
    for (uint64_t round = 1; round <= 20; round++) {
        static struct slot slots[SLOTS];
        memset(slots, 0, sizeof slots);
        memcpy(slots, kept, sizeof kept); /* what is kept changes as well */
        work(&heap, slots, SLOTS, round, round % 2 ? 200 : 10000);
        er_heap_back(&heap);
        assert_int_equal(heap.now.used, used);
        assert_int_equal(heap.now.top, top);
        assert_null(heap.large);
        for (size_t i = 0; i < 50; i++)
            check_slot(&kept[i], kept[i].size);
        void *p = er_heap_alloc(&heap, NULL, 0, 48);
        assert_true(!first || p == first); /* the lists are back too */
        first = p;
        assert_null(er_heap_alloc(&heap, p, 48, 0));
        er_heap_back(&heap);
    }
    er_heap_close(&heap);
}

static void test_heap_holds_the_limit(void **state)
{
    (void)state;
    struct er_heap heap;
    assert_true(er_heap_open(&heap, LIMIT));
    assert_true(er_heap_keep(&heap));
    void *half = er_heap_alloc(&heap, NULL, 0, LIMIT / 2);
    assert_non_null(half);
    assert_null(er_heap_alloc(&heap, NULL, 0, LIMIT / 2 + 1));
    assert_null(er_heap_alloc(&heap, half, LIMIT / 2, SIZE_MAX));
    void *rest = er_heap_alloc(&heap, NULL, 0, LIMIT / 2);
    assert_non_null(rest);
    assert_null(er_heap_alloc(&heap, NULL, 0, 1));
    assert_null(er_heap_alloc(&heap, rest, LIMIT / 2, 0));
    size_t n = 0; /* many of one size: the region has its own end */
    while (er_heap_alloc(&heap, NULL, 0, 1))
        n++;
    assert_true(n >= LIMIT / 2 / ER_HEAP_UNIT);
    er_heap_back(&heap);
    assert_non_null(er_heap_alloc(&heap, NULL, 0, LIMIT));
    er_heap_close(&heap);
    er_heap_close(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap_contents_survive),
        cmocka_unit_test(test_heap_goes_back_exactly),
        cmocka_unit_test(test_heap_holds_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
