/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes state files beside the event loop: a file at once where it was not
 * written lately, else when its time has come, always in its newest version. So
 * what changes with every packet costs a write every few seconds, and a slow disk
 * holds up nothing but the writer.
 *
 * One writer a process. Context: the daemon's own thread; the writer has another, which has
 * whatever privileges its starter has at that moment.
 */
#ifndef WAYLEAVE_DAEMON_STATE_WRITER_H
#define WAYLEAVE_DAEMON_STATE_WRITER_H

#define STATE_WRITE_SECONDS 5 /* between two writes of one file */
#define STATE_FILES	    16

/* 0 or -errno: then everything is written as before a start, at once by its caller. */
int state_writer_start(void);

/* Writes what waits, and ends the thread. Nothing where none was started. */
void state_writer_stop(void);

/*
 * Takes over TEXT, from malloc(), the new content of the file PATH. 0: it will be written, and a
 * failure is said once until a write has passed; or, without a thread, it has been written;
 * -errno.
 */
int state_writer_put(const char *path, char *text);

/* Atomically, at once, by the caller: a temporary file, fsync, rename. 0 or -errno. */
int state_writer_replace(const char *path, const char *text);

#endif
