/* For clang-tidy only, included before every file but error.c: it analyses one file at a time, and has to be told that
 * the functions which record an error never return SN_OK, and that cmocka's skip() does not return. */
#ifndef SN_SCRIPTS_ANALYZER_H
#define SN_SCRIPTS_ANALYZER_H

#include "base/error.h"

#define sn_error_set(error, status, ...) (sn_error_set(error, status, __VA_ARGS__), (status))
#define sn_error_add(error, status, ...) (sn_error_add(error, status, __VA_ARGS__), (status))
#define sn_error_io(...)                 (sn_error_io(__VA_ARGS__), SN_IO)
#define sn_error_memory(...)             (sn_error_memory(__VA_ARGS__), SN_FAILED)

__attribute__((noreturn)) void _skip(const char *file, int line);

#endif
