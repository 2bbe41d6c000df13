/* Owns the name of the commit.  The only file that is compiled again with every commit: scripts/dev/commit.cmake writes
 * commit.h at every build. */
#include "base/build.h"

#include "base/commit.h"

const char *sn_build_commit(void) {
    return SN_COMMIT;
}
