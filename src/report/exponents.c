/* Owns the sheet of exponents.csv, and its rows: one per exponent that a tensor has, and per kind of value without one.
 *
 * They are the most rows of a run by far, some thousand a step of a deep network: what all rows of a tensor with an
 * exponent have in common is made once, and the two numbers behind it are written as they are. */
#include <stddef.h>

#include "base/number.h"
#include "report/metrics.h"

/* One row. */
typedef struct exponent_record {
    int64_t step;
    const sn_node *node;
    const char *tensor, *kind;
    bool has_exponent;
    int64_t exponent, count;
} exponent_record;

#define OF_RECORD(name, cell)                                                                                          \
    static sn_cell_value name##_of(const sn_column *column, const void *record) {                                      \
        const exponent_record *row = record;                                                                           \
        (void)column;                                                                                                  \
        return cell;                                                                                                   \
    }

OF_RECORD(layer, sn_cell_integer(row->node->layer))
OF_RECORD(label, sn_cell_text(row->node->label))
OF_RECORD(tensor, sn_cell_text(row->tensor))
OF_RECORD(kind, sn_cell_text(row->kind))
OF_RECORD(exponent, row->has_exponent ? sn_cell_integer(row->exponent) : (sn_cell_value){.kind = SN_CELL_OF_NOTHING})

/* Those before `exponent` are the same in all rows of a tensor that have one; add_own writes the rest. */
static const sn_column columns[] = {
    {"step", "integer", "updates", "updates already applied to the weights that this row is measured at",
     .value = sn_column_integer, .place = offsetof(exponent_record, step)},
    {"layer", "integer", "layer", "number of the weight layer that the node is or belongs to; 1 is nearest the input",
     .value = layer_of},
    {"label", "string", "", "label of the node in the network", .value = label_of},
    {"tensor", "string", "",
     "what is counted, as it lies in memory: weight (before this step's update), grad (of the batch's mean loss by "
     "weight, before clipping, without weight decay), update (what this step changed, exactly; no rows where nothing "
     "is updated), delta (gradient of the batch's mean loss by the layer's output z, its pre-activation; that of each "
     "sample's own loss is larger by the rows of the batch, see delta_rms), in (what the weights multiply)",
     .value = tensor_of},
    {"kind", "string", "",
     "finite: values x with this exponent; zero: exact zeros; inf: infinities of both signs; nan: what is no number",
     .value = kind_of},
    {"exponent", "integer", "1",
     "floor(log2 |x|), of denormal values too (from -149 in float32, -1074 in float64); empty where kind is not finite",
     .value = exponent_of},
    {"count", "integer", "values",
     "how many of the tensor's elements that are, 1 or more: those of a step, label and tensor add up to the elements "
     "of the weight tensor (update: to those that were updated), or to samples x positions x features of the batch",
     .value = sn_column_integer, .place = offsetof(exponent_record, count)},
    {.name = NULL},
};

const sn_sheet sn_exponents_sheet = {"exponents",
                                     "One row per reported step, node with parameters, tensor and exponent.",
                                     "\"step\", \"label\", \"tensor\", \"kind\", \"exponent\"", columns};

static void add_cells(sn_text *text, const sn_column *begin, const sn_column *end, const exponent_record *row) {
    for (const sn_column *column = begin; column->name && column != end; column++) {
        sn_cell_value cell = column->value(column, row);
        sn_csv_cell(text, &cell, 0);
        sn_text_add(text, column[1].name ? "," : "\n");
    }
}

/* The cells of `exponent` and `count`, the last ones. */
static void add_own(sn_text *text, int exponent, uint64_t count) {
    char cells[2 * SN_NUMBER_TEXT];
    size_t n = sn_integer_write(cells, exponent);
    cells[n++] = ',';
    n += sn_integer_write(cells + n, (int64_t)count);
    cells[n++] = '\n';
    sn_text_add_bytes(text, cells, n);
}

static void add_finite(sn_text *text, exponent_record row, const sn_exponents *counts, sn_text *common) {
    row.has_exponent = true;
    row.kind = "finite";
    sn_text_clear(common);
    add_cells(common, columns, sn_column_find(columns, "exponent"), &row);
    if (common->failed) text->failed = true;
    for (int i = counts->begin; i < counts->end; i++) {
        if (counts->counts[i] == 0) continue;
        sn_text_add_bytes(text, sn_text_string(common), common->length);
        add_own(text, counts->least + i, counts->counts[i]);
    }
}

static void add_kind(sn_text *text, exponent_record row, const char *kind, uint64_t count) {
    row.kind = kind;
    row.count = (int64_t)count;
    if (count > 0) add_cells(text, columns, NULL, &row);
}

void sn_exponents_csv_rows(sn_text *text, const sn_records *records) {
    static const char *const tensors[SN_N_COUNTED] = {"weight", "grad", "update", "delta", "in"};
    sn_text common = SN_TEXT_EMPTY;
    for (int k = 0; k < records->n_layers; k++) {
        const sn_layer_record *layer = &records->layers[k];
        for (int what = 0; what < SN_N_COUNTED; what++) {
            const sn_exponents *counts = layer->sums.exponents[what];
            if (!counts) continue;
            exponent_record row = {.step = layer->step, .node = layer->node, .tensor = tensors[what]};
            add_kind(text, row, "zero", counts->zeros);
            add_finite(text, row, counts, &common);
            add_kind(text, row, "inf", counts->infinite);
            add_kind(text, row, "nan", counts->nans);
        }
    }
    sn_text_free(&common);
}
