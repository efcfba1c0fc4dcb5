/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

static const char *codec_name(enum inq_codec codec)
{
    static const char *const names[] = {
        [INQ_CODEC_NONE] = "none", [INQ_CODEC_ZSTD] = "zstd", [INQ_CODEC_GZIP] = "gzip",
        [INQ_CODEC_XZ] = "xz",     [INQ_CODEC_LZ4] = "lz4",   [INQ_CODEC_BZIP2] = "bzip2",
    };

    return names[codec];
}

static void record_size(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct inq_source_info info = inq_source_info(dump->source);

    inq_evidence_set_text(evidence, "core.compression", codec_name(info.codec));
    if (info.stream && info.ended_early)
        inq_evidence_set_unknown(evidence, "core.size_bytes",
                                 "the compressed data end early: its unpacked size is not known");
    else
        inq_evidence_set_int(evidence, "core.size_bytes",
                             (int64_t)(info.stream ? info.present_bytes : info.stored_bytes));
}

void inq_record_core(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_core *core = dump->core;
    char identity[65];

    record_size(dump, evidence);
    inq_evidence_set_text(evidence, "core.machine", core->machine_name);
    inq_evidence_set_int(evidence, "core.class", core->elf_class);
    inq_evidence_set_text(evidence, "core.byte_order", core->big_endian ? "big" : "little");
    inq_evidence_set_bool(evidence, "core.complete", core->complete);
    inq_evidence_set_int(evidence, "core.present_bytes", (int64_t)core->present_bytes);
    inq_evidence_set_int(evidence, "core.expected_bytes", (int64_t)core->expected_bytes);
    inq_evidence_set_bool(evidence, "core.foreign_root", dump->modules->foreign_root);
    inq_evidence_set_bool(evidence, "core.notes_cut", core->notes_cut);
    if (dump->stacks_only)
        inq_evidence_set_unknown(evidence, "core.identity", "not worked out with --stacks");
    else if (inq_core_identity(core, dump->source, identity))
        inq_evidence_set_text(evidence, "core.identity", identity);
    else
        inq_evidence_set_unknown(evidence, "core.identity",
                                 "the headers or notes cannot all be read");
}
