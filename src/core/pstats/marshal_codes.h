/* SPDX-License-Identifier: MIT
 *
 * The type codes of marshal data, of all versions of the format (0 to 5). */
#ifndef HASTEN_PSTATS_MARSHAL_CODES_H
#define HASTEN_PSTATS_MARSHAL_CODES_H

enum {
    MARSHAL_NULL = '0',
    MARSHAL_NONE = 'N',
    MARSHAL_FALSE = 'F',
    MARSHAL_TRUE = 'T',
    MARSHAL_STOP_ITERATION = 'S',
    MARSHAL_ELLIPSIS = '.',
    MARSHAL_INT = 'i',
    MARSHAL_INT64 = 'I', /* written by Python 2 */
    MARSHAL_LONG = 'l',
    MARSHAL_FLOAT = 'f',        /* as text, versions 0 and 1 */
    MARSHAL_BINARY_FLOAT = 'g', /* since version 2 */
    MARSHAL_COMPLEX = 'x',
    MARSHAL_BINARY_COMPLEX = 'y',
    MARSHAL_BYTES = 's',
    MARSHAL_UNICODE = 'u',
    MARSHAL_INTERNED = 't',
    MARSHAL_ASCII = 'a', /* this and the next three since version 4 */
    MARSHAL_ASCII_INTERNED = 'A',
    MARSHAL_SHORT_ASCII = 'z',
    MARSHAL_SHORT_ASCII_INTERNED = 'Z',
    MARSHAL_SMALL_TUPLE = ')',
    MARSHAL_TUPLE = '(',
    MARSHAL_LIST = '[',
    MARSHAL_DICT = '{',
    MARSHAL_FROZENDICT = '}',
    MARSHAL_SET = '<',
    MARSHAL_FROZENSET = '>',
    MARSHAL_SLICE = ':',
    MARSHAL_REFERENCE = 'r', /* since version 3 */
    MARSHAL_CODE = 'c',
    /* Or-ed to the code of an object that references may lead to. */
    MARSHAL_SHARED = 0x80,
};

#endif
