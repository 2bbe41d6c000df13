/* Owns the line on standard error. */
#include "cli/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "cli/cli.h"

int sn_terminal_columns(int fd) {
    enum { LEAST = 20, MOST = 10000, DEFAULT = 80 };
    struct winsize size;
    const char *variable = getenv("COLUMNS");
    long columns = variable ? strtol(variable, NULL, 10) : 0;
    if (columns > LEAST && columns < MOST) return (int)columns;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > LEAST ? size.ws_col : DEFAULT;
}

void sn_terminal_wipe(void) {
    fputs("\r\033[K", stderr);
}

void sn_terminal_show(const char *line) {
    sn_terminal_wipe();
    sn_say("%s", line);
}
