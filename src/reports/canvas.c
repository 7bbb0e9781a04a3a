/*
 * A canvas: text that is escaped, measured, wrapped and cut short, boxes, and
 * the frame around them.  What is drawn uses no script, no style sheet and no
 * font from outside, so that it shows alike in a browser, a mail and a report.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "reports/reports.h"

#define MARGIN 28

/*
 * Advance widths of the characters from space to tilde in thousandths of the
 * font size, as in Helvetica; other fonts are allowed for by WIDTH_ALLOWANCE.
 */
static const short ascii_widths[] = {
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584
};

#define WIDTH_ALLOWANCE 1.12

static const char *const anchors[] = {"start", "middle", "end"};

/* Width of a character in thousandths of the font size */
static int
CharacterWidth(const char *text)
{
	unsigned int code;

	if ((unsigned char) *text < 0x80)
		return *text >= ' ' && *text <= '~' ? ascii_widths[*text - ' '] : 278;
	if (GetDatabaseEncoding() != PG_UTF8)
		return 600;
	code = utf8_to_unicode((const unsigned char *) text);
	if (code >= 0x0300 && code <= 0x036f)
		return 0;				/* combining marks */
	if ((code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
		(code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
		(code >= 0xfe30 && code <= 0xfe4f) || (code >= 0xff00 && code <= 0xff60) || code >= 0x1f000)
		return 1000;
	return 600;
}

/* Width of a text in a font size */
double
TextWidth(const char *text, double size)
{
	double		width = 0;

	for (; *text; text += pg_mblen(text))
		width += CharacterWidth(text);
	return width * size * WIDTH_ALLOWANCE / 1000;
}

/* The bytes at the beginning of a text that fit into a width */
static int
FittingBytes(const char *text, double width, double size)
{
	double		used = 0;
	int			bytes = 0;

	while (text[bytes])
	{
		used += CharacterWidth(text + bytes) * size * WIDTH_ALLOWANCE / 1000;
		if (used > width)
			break;
		bytes += pg_mblen(text + bytes);
	}
	return bytes;
}

/* Add text as the content of an element or attribute */
static void
AppendText(StringInfo out, const char *text)
{
	while (*text)
	{
		int			length = pg_mblen(text);

		if (length > 1)
			appendBinaryStringInfo(out, text, length);
		else if (*text == '&')
			appendStringInfoString(out, "&amp;");
		else if (*text == '<')
			appendStringInfoString(out, "&lt;");
		else if (*text == '>')
			appendStringInfoString(out, "&gt;");
		else if (*text == '"')
			appendStringInfoString(out, "&quot;");
		else
			/* XML knows no control characters */
			appendStringInfoChar(out, (unsigned char) *text < ' ' || *text == 0x7f ? ' ' : *text);
		text += length;
	}
}

/* Break a text into so many lines of a width at most; returns their number */
static int
BreakLines(const char *text, double width, double size, int limit, char **lines)
{
	const char *dots = GetDatabaseEncoding() == PG_UTF8 ? "\342\200\246" : "...";
	int			n = 0;

	while (*text && n < limit)
	{
		int			fit = FittingBytes(text, width, size);

		if (text[fit] == '\0')
		{
			lines[n++] = pstrdup(text);
			break;
		}
		if (n == limit - 1)
		{
			fit = FittingBytes(text, width - TextWidth(dots, size), size);
			while (fit > 0 && text[fit - 1] == ' ')
				fit--;
			lines[n++] = psprintf("%.*s%s", fit, text, dots);
			break;
		}
		/* At a space, unless the word alone is wider than the line */
		for (int space = fit; space > 0; space--)
			if (text[space] == ' ')
			{
				fit = space;
				break;
			}
		if (fit == 0)
			fit = pg_mblen(text);
		lines[n++] = pnstrdup(text, fit);
		text += fit;
		while (*text == ' ')
			text++;
	}
	return n;
}

/* Write a text with its baseline at y */
void
CanvasText(Canvas *canvas, double x, double y, const char *style, TextAnchor anchor, const char *text)
{
	appendStringInfo(&canvas->body, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchors[anchor], style);
	AppendText(&canvas->body, text);
	appendStringInfoString(&canvas->body, "</text>\n");
}

/* Write a label around a middle, in lines that fill a box; the whole of it is its tooltip */
void
CanvasLabel(Canvas *canvas, double x, double middle, double width, double height, double size, const char *style,
			TextAnchor anchor, const char *text)
{
	char	   *lines[CHART_LABEL_LINES];
	double		line = size * 1.2;
	int			n = BreakLines(text, width, size, Max(1, Min(CHART_LABEL_LINES, (int) (height / line))), lines);

	appendStringInfoString(&canvas->body, "<g><title>");
	AppendText(&canvas->body, text);
	appendStringInfoString(&canvas->body, "</title>\n");
	for (int i = 0; i < n; i++)
		CanvasText(canvas, x, middle + size * 0.35 + (i - (n - 1) / 2.0) * line, style, anchor, lines[i]);
	appendStringInfoString(&canvas->body, "</g>\n");
}

/* Draw a box */
void
CanvasBox(Canvas *canvas, double x, double y, double width, double height, double radius, Colour colour, const char *tooltip)
{
	appendStringInfo(&canvas->body, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", x, y, width, height);
	if (radius > 0)
		appendStringInfo(&canvas->body, " rx=\"%.1f\"", Min(radius, Min(width, height) / 2));
	appendStringInfo(&canvas->body, " fill=\"%s\"", ColourName(colour));
	if (tooltip == NULL)
	{
		appendStringInfoString(&canvas->body, "/>\n");
		return;
	}
	appendStringInfoString(&canvas->body, "><title>");
	AppendText(&canvas->body, tooltip);
	appendStringInfoString(&canvas->body, "</title></rect>\n");
}

/* Begin a picture */
void
CanvasStart(Canvas *canvas, const char *title, const char *note, int width)
{
	char	   *lines[CHART_LABEL_LINES];
	int			n;

	initStringInfo(&canvas->body);
	canvas->title = title;
	canvas->note = note;
	canvas->width = width;
	canvas->top = MARGIN + 14;
	n = BreakLines(title, width - 2 * MARGIN, 19, 2, lines);
	for (int i = 0; i < n; i++)
	{
		CanvasText(canvas, MARGIN, canvas->top, "title", ANCHOR_START, lines[i]);
		canvas->top += 24;
	}
	n = BreakLines(note, width - 2 * MARGIN, 12.5, 2, lines);
	for (int i = 0; i < n; i++)
	{
		CanvasText(canvas, MARGIN, canvas->top, "note", ANCHOR_START, lines[i]);
		canvas->top += 18;
	}
	canvas->top += 10;
}

/* Say that there is nothing to show */
void
CanvasEmpty(Canvas *canvas)
{
	appendStringInfo(&canvas->body,
					 "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"120\" rx=\"8\" fill=\"#f6f8fa\" stroke=\"#d0d7de\" stroke-dasharray=\"5 5\"/>\n",
					 MARGIN, canvas->top, canvas->width - 2 * MARGIN);
	CanvasText(canvas, canvas->width / 2.0, canvas->top + 65, "note", ANCHOR_MIDDLE, "No data yet");
}

/* The finished picture, whose body ends at a height */
char *
CanvasFinish(Canvas *canvas, double height)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out,
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" role=\"img\" aria-label=\"",
					 canvas->width, ceil(height), canvas->width, ceil(height));
	AppendText(&out, canvas->title);
	appendStringInfoString(&out, "\">\n<title>");
	AppendText(&out, canvas->title);
	appendStringInfoString(&out, "</title>\n<style>\n"
						   "text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif; font-size: 13px; fill: #1f2328; }\n"
						   ".title { font-size: 19px; font-weight: 600; }\n"
						   ".note { font-size: 12.5px; fill: #59636e; }\n"
						   ".label { font-size: 13.5px; }\n"
						   ".number { font-size: 15px; font-weight: 600; }\n"
						   ".small { font-size: 11.5px; fill: #59636e; }\n"
						   ".cell { font-size: 11.5px; }\n"
						   ".light { font-size: 11.5px; fill: #ffffff; }\n"
						   "</style>\n");
	appendStringInfo(&out, "<rect width=\"%d\" height=\"%.0f\" fill=\"#ffffff\"/>\n", canvas->width, ceil(height));
	appendBinaryStringInfo(&out, canvas->body.data, canvas->body.len);
	appendStringInfoString(&out, "</svg>");
	return out.data;
}

/* A colour between two, by the share of the second */
Colour
ColourBetween(Colour a, Colour b, double share)
{
	return (Colour) {
		(int) rint(a.red + (b.red - a.red) * share),
		(int) rint(a.green + (b.green - a.green) * share),
		(int) rint(a.blue + (b.blue - a.blue) * share)
	};
}

/* A colour as SVG names it */
const char *
ColourName(Colour colour)
{
	return psprintf("#%02x%02x%02x", colour.red, colour.green, colour.blue);
}

/* Whether text on a colour should be white */
bool
ColourIsDark(Colour colour)
{
	return 0.299 * colour.red + 0.587 * colour.green + 0.114 * colour.blue < 140;
}

/* A whole number with its thousands set apart */
char *
NumberText(double number)
{
	char	   *digits = psprintf("%.0f", fabs(number));
	int			length = strlen(digits);
	StringInfoData out;

	initStringInfo(&out);
	if (number < 0 && strcmp(digits, "0") != 0)
		appendStringInfoChar(&out, '-');
	for (int i = 0; i < length; i++)
	{
		if (i > 0 && (length - i) % 3 == 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoChar(&out, digits[i]);
	}
	return out.data;
}

/* A share as a percentage */
char *
PercentText(double share)
{
	double		percent = share * 100;

	if (percent > 0 && percent < 0.1)
		return pstrdup("< 0.1 %");
	if (percent < 100 && percent >= 99.95)
		return pstrdup("> 99.9 %");
	return psprintf(percent == 100 || percent == 0 ? "%.0f %%" : "%.1f %%", percent);
}
