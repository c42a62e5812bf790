/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MESSAGE_ID= of what lsmd writes to the journal; packaging/catalog/lsmd.catalog explains each. Drawn at random, never reused. */
#ifndef LSMD_RECORD_MESSAGE_ID_H
#define LSMD_RECORD_MESSAGE_ID_H

#define LSMD_MESSAGE_DENIED "6350b65e10ef46f391e79b701f0aa346"
#define LSMD_MESSAGE_WOULD_DENY "eec9ea779d5145b29cf3b2dcb7b1b66c"
#define LSMD_MESSAGE_LOGGED "285da70d679941cb9f3fe4fadb55356c"
#define LSMD_MESSAGE_UNLOADED "3d0693a4f0c34a04ba6f28e5ea87004e"

#endif
