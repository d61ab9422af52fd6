/* SPDX-License-Identifier: MIT
 *
 * The environment: how what the command asked for gets here, and to the programs that
 * this one starts. */
#ifndef HASTEN_PRELOAD_SETTINGS_H
#define HASTEN_PRELOAD_SETTINGS_H

#include <stddef.h>

#define HASTEN_SETTINGS_VERSION "1"

/* Room for LD_PRELOAD where the program has one of its own. */
struct hasten_settings_list {
    char text[8192];
};

/* Entries that the room for hasten_settings_for needs; 0: nothing is passed on. */
size_t hasten_settings_room(char *const *environment);
/* For a program that is about to begin: `environment` with what is ours in it, made in
 * `room`; `environment` itself where it is not to have that. `path`: the program, NULL:
 * not known. Calls nothing that is not legal after vfork. */
char *const *hasten_settings_for(const char *path, char *const *environment, char **room,
                                 struct hasten_settings_list *list);

/* A command for a shell, behind another that sets all this; NULL: it is to be given as it
 * is. To be freed with the real free. */
char *hasten_settings_command(const char *command);

#endif
