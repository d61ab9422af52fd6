/* SPDX-License-Identifier: MIT
 *
 * Reads a command line by the table of options. */
#include <string.h>

#include "cli/message.h"
#include "cli/options.h"

#define DEFAULT_RATE_HZ 1000.0

struct parser {
    enum cli_verb_id verb;
    int count;
    char **arguments;
    int next;
    struct cli_options *options;
};

static bool complain(const struct parser *parser, const char *what, const char *argument) {
    const char *verb = cli_verbs[parser->verb].name;
    cli_say("%s: %s%s; `hasten help %s` lists what is possible", verb, what, argument, verb);
    return false;
}

static const struct cli_option *find_option(const struct parser *parser, char letter,
                                            const char *name, size_t name_size) {
    for (size_t i = 0; i < cli_option_count; i++) {
        const struct cli_option *option = &cli_options[i];
        if ((option->verbs >> parser->verb & 1) == 0) {
            continue;
        }
        if (letter != 0 && option->letter == letter) {
            return option;
        }
        if (name != NULL && option->name != NULL && strlen(option->name) == name_size &&
            memcmp(option->name, name, name_size) == 0) {
            return option;
        }
    }
    return NULL;
}

static bool is_choice(const char *choices, const char *value) {
    size_t size = strlen(value);
    for (const char *choice = choices; *choice != '\0';) {
        size_t length = strcspn(choice, " ");
        if (length == size && memcmp(choice, value, size) == 0) {
            return true;
        }
        choice += length;
        choice += strspn(choice, " ");
    }
    return false;
}

static bool store(const struct parser *parser, const struct cli_option *option, const char *shown,
                  const char *value) {
    const char *verb = cli_verbs[parser->verb].name;
    if (option->choices != NULL && !is_choice(option->choices, value)) {
        cli_say("%s: %s %s: one of these is expected: %s", verb, shown, value, option->choices);
        return false;
    }
    const char *complaint = option->store(parser->options, value);
    if (complaint != NULL) {
        cli_say("%s: %s %s: %s", verb, shown, value, complaint);
        return false;
    }
    return true;
}

/* The value attached to the option, else the next argument. */
static bool take_value(struct parser *parser, const struct cli_option *option, const char *shown,
                       const char *attached) {
    if (option->value == NULL) {
        if (attached != NULL) {
            return complain(parser, "takes no value: ", shown);
        }
        return store(parser, option, shown, "");
    }
    if (attached == NULL) {
        if (parser->next == parser->count) {
            return complain(parser, "a value is missing after ", shown);
        }
        attached = parser->arguments[parser->next++];
    }
    return store(parser, option, shown, attached);
}

/* "--name", "--name=value". */
static bool parse_long(struct parser *parser, const char *argument,
                       const struct cli_option **ret_option) {
    const char *name = argument + 2;
    const char *equals = strchr(name, '=');
    size_t size = equals == NULL ? strlen(name) : (size_t)(equals - name);
    *ret_option = find_option(parser, 0, name, size);
    if (*ret_option == NULL) {
        return complain(parser, "unknown option ", argument);
    }
    return take_value(parser, *ret_option, argument, equals == NULL ? NULL : equals + 1);
}

/* "-x", "-xVALUE". Letters are not bundled. */
static bool parse_short(struct parser *parser, const char *argument,
                        const struct cli_option **ret_option) {
    *ret_option = find_option(parser, argument[1], NULL, 0);
    if (*ret_option == NULL) {
        return complain(parser, "unknown option ", argument);
    }
    const char shown[3] = {'-', argument[1], '\0'};
    return take_value(parser, *ret_option, shown, argument[2] == '\0' ? NULL : argument + 2);
}

/* Options may stand after the argument of every verb but those that run a program, whose
 * arguments are the program's. */
static bool parse_all(struct parser *parser) {
    struct cli_options *options = parser->options;
    int kept = 0;
    while (parser->next < parser->count) {
        char *argument = parser->arguments[parser->next++];
        const struct cli_option *option = NULL;
        if (strcmp(argument, "--") == 0) {
            options->is_command = true;
            break;
        }
        if (argument[0] != '-' || argument[1] == '\0') {
            if (parser->verb == CLI_VERB_RUN || parser->verb == CLI_VERB_IMPORTS) {
                parser->next--;
                break;
            }
            parser->arguments[kept++] = argument;
            continue;
        }
        if (argument[1] == '-' ? !parse_long(parser, argument, &option)
                               : !parse_short(parser, argument, &option)) {
            return false;
        }
        if (option->ends) {
            break;
        }
    }
    while (parser->next < parser->count) {
        parser->arguments[kept++] = parser->arguments[parser->next++];
    }
    options->argument_count = kept;
    options->arguments = parser->arguments;
    return true;
}

bool cli_parse(enum cli_verb_id verb, int count, char **arguments,
               struct cli_options *ret_options) {
    *ret_options = (struct cli_options){.rate_hz = DEFAULT_RATE_HZ};
    cli_bench_defaults(&ret_options->bench);
    struct parser parser = {
        .verb = verb, .count = count, .arguments = arguments, .options = ret_options};
    return parse_all(&parser);
}
