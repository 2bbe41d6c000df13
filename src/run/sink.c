/* Owns the CSV files of a run. */
#include "run/sink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "report/metrics.h"

/* The rows of a step go out in one write: a reader sees whole steps. */
enum { BUFFER_BYTES = 1 << 20, READ_BYTES = 1 << 16, FILE_NAME = 64 };

static sn_status open_file(sn_csv_file *file, const sn_run_directory *directory, const sn_sheet *sheet, bool is_new,
                           sn_error *error) {
    char name[FILE_NAME];
    snprintf(name, sizeof name, "%s.csv", sheet->name);
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

/* With its header. */
static sn_status begin_file(sn_csv_file *file, const sn_run_directory *directory, const sn_sheet *sheet,
                            sn_error *error) {
    sn_text header = SN_TEXT_EMPTY;
    sn_csv_header(&header, sheet->columns);
    sn_status status = open_file(file, directory, sheet, true, error);
    if (!status) status = put(file, &header, error);
    sn_text_free(&header);
    return status;
}

static sn_sink empty_sink(const sn_sink_options *options) {
    int n_files = options->has_exponents ? SN_SINK_FILES : SN_SINK_EXPONENTS;
    return (sn_sink){.n_files = n_files, .text = SN_TEXT_EMPTY, .digits = options->digits};
}

void sn_sink_sheets(const sn_sink_options *options, const sn_sheet *sheets[SN_SINK_FILES + 1]) {
    int n = empty_sink(options).n_files;
    for (int i = 0; i < n; i++)
        sheets[i] = sn_run_sheets[i];
    sheets[n] = NULL;
}

sn_status sn_sink_open(sn_sink *sink, const sn_run_directory *directory, const sn_sink_options *options,
                       sn_error *error) {
    *sink = empty_sink(options);
    sn_status status = SN_OK;
    for (int i = 0; i < sink->n_files && !status; i++)
        status = begin_file(&sink->files[i], directory, sn_run_sheets[i], error);
    return status;
}

/* Rows of this program have to go on below a header of its columns. */
static sn_status verify_header(const sn_csv_file *file, const sn_sheet *sheet, const char *block, size_t n,
                               sn_error *error) {
    sn_text header = SN_TEXT_EMPTY;
    sn_status status = SN_OK;
    sn_csv_header(&header, sheet->columns);
    if (header.failed) {
        status = sn_error_memory(error, header.length, file->path);
    } else if (n >= header.length && memcmp(block, sn_text_string(&header), header.length) != 0) {
        status =
            sn_error_set(error, SN_INVALID,
                         "%s: its columns are not those of this program (go on with the one that began the run, or "
                         "--force to train anew)",
                         file->path);
    }
    sn_text_free(&header);
    return status;
}

/* Reads the part that stays. */
static sn_status verify(sn_csv_file *file, const sn_sheet *sheet, const sn_extent *kept, sn_error *error) {
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
        sn_status status = file->bytes == 0 ? verify_header(file, sheet, block, n, error) : SN_OK;
        if (status) return status;
        sn_hasher_add(&file->hasher, block, n);
        file->bytes += n;
    }
    if (sn_hasher_digest(&file->hasher) == kept->hash) return SN_OK;
    return sn_error_set(error, SN_INVALID, "%s: its first %" PRIu64 " bytes are not those that its run wrote",
                        file->path, kept->bytes);
}

static sn_status reopen_file(sn_csv_file *file, const sn_run_directory *directory, const sn_sheet *sheet,
                             const sn_extent *kept, sn_error *error) {
    sn_status status = open_file(file, directory, sheet, false, error);
    if (status == SN_IO && !sn_path_exists(file->path))
        return sn_error_set(error, SN_INVALID, "%s: it is gone", file->path);
    return status ? status : verify(file, sheet, kept, error);
}

sn_status sn_sink_reopen(sn_sink *sink, const sn_run_directory *directory, const sn_sink_options *options,
                         const sn_sink_position *position, sn_error *error) {
    *sink = empty_sink(options);
    sn_status status = SN_OK;
    for (int i = 0; i < sink->n_files && !status; i++)
        status = reopen_file(&sink->files[i], directory, sn_run_sheets[i], &position->files[i], error);
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
    sn_status status = SN_OK;
    for (int i = 0; i < sink->n_files && !status; i++)
        status = cut_file(&sink->files[i], error);
    return status;
}

static void add_rows(sn_text *text, sn_sink_file file, const sn_records *records, int digits) {
    switch (file) {
    case SN_SINK_LOSS:
        sn_csv_row(text, sn_loss_sheet.columns, &records->loss, digits);
        break;
    case SN_SINK_GRADIENTS:
        sn_gradients_csv_rows(text, records, digits);
        break;
    default:
        sn_exponents_csv_rows(text, records);
        break;
    }
}

sn_status sn_sink_rows(sn_sink *sink, const sn_records *records, bool with_layers, sn_error *error) {
    sn_status status = SN_OK;
    int n = with_layers ? sink->n_files : SN_SINK_GRADIENTS;
    for (int i = 0; i < n && !status; i++) {
        sn_text_clear(&sink->text);
        add_rows(&sink->text, (sn_sink_file)i, records, sink->digits);
        status = put(&sink->files[i], &sink->text, error);
    }
    return status;
}

void sn_sink_tell(const sn_sink *sink, sn_sink_position *position) {
    *position = (sn_sink_position){.n_files = sink->n_files};
    for (int i = 0; i < sink->n_files; i++)
        position->files[i] = (sn_extent){sink->files[i].bytes, sn_hasher_digest(&sink->files[i].hasher)};
}

static sn_status sync_file(const sn_csv_file *file, sn_error *error) {
    bool ok = fflush(file->stream) == 0 && sn_fd_sync(fileno(file->stream));
    return ok ? SN_OK : sn_error_io(error, "write", file->path);
}

sn_status sn_sink_sync(sn_sink *sink, sn_error *error) {
    sn_status status = SN_OK;
    for (int i = 0; i < sink->n_files && !status; i++)
        status = sync_file(&sink->files[i], error);
    return status;
}

static sn_status close_file(sn_csv_file *file, sn_error *error) {
    sn_status status = SN_OK;
    if (file->stream && fclose(file->stream) != 0) status = sn_error_io(error, "write", file->path);
    free(file->path);
    sn_hasher_reset(&file->hasher);
    return status;
}

sn_status sn_sink_close(sn_sink *sink, sn_error *error) {
    sn_status status = SN_OK;
    for (int i = 0; i < sink->n_files; i++) {
        sn_status closed = close_file(&sink->files[i], error);
        if (!status) status = closed;
    }
    sn_text_free(&sink->text);
    *sink = (sn_sink){.text = SN_TEXT_EMPTY};
    return status;
}
