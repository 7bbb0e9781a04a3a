#ifndef LEAD_MGMT_NORMAL_TEXT_H
#define LEAD_MGMT_NORMAL_TEXT_H

#include "fmgr.h"
#include "utils/sortsupport.h"

/* Longest part of a refused value that an error shows, in bytes */
#define NORMAL_TEXT_CLIP	100

/* Make an order-preserving abbreviated key of a value's bytes */
typedef Datum (*NormalTextAbbreviate) (const char *data, int len);

extern void NormalTextSortSupport(SortSupport ssup, NormalTextAbbreviate abbreviate);
extern const char *NormalTextClip(const char *data, int len);

/* Report a refused value: softly where the server and the caller can */
#if PG_VERSION_NUM >= 160000
#define NormalTextRefuse(fcinfo, ...) ereturn((fcinfo)->context, (Datum) 0, __VA_ARGS__)
#else
#define NormalTextRefuse(fcinfo, ...) ereport(ERROR, __VA_ARGS__)
#endif

#endif
