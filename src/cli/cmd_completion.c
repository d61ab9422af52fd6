/* SPDX-License-Identifier: MIT
 *
 * hasten completion: scripts for shells, made from the tables. */
#include <stdio.h>
#include <string.h>

#include "cli/message.h"
#include "cli/options.h"

static bool applies(const struct cli_option *option, unsigned verb) {
    return (option->verbs >> verb & 1) != 0;
}

static bool takes_file(const struct cli_option *option) {
    return option->value != NULL &&
           (strcmp(option->value, "FILE") == 0 || strcmp(option->value, "PATH") == 0);
}

static void bash_values(void) {
    puts("    case $previous in");
    for (size_t i = 0; i < cli_option_count; i++) {
        const struct cli_option *option = &cli_options[i];
        if (option->value == NULL || option->name == NULL) {
            continue;
        }
        printf("    --%s", option->name);
        if (option->letter != 0) {
            printf(" | -%c", option->letter);
        }
        if (option->choices != NULL) {
            printf(") COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n", option->choices);
        } else if (takes_file(option)) {
            puts(") COMPREPLY=($(compgen -f -- \"$word\")); return ;;");
        } else {
            puts(") return ;;");
        }
    }
    puts("    esac");
}

static void bash(void) {
    puts("# bash completion of hasten; made by `hasten completion bash`\n"
         "_hasten() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "    local options\n"
         "    COMPREPLY=()");
    fputs("    if ((COMP_CWORD == 1)); then\n        COMPREPLY=($(compgen -W '", stdout);
    for (unsigned verb = 0; verb < CLI_VERB_LISTED; verb++) {
        printf("%s ", cli_verbs[verb].name);
    }
    puts("--version --help' -- \"$word\"))\n        return\n    fi");
    bash_values();
    puts("    case ${COMP_WORDS[1]} in");
    for (unsigned verb = 0; verb < CLI_VERB_LISTED; verb++) {
        printf("    %s) options='", cli_verbs[verb].name);
        for (size_t i = 0; i < cli_option_count; i++) {
            if (applies(&cli_options[i], verb) && cli_options[i].name != NULL) {
                printf("--%s ", cli_options[i].name);
            }
        }
        puts("' ;;");
    }
    puts("    esac\n"
         "    if [[ $word == -* ]]; then\n"
         "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "    else\n"
         "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "    fi\n"
         "}\n"
         "complete -o filenames -F _hasten hasten");
}

/* Text inside single quotes, for zsh also without the characters that end a
 * description. */
static void quoted(const char *text, bool zsh) {
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
        } else if (zsh && (*text == '[' || *text == ']' || *text == ':')) {
            printf("\\%c", *text);
        } else {
            putchar(*text);
        }
    }
}

static void zsh_option(const struct cli_option *option) {
    const char *names[2] = {NULL, NULL};
    char letter[3] = {'-', option->letter, '\0'};
    char name[32];
    if (option->letter != 0) {
        names[0] = letter;
    }
    if (option->name != NULL) {
        snprintf(name, sizeof name, "--%s", option->name);
        names[1] = name;
    }
    for (size_t i = 0; i < 2; i++) {
        if (names[i] == NULL) {
            continue;
        }
        printf(" \\\n        '%s[", names[i]);
        quoted(option->help, true);
        putchar(']');
        if (option->value != NULL) {
            printf(":%s:", option->value);
            if (option->choices != NULL) {
                printf("(%s)", option->choices);
            } else if (takes_file(option)) {
                fputs("_files", stdout);
            }
        }
        putchar('\'');
    }
}

static void zsh(void) {
    puts("#compdef hasten\n"
         "# zsh completion of hasten; made by `hasten completion zsh`\n"
         "_hasten() {\n"
         "    if ((CURRENT == 2)); then\n"
         "        local -a commands\n"
         "        commands=(");
    for (unsigned verb = 0; verb < CLI_VERB_LISTED; verb++) {
        printf("            '%s:", cli_verbs[verb].name);
        quoted(cli_verbs[verb].summary, true);
        puts("'");
    }
    puts("        )\n"
         "        _describe command commands\n"
         "        return\n"
         "    fi\n"
         "    local verb=$words[2]\n"
         "    shift words\n"
         "    ((CURRENT--))\n"
         "    case $verb in");
    for (unsigned verb = 0; verb < CLI_VERB_LISTED; verb++) {
        printf("    %s) _arguments -S", cli_verbs[verb].name);
        for (size_t i = 0; i < cli_option_count; i++) {
            if (applies(&cli_options[i], verb)) {
                zsh_option(&cli_options[i]);
            }
        }
        puts(" \\\n        '*::argument:_files' ;;");
    }
    puts("    esac\n"
         "}\n"
         "_hasten \"$@\"");
}

static void fish(void) {
    puts("# fish completion of hasten; made by `hasten completion fish`");
    for (unsigned verb = 0; verb < CLI_VERB_LISTED; verb++) {
        printf("complete -c hasten -n __fish_use_subcommand -f -a %s -d '", cli_verbs[verb].name);
        quoted(cli_verbs[verb].summary, false);
        puts("'");
    }
    for (unsigned verb = 0; verb < CLI_VERB_LISTED; verb++) {
        for (size_t i = 0; i < cli_option_count; i++) {
            const struct cli_option *option = &cli_options[i];
            if (!applies(option, verb)) {
                continue;
            }
            printf("complete -c hasten -n '__fish_seen_subcommand_from %s'", cli_verbs[verb].name);
            if (option->letter != 0) {
                printf(" -s %c", option->letter);
            }
            if (option->name != NULL) {
                printf(" -l %s", option->name);
            }
            if (option->choices != NULL) {
                printf(" -x -a '%s'", option->choices);
            } else if (option->value != NULL) {
                fputs(takes_file(option) ? " -r" : " -x", stdout);
            }
            fputs(" -d '", stdout);
            quoted(option->help, false);
            puts("'");
        }
    }
}

int cmd_completion(const struct cli_options *options) {
    const char *shell = options->argument_count == 1 ? options->arguments[0] : "";
    if (strcmp(shell, "bash") == 0) {
        bash();
    } else if (strcmp(shell, "zsh") == 0) {
        zsh();
    } else if (strcmp(shell, "fish") == 0) {
        fish();
    } else {
        cli_say("completion: one of these is expected: bash zsh fish");
        return CLI_EXIT_USAGE;
    }
    return CLI_EXIT_OK;
}
