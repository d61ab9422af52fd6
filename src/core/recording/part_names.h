/* SPDX-License-Identifier: MIT
 *
 * What the parts of a traced recording are called: each process writes a log of its
 * own, `PID-NUMBER.part`. Where one could not be written to its end the name says so,
 * `PID-NUMBER.full.part`: on a full disk a name can still change. */
#ifndef HASTEN_RECORDING_PART_NAMES_H
#define HASTEN_RECORDING_PART_NAMES_H

#define HASTEN_PART_SUFFIX ".part"
/* Before the suffix: there was no space left, */
#define HASTEN_PART_FULL ".full"
/* or something else went wrong. */
#define HASTEN_PART_FAILED ".failed"

#endif
