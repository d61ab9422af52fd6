/* SPDX-License-Identifier: MIT
 *
 * Objects made of memory that CPython kept from objects before them: no allocator is
 * asked for it. From 3.13 on the interpreter tells of every object that is made. */
#ifndef HASTEN_EXT_TRACEMALLOC_REFERENCES_H
#define HASTEN_EXT_TRACEMALLOC_REFERENCES_H

void hasten_references_watch(void);
/* Puts back who was told before. */
void hasten_references_unwatch(void);

#endif
