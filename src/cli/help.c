/* SPDX-License-Identifier: MIT
 *
 * Lays the tables out as help for 80 columns. */
#include "cli/help.h"

#include <string.h>

#define COLUMNS 80
#define OPTION_COLUMNS 26

enum cli_verb_id cli_find_verb(const char *name) {
    unsigned verb = 0;
    while (verb < CLI_VERB_COUNT && strcmp(cli_verbs[verb].name, name) != 0) {
        verb++;
    }
    return (enum cli_verb_id)verb;
}

void cli_help_overview(FILE *out) {
    fputs("hasten finds out what makes a Python program slow.\n\nUsage: hasten COMMAND ...\n\n",
          out);
    for (unsigned verb = 0; verb < CLI_VERB_LISTED; verb++) {
        fprintf(out, "  %-11s %s\n", cli_verbs[verb].name, cli_verbs[verb].summary);
    }
    fputs("\nTry: hasten run app.py\n"
          "`hasten help COMMAND` says more; `hasten --version` prints the version.\n",
          out);
}

/* The text from column `column` on, wrapped, continued at OPTION_COLUMNS. */
static void wrap(FILE *out, const char *text, size_t column) {
    bool first = true;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        if (!first && column + 1 + size > COLUMNS) {
            fprintf(out, "\n%*s", OPTION_COLUMNS, "");
            column = OPTION_COLUMNS;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, size, out);
        column += size;
        text += size;
        text += strspn(text, " ");
        first = false;
    }
    fputc('\n', out);
}

static void write_option(FILE *out, const struct cli_option *option) {
    char left[64];
    int used = option->letter != 0 ? snprintf(left, sizeof left, "  -%c", option->letter)
                                   : snprintf(left, sizeof left, "    ");
    if (option->name != NULL) {
        used += snprintf(left + used, sizeof left - (size_t)used, "%s--%s",
                         option->letter != 0 ? ", " : "  ", option->name);
    }
    if (option->value != NULL) {
        used += snprintf(left + used, sizeof left - (size_t)used, " %s", option->value);
    }
    fputs(left, out);
    if (used + 2 > OPTION_COLUMNS) {
        fputc('\n', out);
        used = 0;
    }
    fprintf(out, "%*s", OPTION_COLUMNS - used, "");
    wrap(out, option->help, OPTION_COLUMNS);
}

void cli_help_verb(enum cli_verb_id verb, FILE *out) {
    const char *summary = cli_verbs[verb].summary;
    fprintf(out, "hasten %s%s%s\n\n", cli_verbs[verb].name, summary == NULL ? "" : ": ",
            summary == NULL ? "" : summary);
    const char *usage = cli_verb_usage(verb);
    for (const char *line = usage; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        fprintf(out, "%s%.*s\n", line == usage ? "Usage: " : "       ", (int)size, line);
        line += size + (line[size] == '\n');
    }
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < cli_option_count; i++) {
        if ((cli_options[i].verbs >> verb & 1) != 0) {
            write_option(out, &cli_options[i]);
        }
    }
    fprintf(out, "\n%s", cli_verb_details(verb));
}
