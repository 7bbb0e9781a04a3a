/*
 * Training: parameters of a match model from records without labels.
 */
#ifndef LEAD_MGMT_TRAIN_H
#define LEAD_MGMT_TRAIN_H

#include "matching/patterns.h"

extern void ModelTrain(MatchModel *model, MatchRecords *records);
extern void ModelMeasureFields(MatchModel *model, MatchRecords *records);

#endif
