/* Owns the questions to the system about itself. */
#include "run/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __clang__
#define COMPILER __VERSION__ /* names clang itself */
#else
#define COMPILER "gcc " __VERSION__
#endif

const char *sn_machine_cpu(char out[SN_CPU_NAME]) {
    char line[512], *name = NULL;
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && !name && fgets(line, sizeof line, file)) {
        if (strncmp(line, "model name", 10) == 0) name = strchr(line, ':');
    }
    if (file) fclose(file);
    if (name) {
        name[strcspn(name, "\n")] = '\0';
        name += strspn(name, ": \t");
    }
    snprintf(out, SN_CPU_NAME, "%s", name ? name : "unknown");
    return out;
}

const char *sn_machine_compiler(void) {
    return COMPILER;
}

/* A line such as "VmRSS:     1234 kB". */
static void take_kib(const char *line, const char *key, double *bytes) {
    size_t n = strlen(key);
    if (strncmp(line, key, n) == 0) *bytes = 1024 * strtod(line + n, NULL);
}

sn_resident sn_machine_resident(void) {
    sn_resident resident = {0, 0};
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file)) {
        take_kib(line, "VmRSS:", &resident.now);
        take_kib(line, "VmHWM:", &resident.most);
    }
    if (file) fclose(file);
    return resident;
}
