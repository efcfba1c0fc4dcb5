/* SPDX-License-Identifier: Apache-2.0 */
/* Where symbols and DWARF of a module lie when they are not in its own file. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "cursor.h"
#include "packed.h"
#include "reader.h"

/* A debug file is for the machine of its module. */
static bool same_machine(const struct inq_image *a, const struct inq_image *b)
{
    return a->elf_class == b->elf_class && a->big_endian == b->big_endian &&
           a->machine == b->machine;
}

struct inq_error *inq_module_open_image(struct inq_modules *modules, int fd,
                                        struct inq_image **ret_image)
{
    return modules->unmapped ? inq_image_read(fd, modules->arena, ret_image)
                             : inq_image_open(fd, modules->arena, ret_image);
}

/* A reason why a file that is here was not opened is kept: the caller may find it elsewhere. */
static struct inq_image *ask_image(struct inq_modules *modules, const struct inq_module *module,
                                   const struct inq_file_request *request, const char **refused)
{
    struct inq_file_reply reply = {.fd = -1};
    struct inq_image *image = NULL;
    struct inq_error *error = modules->opener->ask(modules->opener, request, 1, &reply);

    if (!error && reply.fd >= 0)
        error = inq_module_open_image(modules, reply.fd, &image);
    if (reply.fd >= 0)
        close(reply.fd);
    else if (!error && reply.status == INQ_ON_DISK_REFUSED && refused && !*refused)
        *refused = inq_arena_strdup(modules->arena, reply.reason);
    if (error) {
        inq_error_destroy(error);
        return NULL;
    }
    if (image && module->image && !same_machine(image, module->image)) {
        inq_image_close(image);
        return NULL;
    }
    return image;
}

struct inq_image *inq_module_ask_image(struct inq_modules *modules, const struct inq_module *module,
                                       const struct inq_file_request *request)
{
    return ask_image(modules, module, request, NULL);
}

/* .gnu_debuglink: a name, NUL, padding to four bytes, the CRC-32 of the file. */
static bool read_link(const struct inq_image *image, const char **ret_name, uint32_t *ret_crc)
{
    struct inq_image_section section;

    if (!inq_image_section(image, ".gnu_debuglink", &section) || section.compressed)
        return false;
    const uint8_t *nul = memchr(section.bytes, '\0', section.size);
    if (!nul || nul == section.bytes || (size_t)(nul - section.bytes) > NAME_MAX)
        return false;
    size_t crc_at = ((size_t)(nul - section.bytes) + 4) & ~(size_t)3;
    if (crc_at > section.size || section.size - crc_at < 4)
        return false;
    *ret_name = (const char *)section.bytes;
    *ret_crc = inq_load_u32(section.bytes + crc_at, image->big_endian);
    return true;
}

/* By the name that the module's file has for it. */
static struct inq_image *ask_by_link(struct inq_modules *modules, struct inq_module *module,
                                     struct inq_file_request request, const char **refused)
{
    struct inq_image *image;

    if (!module->image || !read_link(module->image, &request.link, &request.crc))
        return NULL;
    request.kind = INQ_FILE_DEBUG_LINK;
    if (!modules->has_executable || !module->is_main)
        request.path = module->path;
    image = ask_image(modules, module, &request, refused);
    if (!image && request.path == NULL && module->path) {
        request.path = module->path;
        image = ask_image(modules, module, &request, refused);
    }
    return image;
}

void inq_module_need_debug(struct inq_modules *modules, struct inq_module *module)
{
    struct inq_file_request request = {.kind = INQ_FILE_DEBUG};
    const char *refused = NULL;

    if (module->debug_asked)
        return;
    module->debug_asked = true;
    if (module->is_vdso)
        return;
    request.build_id_size = module->build_id_size;
    memcpy(request.build_id, module->build_id, module->build_id_size);
    if (module->build_id_size > 0)
        module->debug_image = ask_image(modules, module, &request, &refused);
    if (!module->debug_image)
        module->debug_image = ask_by_link(modules, module, request, &refused);
    /* A file with symbols of its own was never stripped: no server has more of it. */
    if (!module->debug_image && modules->opener->fetches && module->build_id_size > 0 &&
        (!module->image || module->image->symtab.count == 0)) {
        request.kind = INQ_FILE_FETCH_DEBUG;
        module->debug_image = inq_module_ask_image(modules, module, &request);
    }
    if (!module->debug_image && refused)
        inq_gaps_add(modules->gaps, INQ_G_FILE_REFUSED, inq_module_where(modules, module), refused,
                     "its separate debug file is here, but is not opened");
}

void inq_module_need_mini(struct inq_modules *modules, struct inq_module *module)
{
    struct inq_image_section section;
    enum inq_packed result;
    uint8_t *bytes;
    size_t size;

    if (module->mini_asked || !module->image)
        return;
    module->mini_asked = true;
    if (!inq_image_section(module->image, ".gnu_debugdata", &section) || section.compressed)
        return;
    result = inq_unpack_xz(section.bytes, section.size, INQ_MAX_UNPACKED_XZ, &bytes, &size);
    if (result != INQ_PACKED_OK) {
        inq_gaps_add(modules->gaps, INQ_G_SYMBOLS_PARTIAL, inq_module_where(modules, module),
                     inq_packed_text(result), "the symbols in its .gnu_debugdata");
        return;
    }
    struct inq_error *error = inq_image_take(bytes, size, modules->arena, &module->mini_image);
    inq_error_destroy(error);
    if (error)
        module->mini_image = NULL;
    if (module->mini_image && !same_machine(module->mini_image, module->image)) {
        inq_image_close(module->mini_image);
        module->mini_image = NULL;
    }
}

/* .gnu_debugaltlink: a name, NUL, the build-id up to the end of the section. */
bool inq_module_need_alt(struct inq_modules *modules, struct inq_module *module,
                         const struct inq_image *of)
{
    struct inq_file_request request = {.kind = INQ_FILE_DEBUG_ALT};
    struct inq_image_section section;

    if (!inq_image_section(of, ".gnu_debugaltlink", &section) || section.compressed)
        return true;
    if (module->alt_asked)
        return module->alt_image != NULL;
    module->alt_asked = true;
    const uint8_t *nul = memchr(section.bytes, '\0', section.size);
    if (!nul || (size_t)(nul - section.bytes) >= PATH_MAX)
        return false;
    size_t id_at = (size_t)(nul - section.bytes) + 1;
    if (section.size - id_at == 0 || section.size - id_at > INQ_MAX_BUILD_ID)
        return false;
    request.path = (const char *)section.bytes;
    request.build_id_size = (uint8_t)(section.size - id_at);
    memcpy(request.build_id, section.bytes + id_at, request.build_id_size);
    module->alt_image = inq_module_ask_image(modules, module, &request);
    if (!module->alt_image && modules->opener->fetches) {
        request.kind = INQ_FILE_FETCH_DEBUG;
        request.path = NULL;
        module->alt_image = inq_module_ask_image(modules, module, &request);
    }
    return module->alt_image != NULL;
}
