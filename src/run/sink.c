/* Owns the CSV files of a run. */
#include "run/sink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "report/metrics.h"

enum {
    BUFFER_BYTES = 1 << 20,
    READ_BYTES = 1 << 16
}; /* the rows of a step go out in one write: a reader sees whole
    * steps */

static sn_status open_file(sn_csv_file *file, const sn_run_directory *directory, const char *name, bool is_new,
                           sn_error *error) {
    file->path = sn_run_directory_file(directory, name);
    if (!file->path || !sn_hasher_init(&file->hasher)) return sn_error_memory(error, strlen(name), "a path");
    int fd = is_new ? sn_file_create(file->path, error) : sn_file_reopen(file->path, error);
    if (fd < 0) return error->status;
    file->stream = fdopen(fd, is_new ? "w" : "r+");
    if (!file->stream) {
        close(fd);
        return sn_error_memory(error, BUFFER_BYTES, file->path);
    }
    setvbuf(file->stream, NULL, _IOFBF, BUFFER_BYTES); /* without memory for it the stream keeps its own */
    return SN_OK;
}

static sn_status put(sn_csv_file *file, const sn_text *text, sn_error *error) {
    if (text->failed) return sn_error_memory(error, text->length, file->path);
    const char *bytes = sn_text_string(text);
    bool ok = fwrite(bytes, 1, text->length, file->stream) == text->length && fflush(file->stream) == 0;
    if (!ok) return sn_error_io(error, "write", file->path);
    sn_hasher_add(&file->hasher, bytes, text->length);
    file->bytes += text->length;
    return SN_OK;
}

sn_status sn_sink_open(sn_sink *sink, const sn_run_directory *directory, int digits, sn_error *error) {
    *sink = (sn_sink){.text = SN_TEXT_EMPTY, .digits = digits};
    sn_status status = open_file(&sink->loss, directory, SN_FILE_LOSS, true, error);
    if (!status) status = open_file(&sink->gradients, directory, SN_FILE_GRADIENTS, true, error);
    if (status) return status;
    sn_csv_header(&sink->text, sn_loss_sheet.columns);
    status = put(&sink->loss, &sink->text, error);
    sn_text_clear(&sink->text);
    sn_csv_header(&sink->text, sn_gradients_sheet.columns);
    return status ? status : put(&sink->gradients, &sink->text, error);
}

/* Reads the part that stays. */
static sn_status verify(sn_csv_file *file, const sn_extent *kept, sn_error *error) {
    char block[READ_BYTES];
    while (file->bytes < kept->bytes) {
        uint64_t left = kept->bytes - file->bytes;
        size_t n = fread(block, 1, left < sizeof block ? (size_t)left : sizeof block, file->stream);
        if (n == 0 && ferror(file->stream)) return sn_error_io(error, "read", file->path);
        if (n == 0) {
            return sn_error_set(error, SN_INVALID,
                                "%s: it has %" PRIu64 " bytes, %" PRIu64 " or more when its run was saved", file->path,
                                file->bytes, kept->bytes);
        }
        sn_hasher_add(&file->hasher, block, n);
        file->bytes += n;
    }
    if (sn_hasher_digest(&file->hasher) == kept->hash) return SN_OK;
    return sn_error_set(error, SN_INVALID, "%s: its first %" PRIu64 " bytes are not those that its run wrote",
                        file->path, kept->bytes);
}

static sn_status reopen_file(sn_csv_file *file, const sn_run_directory *directory, const char *name,
                             const sn_extent *kept, sn_error *error) {
    sn_status status = open_file(file, directory, name, false, error);
    if (status == SN_IO && !sn_path_exists(file->path))
        return sn_error_set(error, SN_INVALID, "%s: it is gone", file->path);
    return status ? status : verify(file, kept, error);
}

sn_status sn_sink_reopen(sn_sink *sink, const sn_run_directory *directory, int digits, const sn_sink_position *position,
                         sn_error *error) {
    *sink = (sn_sink){.text = SN_TEXT_EMPTY, .digits = digits};
    sn_status status = reopen_file(&sink->loss, directory, SN_FILE_LOSS, &position->loss, error);
    if (!status) status = reopen_file(&sink->gradients, directory, SN_FILE_GRADIENTS, &position->gradients, error);
    if (status) {
        sn_error ignored; /* nothing was written */
        sn_error_clear(&ignored);
        sn_sink_close(sink, &ignored);
    }
    return status;
}

static sn_status cut_file(const sn_csv_file *file, sn_error *error) {
    bool ok = ftruncate(fileno(file->stream), (off_t)file->bytes) == 0 &&
              fseeko(file->stream, (off_t)file->bytes, SEEK_SET) == 0;
    return ok ? SN_OK : sn_error_io(error, "cut back", file->path);
}

sn_status sn_sink_cut(sn_sink *sink, sn_error *error) {
    sn_status status = cut_file(&sink->loss, error);
    return status ? status : cut_file(&sink->gradients, error);
}

sn_status sn_sink_rows(sn_sink *sink, const sn_records *records, bool with_layers, sn_error *error) {
    sn_text_clear(&sink->text);
    sn_csv_row(&sink->text, sn_loss_sheet.columns, &records->loss, sink->digits);
    sn_status status = put(&sink->loss, &sink->text, error);
    if (status || !with_layers) return status;
    sn_text_clear(&sink->text);
    sn_gradients_csv_rows(&sink->text, records, sink->digits);
    return put(&sink->gradients, &sink->text, error);
}

void sn_sink_tell(const sn_sink *sink, sn_sink_position *position) {
    position->loss = (sn_extent){sink->loss.bytes, sn_hasher_digest(&sink->loss.hasher)};
    position->gradients = (sn_extent){sink->gradients.bytes, sn_hasher_digest(&sink->gradients.hasher)};
}

static sn_status sync_file(const sn_csv_file *file, sn_error *error) {
    bool ok = fflush(file->stream) == 0 && sn_fd_sync(fileno(file->stream));
    return ok ? SN_OK : sn_error_io(error, "write", file->path);
}

sn_status sn_sink_sync(sn_sink *sink, sn_error *error) {
    sn_status status = sync_file(&sink->loss, error);
    return status ? status : sync_file(&sink->gradients, error);
}

static sn_status close_file(sn_csv_file *file, sn_error *error) {
    sn_status status = SN_OK;
    if (file->stream && fclose(file->stream) != 0) status = sn_error_io(error, "write", file->path);
    free(file->path);
    sn_hasher_reset(&file->hasher);
    return status;
}

sn_status sn_sink_close(sn_sink *sink, sn_error *error) {
    sn_status loss = close_file(&sink->loss, error), gradients = close_file(&sink->gradients, error);
    sn_text_free(&sink->text);
    *sink = (sn_sink){.text = SN_TEXT_EMPTY};
    return loss ? loss : gradients;
}
