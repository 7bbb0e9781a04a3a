/*
 * Choosing blocking keys by what they cost and what they find.
 */
#ifndef LEAD_MGMT_CHOOSE_H
#define LEAD_MGMT_CHOOSE_H

#include "matching/pairs.h"

extern void ModelChooseKeys(MatchModel *model, const MatchRecords *records, const FoundPair *matched,
							uint64 matched_count);

#endif
