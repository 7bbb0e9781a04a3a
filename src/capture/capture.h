/*
 * Capture: submissions become contacts, accounts, leads and interactions.
 */
#ifndef LEAD_MGMT_CAPTURE_H
#define LEAD_MGMT_CAPTURE_H

#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "matching/identity.h"
#include "scoring/scoring.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "workspace/config.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* A chunk of submissions ends at either limit */
#define CAPTURE_CHUNK_ROWS 4000
#define CAPTURE_CHUNK_BYTES (8 * 1024 * 1024)

/* Longest values, in bytes */
#define CAPTURE_MAX_KEY 500		/* what is in a unique index */
#define CAPTURE_MAX_TEXT 2000
#define CAPTURE_MAX_LONG_TEXT 100000

/* What is quoted of an offending value in a reason, in bytes */
#define CAPTURE_MAX_QUOTED 200

typedef struct LeadSlot LeadSlot;

/* A submission on its way */
typedef struct CaptureRecord
{
	/* as it came */
	int64		submission_id;
	char	   *form_name;
	char	   *external_id;
	Jsonb	   *payload;
	bytea	   *raw;
	char	   *content_type;
	TimestampTz received_at;
	int64		decided_contact;	/* who a person said it is from, or 0 */
	int			refused_count;	/* whom a person said it is not from */
	int64	   *refused;
	bool		is_again;		/* it was processed before */

	/* as it was read */
	Form	   *form;
	char	   *values[FIELD_COUNT];	/* in normal form, NULL when not given */
	Jsonb	   *attributes[ENTITY_COUNT];
	TimestampTz occurred_at;
	Campaign   *campaign;
	InteractionKind *kind;
	bool		has_decoded;	/* payload was read from raw */
	char	   *decoded_id;		/* external id found there, or NULL */
	char	   *own_id;			/* external id of the record where the row came with one of its body */
	bool		is_repeated_body;	/* all of its body came before */
	bool		is_feed;		/* its body is one of a feed, whose items come again and again */
	int			part;			/* which record of the body it is; 0 when it came alone */
	int			part_count;		/* further records of the same body */
	struct DecodedRecord *parts;
	StringInfoData reasons;
	int			reason_count;

	/* the lead that it names by an id of another system */
	struct CaptureRecord *same_lead;	/* the record before it that names the same, or NULL */
	int64		named_lead;		/* 0 when that is not known yet */
	int64		named_contact;
	int64		named_account;
	bool		is_decided_by_lead;	/* its contact is that lead's */
	bool		brings_lead_id; /* for its lead, which does not have it yet */

	/* what became of it */
	const char *status;			/* NULL while it is on its way */
	int64		duplicate_of;
	EntityRecord person;
	EntityRecord company;
	LeadSlot   *lead;
	int64		closed_lead;	/* which it belongs to and does not change, or 0 */
	const MatchRule *lead_rule; /* that found it, NULL for a new one */
	UpdatePolicy lead_update;
	int64		interaction_id;
	bool		is_reserved;	/* counted against the cap of its vendor */
} CaptureRecord;

/* Interactions that a statement wrote, to a trigger */
typedef struct WrittenInteractions
{
	TriggerData *trigdata;
	bool		by_system;		/* which sees to the scores itself */
} WrittenInteractions;

extern void DecodeRecords(WorkspaceConfig *config, CaptureRecord *records, int n);
extern void RecordRead(Workspace *ws, WorkspaceConfig *config, CaptureRecord *record);
extern void RecordReadProfile(Workspace *ws, WorkspaceConfig *config, CaptureRecord *record);
extern void RecordReason(CaptureRecord *record, const char *field, const char *code,
						 const char *value, const char *message, bool rejects);
extern int64 RecordContact(const CaptureRecord *record);
extern int64 RecordAccount(const CaptureRecord *record);
extern int64 RecordLead(const CaptureRecord *record);

extern const char *RecordSystem(const CaptureRecord *record);
extern void LeadIdsLink(CaptureRecord *records, int n);
extern void LeadIdsFind(Workspace *ws, CaptureRecord *records, int n);
extern void LeadIdsNote(Workspace *ws, CaptureRecord *records, int n);

extern void LeadsResolve(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n);
extern void LeadsTouch(Workspace *ws, ScoreEvent *events, int n);
extern int	LeadsOf(Workspace *ws, const int64 *contacts, int contact_count, const int64 *accounts,
					int account_count, int64 **ids);
extern int64 LeadSlotId(const LeadSlot *lead);
extern bool LeadSlotIsNew(const LeadSlot *lead);
extern int64 LeadSlotJoinedAccount(const LeadSlot *lead);
extern bool LeadSlotIsOpenedBy(const LeadSlot *lead, const CaptureRecord *record);

extern void CaptureFlow(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n, bool holds_others);
extern void ExternalIdsClaim(Workspace *ws, CaptureRecord *records, int n);
extern void ExternalIdsRelease(Workspace *ws, CaptureRecord **rejected, int n);
extern void VendorsReserve(Workspace *ws, CaptureRecord *records, int n);
extern void VendorsPurchase(Workspace *ws, CaptureRecord *records, int n);
extern void PartsPassOver(Workspace *ws, CaptureRecord *records, int n);
extern void PartsSubmit(Workspace *ws, CaptureRecord *records, int n);
extern void CaptureFinish(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n);

#endif
