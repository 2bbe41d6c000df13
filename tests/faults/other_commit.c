/* Stands before src/base/build.c: a program that was built from the same sources and names another commit. */
#include "base/build.h"

const char *sn_build_commit(void) {
    return "0123456789";
}
