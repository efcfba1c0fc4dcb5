/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu_features.h"

#include <elf.h>
#include <string.h>

#include "cleanup.h"
#include "cursor.h"
#include "text.h"

#define RECORD_BYTES 4096u
/* NT_X86_XSTATE: the kernel writes XCR0 into the software bytes of the legacy area (asm/user.h). */
#define XCR0_OFF 464u
#define HWCAP_ATOMICS (1u << 8) /* arch/arm64/include/uapi/asm/hwcap.h */

#define X_YMM 0x6u
#define X_ZMM 0xe6u
#define X_TILE 0x60000u

enum leaf { LEAF_1, LEAF_7, LEAF_EXT, LEAF_NONE };
enum reg { EAX, EBX, ECX, EDX };

/* What Zydis calls the sets, without the width. Intel SDM volume 2, CPUID; AMD APM volume 3, E. */
static const struct feature {
    const char *name;
    uint8_t leaf, reg, bit;
    uint32_t xcr0; /* components that must be on */
} features[] = {
    {"3DNOW", LEAF_EXT, EDX, 31, 0},
    {"ADOX_ADCX", LEAF_7, EBX, 19, 0},
    {"AES", LEAF_1, ECX, 25, 0},
    {"AMX_BF16", LEAF_7, EDX, 22, X_TILE},
    {"AMX_INT8", LEAF_7, EDX, 25, X_TILE},
    {"AMX_TILE", LEAF_7, EDX, 24, X_TILE},
    {"AVX", LEAF_1, ECX, 28, X_YMM},
    {"AVX2", LEAF_7, EBX, 5, X_YMM},
    {"AVX2GATHER", LEAF_7, EBX, 5, X_YMM},
    {"AVX512BW", LEAF_7, EBX, 30, X_ZMM},
    {"AVX512CD", LEAF_7, EBX, 28, X_ZMM},
    {"AVX512DQ", LEAF_7, EBX, 17, X_ZMM},
    {"AVX512ER", LEAF_7, EBX, 27, X_ZMM},
    {"AVX512F", LEAF_7, EBX, 16, X_ZMM},
    {"AVX512PF", LEAF_7, EBX, 26, X_ZMM},
    {"AVX512_BITALG", LEAF_7, ECX, 12, X_ZMM},
    {"AVX512_FP16", LEAF_7, EDX, 23, X_ZMM},
    {"AVX512_IFMA", LEAF_7, EBX, 21, X_ZMM},
    {"AVX512_VBMI", LEAF_7, ECX, 1, X_ZMM},
    {"AVX512_VBMI2", LEAF_7, ECX, 6, X_ZMM},
    {"AVX512_VNNI", LEAF_7, ECX, 11, X_ZMM},
    {"AVX512_VPOPCNTDQ", LEAF_7, ECX, 14, X_ZMM},
    {"AVX512_VP2INTERSECT", LEAF_7, EDX, 8, X_ZMM},
    {"AVXAES", LEAF_1, ECX, 28, X_YMM},
    {"BMI1", LEAF_7, EBX, 3, 0},
    {"BMI2", LEAF_7, EBX, 8, 0},
    {"CMPXCHG16B", LEAF_1, ECX, 13, 0},
    {"F16C", LEAF_1, ECX, 29, X_YMM},
    {"FMA", LEAF_1, ECX, 12, X_YMM},
    {"FMA4", LEAF_EXT, ECX, 16, X_YMM},
    {"GFNI", LEAF_7, ECX, 8, 0},
    {"LZCNT", LEAF_EXT, ECX, 5, 0},
    {"MOVBE", LEAF_1, ECX, 22, 0},
    {"PCLMULQDQ", LEAF_1, ECX, 1, 0},
    {"POPCNT", LEAF_1, ECX, 23, 0},
    {"RDRAND", LEAF_1, ECX, 30, 0},
    {"RDSEED", LEAF_7, EBX, 18, 0},
    {"SHA", LEAF_7, EBX, 29, 0},
    {"SSE3", LEAF_1, ECX, 0, 0},
    {"SSE4", LEAF_1, ECX, 19, 0},
    {"SSE42", LEAF_1, ECX, 20, 0},
    {"SSE4A", LEAF_EXT, ECX, 6, 0},
    {"SSSE3", LEAF_1, ECX, 9, 0},
    {"TBM", LEAF_EXT, ECX, 21, 0},
    {"VAES", LEAF_7, ECX, 9, X_YMM},
    {"VPCLMULQDQ", LEAF_7, ECX, 10, X_YMM},
    {"WAITPKG", LEAF_7, ECX, 5, 0},
    {"XOP", LEAF_EXT, ECX, 11, X_YMM},
};

/* What follows the name of a set of AVX-512: "_512", "_128N", "_SCALAR", "_KOP". */
static bool is_width(const char *rest)
{
    return rest[0] == '\0' ||
           (rest[0] == '_' &&
            (strchr("125", rest[1]) || !strcmp(rest, "_SCALAR") || !strcmp(rest, "_KOP")));
}

static const struct feature *feature_of(const char *isa)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(features); i++)
        if (inq_starts_with(isa, features[i].name) && is_width(isa + strlen(features[i].name)))
            return &features[i];
    return NULL;
}

/* Vectors of 128 and 256 bits in EVEX encoding are an extension of their own, AVX512VL. */
static bool wants_short_vectors(const char *isa)
{
    size_t size = strlen(isa);
    return inq_starts_with(isa, "AVX512") && size > 4 &&
           (!strcmp(isa + size - 4, "_128") || !strcmp(isa + size - 4, "_256"));
}

static bool read_xcr0(const struct inq_dump *dump, uint64_t *ret_xcr0)
{
    const struct inq_core_thread *thread = inq_crashed_thread(dump);
    uint8_t bytes[8];
    size_t got = 0;

    if (!thread || thread->xstate_size < XCR0_OFF + sizeof(bytes))
        return false;
    inq_source_read(dump->source, thread->xstate_off + XCR0_OFF, bytes, sizeof(bytes), &got);
    *ret_xcr0 = inq_load_u64(bytes, false);
    /* x87 and SSE are always on: anything else is not what we take it for */
    return got == sizeof(bytes) && (*ret_xcr0 & 3) == 3;
}

struct record { /* CPUID by the loader */
    uint32_t words[RECORD_BYTES / 4];
    size_t count;
    size_t leaf[LEAF_NONE]; /* index of its eax */
};

static unsigned family_of(uint32_t eax)
{
    unsigned family = eax >> 8 & 15;
    return family == 15 ? family + (eax >> 20 & 255) : family;
}

/* What is in use is a part of what CPUID says. */
static bool is_subset(const uint32_t *part, const uint32_t *whole)
{
    for (size_t i = 0; i < 4; i++)
        if (part[i] & ~whole[i])
            return false;
    return true;
}

/*
 * glibc, sysdeps/x86/include/cpu-features.h: {kind, max_cpuid, family, model, stepping}, then leaf
 * 1, 7 and 0x80000001 as {eax, ebx, ecx, edx}; since 2.33 each is followed by what of it is in use.
 */
static bool find_record(const struct inq_dump *dump, struct record *r)
{
    uint64_t addr, hwcap;
    uint8_t bytes[RECORD_BYTES];
    size_t got = 0, found = 0;

    if (!inq_core_auxv(dump->core, AT_HWCAP, &hwcap) || hwcap == 0 || hwcap > UINT32_MAX ||
        !inq_modules_symbol(dump->modules, "ld-", "_rtld_global_ro", &addr, NULL))
        return false;
    inq_memory_read(dump->memory, addr, bytes, sizeof(bytes), &got);
    r->count = got / 4;
    for (size_t i = 0; i < r->count; i++)
        r->words[i] = inq_load_u32(bytes + 4 * i, false);
    for (size_t i = 5; i + 20 <= r->count; i++) {
        const uint32_t *w = r->words + i;
        if (w[3] != (uint32_t)hwcap || w[-3] != family_of(w[0]) || w[-1] != (w[0] & 15))
            continue;
        size_t stride = is_subset(w + 4, w) ? 8 : 4;
        for (size_t k = 0; k < LEAF_NONE; k++)
            r->leaf[k] = i + k * stride;
        found++;
    }
    return found == 1;
}

static bool is_noted(const struct record *r, enum leaf leaf, enum reg reg, unsigned bit)
{
    return r->words[r->leaf[leaf] + reg] >> bit & 1;
}

static struct inq_cpu_offer offer_x86(const struct inq_dump *dump, const char *isa,
                                      const struct feature *feature)
{
    struct inq_cpu_offer answer = {.source = "nothing in the dump tells what the CPU offers"};
    uint64_t xcr0;
    struct record record;
    bool has_xcr0 = read_xcr0(dump, &xcr0);

    if (feature->xcr0 && has_xcr0 && (xcr0 & feature->xcr0) != feature->xcr0) {
        answer.source = "the registers it needs are not switched on (XCR0)";
        answer.offer = INQ_OFFER_NO;
    } else if (find_record(dump, &record)) {
        bool offered = is_noted(&record, feature->leaf, feature->reg, feature->bit) &&
                       (!wants_short_vectors(isa) || is_noted(&record, LEAF_7, EBX, 31));
        answer.offer = offered ? INQ_OFFER_YES : INQ_OFFER_NO;
        answer.source = "CPUID, as the dynamic linker noted it";
    }
    return answer;
}

struct inq_cpu_offer inq_cpu_offers(const struct inq_dump *dump,
                                    const struct inq_instruction *instruction)
{
    struct inq_cpu_offer answer = {.source = "which CPUs offer this instruction is not known here"};
    uint64_t hwcap;

    if (!instruction->isa)
        return answer;
    if (dump->core->machine == EM_X86_64) {
        const struct feature *feature = feature_of(instruction->isa);
        return feature ? offer_x86(dump, instruction->isa, feature) : answer;
    }
    if (dump->core->machine == EM_AARCH64 && !strcmp(instruction->isa, "LSE") &&
        inq_core_auxv(dump->core, AT_HWCAP, &hwcap)) {
        answer.offer = hwcap & HWCAP_ATOMICS ? INQ_OFFER_YES : INQ_OFFER_NO;
        answer.source = "AT_HWCAP";
    }
    return answer;
}
