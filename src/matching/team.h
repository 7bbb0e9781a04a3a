/*
 * Reading records together with parallel workers.
 */
#ifndef LEAD_MGMT_TEAM_H
#define LEAD_MGMT_TEAM_H

#include "matching/records.h"

typedef struct ReadTeam ReadTeam;

extern ReadTeam *TeamStart(MatchRecords *records, int workers, uint32 expected);
extern void TeamSend(ReadTeam *team, const char *bytes, int size, const ChunkText *texts, int rows);
extern void TeamFinish(ReadTeam *team);

#endif
