/* cmocka with the headers that it wants before it. */
#ifndef SN_TESTS_SUPPORT_CHECK_H
#define SN_TESTS_SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
