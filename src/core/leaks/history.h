/* SPDX-License-Identifier: MIT
 *
 * What became of objects from mark to mark. An object is known again by its address
 * and type: an address that was given to another object of the same type in between
 * makes a young object look old, hardly ever an old one young, so that turnover is
 * not mistaken for growth. What leaks is not freed, so that its addresses are its own.
 *
 * Containers are known by what they hold first or last besides (which is told
 * first depends on their type), because an interpreter gives
 * the same few addresses to containers again and again.
 *
 * Marks count from 0, the baseline. Extents are kept of a few marks only, at powers
 * of two, so that a watch of any length has an early, a middle and a late part. */
#ifndef HASTEN_LEAKS_HISTORY_H
#define HASTEN_LEAKS_HISTORY_H

#include "core/leaks/heap.h"

/* The marks that a node's extents are of. */
struct hasten_history {
    uint32_t marks;                         /* made so far */
    uint32_t referred[HASTEN_HEAP_EXTENTS]; /* newest first; HASTEN_HEAP_NONE: none */
};

void hasten_history_init(struct hasten_history *history);
/* Gives the nodes of `heap` their past, from the heap of the mark before (empty at
 * the first). What is new is of mark `history->marks`. `is_container` says it of a
 * type; NULL: none is. */
HASTEN_CHECKED hasten_status hasten_history_follow(const struct hasten_history *history,
                                                   const struct hasten_heap *before,
                                                   struct hasten_heap *heap,
                                                   bool (*is_container)(void *data, uint32_t type),
                                                   void *data);
/* `heap`, followed already, is the next mark. */
void hasten_history_mark(struct hasten_history *history, struct hasten_heap *heap);

/* The marks to compare with: the middle one is at least a third of all marks ago,
 * the early one before it. False: there were too few. */
bool hasten_history_references(const struct hasten_history *history, size_t *ret_early,
                               size_t *ret_middle);

#endif
