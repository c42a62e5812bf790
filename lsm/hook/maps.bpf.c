// SPDX-License-Identifier: GPL-2.0-only
/* Every map, made once, and the settings that the agent fixes before it loads the programs. */
#include "maps.h"

char LICENSE[] SEC("license") = "GPL";

const volatile lsmd_u32 lsmd_image_mask = LSMD_IMAGE_BYTES_MIN - 1;

struct lsmd_images_map lsmd_images SEC(".maps");
struct lsmd_control_map lsmd_control SEC(".maps");
struct lsmd_counts_map lsmd_counts SEC(".maps");
struct lsmd_tally_map lsmd_tally SEC(".maps"); /* the agents' own */
struct lsmd_labels_map lsmd_labels SEC(".maps");
struct lsmd_execs_map lsmd_execs SEC(".maps");
struct lsmd_pool_map lsmd_pool SEC(".maps");
struct lsmd_denials_map lsmd_denials SEC(".maps");
struct lsmd_notes_map lsmd_notes SEC(".maps");
