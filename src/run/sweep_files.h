/* What a sweep keeps beside the directories of its runs: written by src/sweep and scripts/sweep, read by src/compare.
 */
#ifndef SN_RUN_SWEEP_FILES_H
#define SN_RUN_SWEEP_FILES_H

#define SN_FILE_CELLS "cells.txt" /* a command a line, in the words of sn_text_add_shell; its --out names the run */
#define SN_DIR_FAILED                                                                                                  \
    "sweep-log/failed" /* a file per failed cell, by the name of its run: "exit status N", then                        \
                        * what it said; there until the cell has run */

#endif
