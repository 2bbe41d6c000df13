/* What ran it: facts about the machine and the build, for run.json and the benchmark. */
#ifndef SN_RUN_MACHINE_H
#define SN_RUN_MACHINE_H

#include <stddef.h>

/* The CPU's name as Linux tells it; "unknown" elsewhere. */
enum { SN_CPU_NAME = 256 };
const char *sn_machine_cpu(char out[SN_CPU_NAME]);

/* Name and version of the compiler. */
const char *sn_machine_compiler(void);

/* Bytes of this process in memory now, and at most so far; 0 where the system does not tell. */
typedef struct sn_resident {
    double now, most;
} sn_resident;

sn_resident sn_machine_resident(void);

#endif
