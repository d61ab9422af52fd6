/* SPDX-License-Identifier: MIT
 *
 * Operators and conversions of numbers. Whatever operands are lazy, the operation is that of
 * the objects they stand for, and so is its result, but for an operation in place: that
 * answers a lazy object again, the same where the other object answered itself. */
#include "ext/lazy/proxy.h"

static inline PyObject *apply(PyObject *left, PyObject *right, binaryfunc function) {
    PyObject *answer = NULL;
    const struct hasten_py_held one = hasten_py_operand_hold(left);
    if (one.object != NULL) {
        const struct hasten_py_held other = hasten_py_operand_hold(right);
        if (other.object != NULL) {
            answer = function(one.object, other.object);
        }
        hasten_py_release(other);
    }
    hasten_py_release(one);
    return answer;
}

static PyObject *apply_in_place(PyObject *self, PyObject *right, binaryfunc function) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    const struct hasten_py_held other = hasten_py_operand_hold(right);
    PyObject *value = other.object == NULL ? NULL : function(held.object, other.object);
    PyObject *answer = NULL;
    if (value != NULL) {
        answer = value == held.object ? Py_NewRef(self) : hasten_py_proxy_around(self, value);
        Py_DECREF(value);
    }
    hasten_py_release(other);
    hasten_py_release(held);
    return answer;
}

/* X(slot, function of the interpreter) */
#define BINARY(X)                         \
    X(subtract, PyNumber_Subtract)        \
    X(multiply, PyNumber_Multiply)        \
    X(remainder, PyNumber_Remainder)      \
    X(divmod, PyNumber_Divmod)            \
    X(lshift, PyNumber_Lshift)            \
    X(rshift, PyNumber_Rshift)            \
    X(and, PyNumber_And)                  \
    X(xor, PyNumber_Xor)                  \
    X(or, PyNumber_Or)                    \
    X(floor_divide, PyNumber_FloorDivide) \
    X(true_divide, PyNumber_TrueDivide)   \
    X(matrix_multiply, PyNumber_MatrixMultiply)

#define IN_PLACE(X)                                      \
    X(inplace_add, PyNumber_InPlaceAdd)                  \
    X(inplace_subtract, PyNumber_InPlaceSubtract)        \
    X(inplace_multiply, PyNumber_InPlaceMultiply)        \
    X(inplace_remainder, PyNumber_InPlaceRemainder)      \
    X(inplace_lshift, PyNumber_InPlaceLshift)            \
    X(inplace_rshift, PyNumber_InPlaceRshift)            \
    X(inplace_and, PyNumber_InPlaceAnd)                  \
    X(inplace_xor, PyNumber_InPlaceXor)                  \
    X(inplace_or, PyNumber_InPlaceOr)                    \
    X(inplace_floor_divide, PyNumber_InPlaceFloorDivide) \
    X(inplace_true_divide, PyNumber_InPlaceTrueDivide)   \
    X(inplace_matrix_multiply, PyNumber_InPlaceMatrixMultiply)

#define UNARY(X)                   \
    X(negative, PyNumber_Negative) \
    X(positive, PyNumber_Positive) \
    X(absolute, PyNumber_Absolute) \
    X(invert, PyNumber_Invert)     \
    X(int, PyNumber_Long)          \
    X(float, PyNumber_Float)       \
    X(index, PyNumber_Index)

#define DEFINE_BINARY(slot, function)                               \
    static PyObject *slot_##slot(PyObject *left, PyObject *right) { \
        return apply(left, right, function);                        \
    }
BINARY(DEFINE_BINARY)

/* The object of a lazy one that is ready, any other itself: borrowed. */
static inline PyObject *glance(PyObject *object) {
    return Py_TYPE(object)->tp_dealloc == hasten_py_proxy_dealloc &&
                   hasten_py_proxy_is_ready(object)
               ? hasten_py_proxy_glance(object)
               : object;
}

static PyObject *slot_add(PyObject *left, PyObject *right) {
    PyObject *one = glance(left);
    PyObject *other = glance(right);
    /* To add two integers runs nothing of the program. */
    return PyLong_CheckExact(one) && PyLong_CheckExact(other)
               ? PyLong_Type.tp_as_number->nb_add(one, other)
               : apply(left, right, PyNumber_Add);
}

#define DEFINE_IN_PLACE(slot, function)                             \
    static PyObject *slot_##slot(PyObject *self, PyObject *right) { \
        return apply_in_place(self, right, function);               \
    }
IN_PLACE(DEFINE_IN_PLACE)

#define DEFINE_UNARY(slot, function)                 \
    static PyObject *slot_##slot(PyObject *self) {   \
        return hasten_py_proxy_pass(self, function); \
    }
UNARY(DEFINE_UNARY)

/* Each of the three may be lazy. */
static PyObject *power(PyObject *base, PyObject *exponent, PyObject *modulus,
                       ternaryfunc function) {
    PyObject *answer = NULL;
    struct hasten_py_held operands[3] = {{NULL, false}, {NULL, false}, {NULL, false}};
    PyObject *objects[] = {base, exponent, modulus};
    int count = 0;
    for (bool goes_on = true; count < 3 && goes_on; count++) {
        operands[count] = hasten_py_operand_hold(objects[count]);
        goes_on = operands[count].object != NULL;
    }
    if (operands[2].object != NULL) {
        answer = function(operands[0].object, operands[1].object, operands[2].object);
    }
    while (count-- > 0) {
        hasten_py_release(operands[count]);
    }
    return answer;
}

static PyObject *slot_power(PyObject *base, PyObject *exponent, PyObject *modulus) {
    return power(base, exponent, modulus, PyNumber_Power);
}

static PyObject *power_in_place(PyObject *base, PyObject *exponent) {
    return PyNumber_InPlacePower(base, exponent, Py_None);
}

static PyObject *slot_inplace_power(PyObject *self, PyObject *exponent, PyObject *modulus) {
    (void)modulus; /* there is no statement that has one */
    return apply_in_place(self, exponent, power_in_place);
}

static int slot_bool(PyObject *self) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return -1;
    }
    const int answer = PyObject_IsTrue(held.object);
    hasten_py_release(held);
    return answer;
}

#define ENTRY(slot, function) {Py_nb_##slot, slot_##slot},

const PyType_Slot hasten_py_operator_slots[] = {
    BINARY(ENTRY) IN_PLACE(ENTRY) UNARY(ENTRY){Py_nb_add, slot_add},
    {Py_nb_power, slot_power},
    {Py_nb_inplace_power, slot_inplace_power},
    {Py_nb_bool, slot_bool},
    {0, NULL},
};
