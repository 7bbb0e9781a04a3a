/*
 * Choosing blocking keys by what they cost and what they find.
 */
#ifndef LEAD_MGMT_CHOOSE_H
#define LEAD_MGMT_CHOOSE_H

#include "matching/pairs.h"

typedef struct KeyChoice KeyChoice;

extern KeyChoice *KeyChoiceCreate(MatchModel *model, const MatchRecords *records);
extern void KeyChoiceTake(KeyChoice *choice, const FoundPair *matched, uint64 matched_count, bool is_final);
extern void KeyChoiceFree(KeyChoice *choice);

#endif
