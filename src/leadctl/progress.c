/*
 * A progress bar on the terminal: how much is done, how many rows a second,
 * and how long it will yet take at the rate so far.
 */
#include "leadctl/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 24

/* Seconds between two looks of the bar */
#define SHOW_EVERY 0.1

/* Seconds that never go back */
double
Now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Begin, with the part that was done before */
void
ProgressBegin(Progress *progress, bool is_quiet, double part_done)
{
	memset(progress, 0, sizeof(Progress));
	progress->is_on = !is_quiet && isatty(STDERR_FILENO);
	progress->started = Now();
	progress->part_before = part_done;
}

/* Write a number with its thousands apart */
static void
Grouped(int64_t number, char *out)
{
	char		digits[32];
	int			len = snprintf(digits, sizeof(digits), "%lld", (long long) number);

	for (int i = 0; i < len; i++)
	{
		*out++ = digits[i];
		if ((len - i - 1) % 3 == 0 && i + 1 < len)
			*out++ = ',';
	}
	*out = '\0';
}

/* Show where it stands: the part done, rows in all, and rows of this run */
void
ProgressShow(Progress *progress, double part, int64_t rows, int64_t rows_now, bool force)
{
	double		now = Now();
	double		took = now - progress->started;
	double		done_now = part - progress->part_before;
	char		bar[BAR_WIDTH + 1];
	char		count[48];
	char		digits[48];
	char		rate[64] = "";
	char		left[32] = "";
	char		line[200];
	struct winsize window;
	int			columns = 80;
	int			len;

	if (!progress->is_on || (!force && now - progress->shown < SHOW_EVERY))
		return;
	progress->shown = now;
	part = part < 0 ? 0 : part > 1 ? 1 : part;
	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '#', (size_t) (part * BAR_WIDTH));
	bar[BAR_WIDTH] = '\0';
	Grouped(rows, count);
	if (took > 0 && rows_now > 0)
	{
		Grouped((int64_t) (rows_now / took), digits);
		snprintf(rate, sizeof(rate), ", %s rows/s", digits);
	}
	if (done_now > 0 && part < 1)
	{
		int64_t		seconds = (int64_t) (took * (1 - part) / done_now + 0.5);

		if (seconds < 3600)
			snprintf(left, sizeof(left), ", %d:%02d left", (int) (seconds / 60), (int) (seconds % 60));
		else
			snprintf(left, sizeof(left), ", %lld:%02d:%02d left", (long long) (seconds / 3600),
					 (int) (seconds / 60 % 60), (int) (seconds % 60));
	}
	len = snprintf(line, sizeof(line), "[%s] %3d %%  %s rows%s%s", bar, (int) (part * 100), count, rate, left);
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
		columns = window.ws_col;
	if (len > columns - 1)
		len = columns - 1;
	fprintf(stderr, "\r%.*s%*s", len, line, progress->width > len ? progress->width - len : 0, "");
	fflush(stderr);
	progress->width = len;
}

/* Take the bar away */
void
ProgressEnd(Progress *progress)
{
	if (!progress->is_on || progress->width == 0)
		return;
	fprintf(stderr, "\r%*s\r", progress->width, "");
	fflush(stderr);
	progress->width = 0;
}
