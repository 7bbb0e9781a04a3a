/*
 * A progress bar on the terminal.
 */
#ifndef LEADCTL_PROGRESS_H
#define LEADCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Progress
{
	bool		is_on;			/* standard error is a terminal */
	double		started;
	double		shown;
	double		part_before;	/* done by an earlier run */
	int			width;			/* of the line that stands there */
} Progress;

extern double Now(void);
extern void ProgressBegin(Progress *progress, bool is_quiet, double part_done);
extern void ProgressShow(Progress *progress, double part, int64_t rows, int64_t rows_now, bool force);
extern void ProgressEnd(Progress *progress);

#endif
