/* Owns the line on standard error. */
#include "cli/terminal.h"

#include <stdio.h>
#include <sys/ioctl.h>

#include "cli/cli.h"

int sn_terminal_columns(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

void sn_terminal_wipe(void) {
    fputs("\r\033[K", stderr);
}

void sn_terminal_show(const char *line) {
    sn_terminal_wipe();
    sn_say("%s", line);
}
