/*
 * Charts: a funnel, shares in stacked bars, and a heat map, drawn from arrays.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "reports/reports.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define CHART_WIDTH 900
#define MARGIN 28

static const Colour funnel_first = {66, 133, 196};
static const Colour funnel_last = {20, 61, 110};
static const Colour heat_low = {236, 244, 252};
static const Colour heat_middle = {107, 170, 222};
static const Colour heat_high = {8, 64, 124};

/*
 * Colours of parts, told apart by people with any colour vision (after Okabe
 * and Ito 2008, and Tol's muted set); the last is for what is lumped together.
 */
static const Colour part_colours[] = {
	{0, 114, 178}, {230, 159, 0}, {0, 158, 115}, {204, 121, 167}, {86, 180, 233},
	{213, 94, 0}, {136, 34, 85}, {221, 204, 119}, {51, 34, 136}, {153, 153, 51},
	{170, 176, 183}
};

/* An argument as strings; NULL elements are empty */
static char **
StringsArgument(FunctionCallInfo fcinfo, int argument, int limit, int *n)
{
	Datum	   *values;
	bool	   *nulls;
	char	  **strings;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, n);
	if (*n > limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a chart has at most %d rows and %d columns or parts", CHART_MAX_ROWS, CHART_MAX_COLUMNS)));
	strings = palloc(sizeof(char *) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
		strings[i] = nulls[i] ? pstrdup("") : TextDatumGetCString(values[i]);
	return strings;
}

/* An argument as so many numbers; NULL elements are NaN */
static double *
NumbersArgument(FunctionCallInfo fcinfo, int argument, int expected)
{
	Datum	   *values;
	bool	   *nulls;
	double	   *numbers;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &values, &nulls, &n);
	if (n != expected)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("expected %d numbers, not %d", expected, n),
				 errhint("Give one number for each label, or for each row and column, row by row.")));
	numbers = palloc(sizeof(double) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		numbers[i] = nulls[i] ? NAN : DatumGetFloat8(values[i]);
		if (isinf(numbers[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("infinity cannot be drawn")));
	}
	return numbers;
}

/* Colour of a share of the highest */
static Colour
HeatColour(double share)
{
	return share < 0.5 ? ColourBetween(heat_low, heat_middle, share * 2) : ColourBetween(heat_middle, heat_high, share * 2 - 1);
}

/* A number that is drawn: what is missing or negative is nothing */
static double
Drawn(double number)
{
	return isnan(number) || number < 0 ? 0 : number;
}

PG_FUNCTION_INFO_V1(funnel_svg);
/* Draw a funnel: title, note, labels, numbers */
Datum
funnel_svg(PG_FUNCTION_ARGS)
{
	const double bar = 42;
	const double gap = 26;
	const double left = 252;
	const double span = 430;
	const double middle = left + span / 2;
	const char *arrow = GetDatabaseEncoding() == PG_UTF8 ? "\342\206\223" : "to";
	int			n;
	char	  **labels = StringsArgument(fcinfo, 2, CHART_MAX_COLUMNS, &n);
	double	   *numbers = NumbersArgument(fcinfo, 3, n);
	double		most = 0;
	double		y;
	Canvas		canvas;

	CanvasStart(&canvas, text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)), CHART_WIDTH);
	for (int i = 0; i < n; i++)
		most = Max(most, Drawn(numbers[i]));
	if (most == 0)
	{
		CanvasEmpty(&canvas);
		PG_RETURN_TEXT_P(cstring_to_text(CanvasFinish(&canvas, canvas.top + 120 + MARGIN)));
	}
	y = canvas.top;
	for (int i = 0; i < n; i++)
	{
		double		number = Drawn(numbers[i]);
		double		width = Max(number / most * span, number > 0 ? 3 : 1);
		Colour		colour = number > 0 ? ColourBetween(funnel_first, funnel_last, n > 1 ? (double) i / (n - 1) : 0) : (Colour) {
			208, 215, 222
		};

		if (i > 0)
		{
			double		before = Drawn(numbers[i - 1]);
			double		width_before = Max(before / most * span, before > 0 ? 3 : 1);

			appendStringInfo(&canvas.body, "<polygon points=\"%.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f\" fill=\"#e6eef7\"/>\n",
							 middle - width_before / 2, y - gap, middle + width_before / 2, y - gap,
							 middle + width / 2, y, middle - width / 2, y);
			if (before > 0)
				CanvasText(&canvas, middle, y - gap / 2 + 4, "small", ANCHOR_MIDDLE,
						   psprintf("%s %s", arrow, PercentText(number / before)));
		}
		CanvasBox(&canvas, middle - width / 2, y, width, bar, 4, colour,
				  psprintf("%s: %s", labels[i], NumberText(number)));
		CanvasLabel(&canvas, MARGIN, y + bar / 2, left - MARGIN - 16, bar + gap, 13.5, "label", ANCHOR_START, labels[i]);
		CanvasText(&canvas, left + span + 22, y + bar / 2 - 2, "number", ANCHOR_START, NumberText(number));
		if (Drawn(numbers[0]) > 0)
			CanvasText(&canvas, left + span + 22, y + bar / 2 + 15, "small", ANCHOR_START,
					   psprintf("%s of the first", PercentText(number / numbers[0])));
		y += bar + gap;
	}
	PG_RETURN_TEXT_P(cstring_to_text(CanvasFinish(&canvas, y - gap + MARGIN)));
}

/* Draw the legend of parts in as many lines as it needs; returns where it ends */
static double
DrawLegend(Canvas *canvas, char **parts, const Colour *colours, int n)
{
	const double size = 12.5;
	const double widest = 260;
	double		x = MARGIN;
	double		y = canvas->top;
	double		line = 24;

	for (int i = 0; i < n; i++)
		if (TextWidth(parts[i], size) > widest)
			line = 36;
	for (int i = 0; i < n; i++)
	{
		double		width = Min(TextWidth(parts[i], size), widest);

		if (x > MARGIN && x + 18 + width > canvas->width - MARGIN)
		{
			x = MARGIN;
			y += line;
		}
		CanvasBox(canvas, x, y - 6, 12, 12, 3, colours[i], NULL);
		CanvasLabel(canvas, x + 18, y, width + 1, line, size, "note", ANCHOR_START, parts[i]);
		x += 18 + width + 18;
	}
	return y + line / 2 + 16;
}

PG_FUNCTION_INFO_V1(shares_svg);
/* Draw shares as stacked bars: title, note, rows, parts, numbers row by row */
Datum
shares_svg(PG_FUNCTION_ARGS)
{
	const double bar = 30;
	const double gap = 12;
	const double left = 262;
	const double span = CHART_WIDTH - MARGIN - left;
	int			row_count;
	int			part_count;
	char	  **rows = StringsArgument(fcinfo, 2, CHART_MAX_ROWS, &row_count);
	char	  **parts = StringsArgument(fcinfo, 3, CHART_MAX_COLUMNS, &part_count);
	double	   *numbers = NumbersArgument(fcinfo, 4, row_count * part_count);
	Colour	   *colours = palloc(sizeof(Colour) * Max(part_count, 1));
	double		all = 0;
	double		y;
	double		bottom;
	Canvas		canvas;

	CanvasStart(&canvas, text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)), CHART_WIDTH);
	for (int i = 0; i < row_count * part_count; i++)
		all += Drawn(numbers[i]);
	if (all == 0)
	{
		CanvasEmpty(&canvas);
		PG_RETURN_TEXT_P(cstring_to_text(CanvasFinish(&canvas, canvas.top + 120 + MARGIN)));
	}
	for (int i = 0; i < part_count; i++)
		colours[i] = part_colours[Min(i, lengthof(part_colours) - 1)];
	y = DrawLegend(&canvas, parts, colours, part_count);
	bottom = y + row_count * (bar + gap);
	for (int i = 0; i <= 4; i++)
	{
		double		x = left + span * i / 4;

		appendStringInfo(&canvas.body, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#d0d7de\"/>\n", x, y - 6, x, bottom);
		CanvasText(&canvas, x, bottom + 16, "small", i == 4 ? ANCHOR_END : ANCHOR_MIDDLE, psprintf("%d %%", 25 * i));
	}
	for (int i = 0; i < row_count; i++)
	{
		double		sum = 0;
		double		so_far = 0;

		CanvasLabel(&canvas, MARGIN, y + bar / 2, left - MARGIN - 14, bar + gap, 13.5, "label", ANCHOR_START, rows[i]);
		for (int j = 0; j < part_count; j++)
			sum += Drawn(numbers[i * part_count + j]);
		for (int j = 0; j < part_count && sum > 0; j++)
		{
			double		share = Drawn(numbers[i * part_count + j]) / sum;
			double		x = left + so_far * span;
			double		width = share * span;

			if (share == 0)
				continue;
			CanvasBox(&canvas, x, y, width, bar, 0, colours[j],
					  psprintf("%s, %s: %s", rows[i], parts[j], PercentText(share)));
			if (so_far > 0)
				appendStringInfo(&canvas.body, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ffffff\"/>\n", x, y, x, y + bar);
			if (width >= 36)
				CanvasText(&canvas, x + width / 2, y + bar / 2 + 4, ColourIsDark(colours[j]) ? "light" : "cell", ANCHOR_MIDDLE,
						   psprintf("%.0f %%", share * 100));
			so_far += share;
		}
		if (sum == 0)
			CanvasText(&canvas, left + 10, y + bar / 2 + 4, "small", ANCHOR_START, "No data");
		y += bar + gap;
	}
	PG_RETURN_TEXT_P(cstring_to_text(CanvasFinish(&canvas, bottom + 16 + MARGIN)));
}

PG_FUNCTION_INFO_V1(heat_map_svg);
/* Draw a heat map of percentages: title, note, rows, what they stand for, columns, numbers row by row */
Datum
heat_map_svg(PG_FUNCTION_ARGS)
{
	const double cell = 30;
	const double left = 226;
	int			row_count;
	int			note_count;
	int			column_count;
	char	  **rows = StringsArgument(fcinfo, 2, CHART_MAX_ROWS, &row_count);
	char	  **notes = StringsArgument(fcinfo, 3, CHART_MAX_ROWS, &note_count);
	char	  **columns = StringsArgument(fcinfo, 4, CHART_MAX_COLUMNS, &column_count);
	double	   *numbers = NumbersArgument(fcinfo, 5, row_count * column_count);
	double		width = Min(62, Max(46, (CHART_WIDTH - MARGIN - left) / Max(column_count, 1)));
	double		most = 0;
	double		y;
	Canvas		canvas;

	if (note_count != row_count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("expected %d notes, not %d", row_count, note_count)));
	CanvasStart(&canvas, text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)),
				Max(CHART_WIDTH, (int) ceil(left + column_count * width + MARGIN)));
	if (row_count == 0 || column_count == 0)
	{
		CanvasEmpty(&canvas);
		PG_RETURN_TEXT_P(cstring_to_text(CanvasFinish(&canvas, canvas.top + 120 + MARGIN)));
	}
	for (int i = 0; i < row_count * column_count; i++)
		most = Max(most, Drawn(numbers[i]));
	y = canvas.top + 6;
	for (int j = 0; j < column_count; j++)
		CanvasText(&canvas, left + (j + 0.5) * width, y + 4, "small", ANCHOR_MIDDLE, columns[j]);
	y += 14;
	for (int i = 0; i < row_count; i++)
	{
		CanvasLabel(&canvas, MARGIN, y + cell / 2, 92, cell, 13.5, "label", ANCHOR_START, rows[i]);
		CanvasLabel(&canvas, left - 12, y + cell / 2, 90, cell, 11.5, "small", ANCHOR_END, notes[i]);
		for (int j = 0; j < column_count; j++)
		{
			double		number = numbers[i * column_count + j];
			double		share = most > 0 ? Drawn(number) / most : 0;
			Colour		colour = HeatColour(share);

			if (isnan(number))
				continue;
			CanvasBox(&canvas, left + j * width + 1, y + 1, width - 2, cell - 2, 3, colour,
					  psprintf("%s, %s: %s", rows[i], columns[j], PercentText(number / 100)));
			CanvasText(&canvas, left + (j + 0.5) * width, y + cell / 2 + 4, ColourIsDark(colour) ? "light" : "cell", ANCHOR_MIDDLE,
					   number >= 99.95 ? "100" : psprintf(number > 0 ? "%.1f" : "%.0f", number));
		}
		y += cell;
	}
	/* The scale */
	y += 18;
	if (most > 0)
	{
		const double scale = 180;
		const double x = canvas.width - MARGIN - scale - 56;

		CanvasText(&canvas, x - 8, y + 10, "small", ANCHOR_END, "0 %");
		for (int i = 0; i < 30; i++)
			CanvasBox(&canvas, x + i * scale / 30, y, scale / 30 + 0.3, 12, 0, HeatColour(i / 29.0), NULL);
		CanvasText(&canvas, x + scale + 8, y + 10, "small", ANCHOR_START, PercentText(most / 100));
		y += 12;
	}
	PG_RETURN_TEXT_P(cstring_to_text(CanvasFinish(&canvas, y + MARGIN)));
}
