/*
 * Reports: pictures of numbers as SVG.
 */
#ifndef LEAD_MGMT_REPORTS_H
#define LEAD_MGMT_REPORTS_H

#include "lib/stringinfo.h"

/* Lines that a label may take before it is cut short */
#define CHART_LABEL_LINES 3

/* Rows, columns or parts of a chart at most */
#define CHART_MAX_ROWS 1000
#define CHART_MAX_COLUMNS 100

typedef enum
{
	ANCHOR_START,
	ANCHOR_MIDDLE,
	ANCHOR_END
} TextAnchor;

typedef struct Colour
{
	int			red;
	int			green;
	int			blue;
} Colour;

/* A picture being drawn: its body, to which the frame is added at the end */
typedef struct Canvas
{
	StringInfoData body;
	const char *title;
	const char *note;
	int			width;
	double		top;			/* where the body begins */
} Canvas;

extern void CanvasStart(Canvas *canvas, const char *title, const char *note, int width);
extern char *CanvasFinish(Canvas *canvas, double height);
extern void CanvasEmpty(Canvas *canvas);
extern void CanvasText(Canvas *canvas, double x, double y, const char *style, TextAnchor anchor, const char *text);
extern void CanvasLabel(Canvas *canvas, double x, double middle, double width, double height, double size,
						const char *style, TextAnchor anchor, const char *text);
extern void CanvasBox(Canvas *canvas, double x, double y, double width, double height, double radius,
					  Colour colour, const char *tooltip);
extern double TextWidth(const char *text, double size);
extern Colour ColourBetween(Colour a, Colour b, double share);
extern const char *ColourName(Colour colour);
extern bool ColourIsDark(Colour colour);
extern char *NumberText(double number);
extern char *PercentText(double share);

#endif
