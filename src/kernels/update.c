/* Owns the walk of an update over the rows of a tile. */
#include "kernels/update.h"

#include "kernels/kernels.h"

static sn_rule_numbers real_numbers(const sn_update_numbers *numbers) {
    sn_rule_numbers r = {(real)numbers->lr, (real)numbers->clip, (real)numbers->weight_decay, {0}};
    for (int i = 0; i < SN_MAX_NUMBERS; i++)
        r.own[i] = (real)numbers->own[i];
    return r;
}

bool SN_V(sn_update_tile)(const sn_update_call *call, sn_update_row_kernel *update_row) {
    sn_rule_numbers numbers = real_numbers(&call->numbers);
    size_t rows = call->rows, cols = call->cols;
    bool is_contiguous = call->weight.ld == cols && call->gradient.ld == cols;
    for (int k = 0; k < SN_MAX_SLOTS; k++)
        is_contiguous = is_contiguous && (!call->slots[k].data || call->slots[k].ld == cols);
    sn_flatten(&rows, &cols, is_contiguous);
    sn_bits found = 0;
    for (size_t r = 0; r < rows; r++) {
        sn_update_row row = {.weight = sn_row(call->weight, r), .gradient = sn_row(call->gradient, r), .cols = cols};
        for (int k = 0; k < SN_MAX_SLOTS; k++)
            row.slots[k] = call->slots[k].data ? sn_row(call->slots[k], r) : NULL;
        found |= update_row(&row, &numbers);
    }
    return !(found & SN_SIGN);
}
