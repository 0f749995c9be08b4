/* The values that are calls: objects, lists of them, Python's calls.
 *
 * Floor-private to the chat reader: chat_shape.c finds where a value may
 * stand, this reads it.
 */
#ifndef ERRAND_ENGINE_CHAT_VALUE_H
#define ERRAND_ENGINE_CHAT_VALUE_H

#include "engine/chat_shape.h"

/* No more bytes here: MORE, or NO if none will come or the head is full. */
enum er_chat_answer er_chat_short(const struct er_chat_view *v);

/* Step over white space; MORE if it reaches the end of what is there. */
enum er_chat_answer er_chat_gap(struct er_chat_view *v);

/* A name at the view's place that is followed by one of the bytes in stop.
 * NO as soon as no known name begins like it. */
enum er_chat_answer er_chat_known_at(
    struct er_chat_view *v, const char *stop, size_t *len);

/* Is s[0..n) a known name, whole? */
bool er_chat_known(
    const struct er_chat_names *names, const char *s, size_t n);

/* Add a call; arguments NULL: "{}". False: no memory. */
bool er_chat_add(struct er_chat_match *m, const char *name, size_t name_len,
    const char *args, size_t args_len, const char *id, size_t id_len);

/* An object that is a call, or an array of them. */
enum er_chat_answer er_chat_json_calls(
    struct er_chat_view *v, struct er_chat_match *m);

/* The bare object of arguments for a name that is known already. */
enum er_chat_answer er_chat_arguments(struct er_chat_view *v, const char *name,
    size_t name_len, const char *id, size_t id_len, struct er_chat_match *m);

/* [f(a=1), g()] */
enum er_chat_answer er_chat_python_list(
    struct er_chat_view *v, struct er_chat_match *m);

/* name.call(k="v"); with bare, name(k="v") too. */
enum er_chat_answer er_chat_python_call(
    struct er_chat_view *v, bool bare, struct er_chat_match *m);

#endif
