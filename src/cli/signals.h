/* SPDX-License-Identifier: MIT
 *
 * Signals of a launcher. Signal handlers can reach nothing but globals: this is
 * the one place of the command that has some.
 *
 * While a child runs, what is sent to hasten is for the program: it is forwarded.
 * What the terminal sends (Ctrl-C, Ctrl-\, hang-up) reaches the program by
 * itself, since it is in the same process group, and is not sent twice. */
#ifndef HASTEN_CLI_SIGNALS_H
#define HASTEN_CLI_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/* Blocks all signals and installs the launcher's handlers; remembers what was
 * there. Call before fork. */
void cli_signals_prepare(void);
/* In the parent after fork: forwards to `child` from now on, unblocks. */
void cli_signals_forward_to(pid_t child);
/* In the child before exec: everything as hasten itself was started with. */
void cli_signals_restore(void);
/* After the child's death: nothing is forwarded, and Ctrl-C does not interrupt
 * what is still to be written. */
void cli_signals_child_gone(void);

/* For attach: Ctrl-C, hang-up and termination ask to stop instead. */
void cli_signals_catch_stop(void);
bool cli_signals_stop_asked(void);
/* In a child that is measured or that works for us, before exec: a group of its own, which
 * Ctrl-C does not reach, signals as a program expects them, and it ends when `parent` does. */
void cli_signals_lead_group(pid_t parent);

/* Ends this process by `signal`, without a core file of its own. */
_Noreturn void cli_signals_die_by(int signal);

#endif
