/* One line on the terminal that is written over, for what takes a while. */
#ifndef SN_CLI_TERMINAL_H
#define SN_CLI_TERMINAL_H

/* Columns of the terminal at a file descriptor: COLUMNS, else what it says, else 80. */
int sn_terminal_columns(int fd);

/* Writes a line to standard error in place of the last one; it should fit. */
void sn_terminal_show(const char *line);

/* Wipes it. */
void sn_terminal_wipe(void);

#endif
