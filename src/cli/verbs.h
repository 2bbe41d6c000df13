/* The list of verbs, in the order of the help.  A new verb is a file src/cli/NAME.c that defines its row sn_verb_NAME
 * with the options it takes, and one line here. */
#ifndef SN_CLI_VERBS_H
#define SN_CLI_VERBS_H

#define SN_VERBS(X)                                                                                                    \
    X(train)                                                                                                           \
    X(check)                                                                                                           \
    X(cells)                                                                                                           \
    X(compare)                                                                                                         \
    X(eval)                                                                                                            \
    X(gradcheck)                                                                                                       \
    X(bench)                                                                                                           \
    X(list)                                                                                                            \
    X(schema)                                                                                                          \
    X(help)                                                                                                            \
    X(version)

#endif
