/* What this program was built from. */
#ifndef SN_BASE_BUILD_H
#define SN_BASE_BUILD_H

/* The commit of its sources: ten hexadecimal digits or more, ", changed" behind them where src or CMakeLists.txt
 * were not as that commit has them; "unknown" where the sources lay in no repository. */
const char *sn_build_commit(void);

#endif
