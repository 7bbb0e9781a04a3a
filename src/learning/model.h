/*
 * Logistic models as documents.
 */
#ifndef LEAD_MGMT_LEARN_MODEL_H
#define LEAD_MGMT_LEARN_MODEL_H

#include "learning/logistic.h"
#include "lib/stringinfo.h"

/* Bins of a feature, and rows below which a level is pooled, unless told otherwise */
#define DEFAULT_BINS 20
#define DEFAULT_MINIMUM_ROWS 10

extern int	LevelCompareValues(const void *a, const void *b);
extern int	FeatureLevel(const LogisticFeature *feature, const FeatureValue *value);
extern int	FeaturePairLevel(const LogisticFeature *pair, int first, int second);
extern void LogisticSortLevels(LogisticFeature *feature);
extern void LogisticReadFeature(JsonbContainer *object, LogisticFeature *feature);
extern void LogisticAppendModel(StringInfo out, const LogisticModel *model);
extern Datum LogisticJsonb(StringInfo text);

#endif
