/* Owns the CSV files of a run. */
#include "run/sink.h"

#include <stdlib.h>
#include <string.h>

#include "report/metrics.h"

enum { BUFFER_BYTES = 1 << 20 }; /* the rows of a step go out in one write: a reader sees whole steps */

static sn_status open_file(FILE **file, char **path, const sn_run_directory *directory, const char *name,
                           sn_error *error) {
    *path = sn_run_directory_file(directory, name);
    if (!*path) return sn_error_memory(error, strlen(name), "a path");
    *file = fopen(*path, "we");
    if (!*file) return sn_error_io(error, "open", *path);
    setvbuf(*file, NULL, _IOFBF, BUFFER_BYTES); /* without memory for it the stream keeps its own */
    return SN_OK;
}

static sn_status put(FILE *file, const char *path, const sn_text *text, sn_error *error) {
    if (text->failed) return sn_error_memory(error, text->length, path);
    bool ok = fwrite(sn_text_string(text), 1, text->length, file) == text->length && fflush(file) == 0;
    return ok ? SN_OK : sn_error_io(error, "write", path);
}

sn_status sn_sink_open(sn_sink *sink, const sn_run_directory *directory, int digits, sn_error *error) {
    *sink = (sn_sink){.text = SN_TEXT_EMPTY, .digits = digits};
    sn_status status = open_file(&sink->loss, &sink->loss_path, directory, SN_FILE_LOSS, error);
    if (!status) status = open_file(&sink->gradients, &sink->gradients_path, directory, SN_FILE_GRADIENTS, error);
    if (status) return status;
    sn_loss_csv_header(&sink->text);
    status = put(sink->loss, sink->loss_path, &sink->text, error);
    sn_text_clear(&sink->text);
    sn_gradients_csv_header(&sink->text);
    return status ? status : put(sink->gradients, sink->gradients_path, &sink->text, error);
}

sn_status sn_sink_rows(sn_sink *sink, const sn_records *records, bool with_layers, sn_error *error) {
    sn_text_clear(&sink->text);
    sn_loss_csv_row(&sink->text, &records->loss, sink->digits);
    sn_status status = put(sink->loss, sink->loss_path, &sink->text, error);
    if (status || !with_layers) return status;
    sn_text_clear(&sink->text);
    sn_gradients_csv_rows(&sink->text, records, sink->digits);
    return put(sink->gradients, sink->gradients_path, &sink->text, error);
}

sn_status sn_sink_close(sn_sink *sink, sn_error *error) {
    sn_status status = SN_OK;
    if (sink->loss && fclose(sink->loss) != 0) status = sn_error_io(error, "write", sink->loss_path);
    if (sink->gradients && fclose(sink->gradients) != 0) status = sn_error_io(error, "write", sink->gradients_path);
    free(sink->loss_path);
    free(sink->gradients_path);
    sn_text_free(&sink->text);
    *sink = (sn_sink){.text = SN_TEXT_EMPTY};
    return status;
}
