/* Update rules under test: from the text of train.optimizer, and the published formulas, written out by hand. */
#ifndef SN_TESTS_SUPPORT_RULES_H
#define SN_TESTS_SUPPORT_RULES_H

#include "ops/optimizer.h"

/* The rule of a text such as {"kind": "adam"}; NULL: plain gradient descent.  What is wrong with it fails the test. */
sn_update_rule rule_of(const char *optimizer);

/* The numbers of its update before which `number` others were made, for a parameter that decays. */
sn_update_numbers rule_numbers(const sn_update_rule *rule, uint64_t number, double lr, double clip);

/* What that update takes off a weight `w` with gradient `g`, in double, by the formula of the paper; the state, in the
 * order of the row's slots, is brought up to date.  An optimizer without a formula here fails the test. */
double rule_meant(const sn_update_rule *rule, const sn_update_numbers *numbers, double w, double g,
                  double state[SN_MAX_SLOTS]);

/* Whether the root of the state, which that step was divided by, is smaller than eps; -1: it was divided by none. */
int rule_is_below_eps(const sn_update_rule *rule, const sn_update_numbers *numbers, const double state[SN_MAX_SLOTS]);

#endif
