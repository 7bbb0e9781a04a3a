/*
 * Conversion: the contact and account of a lead that has none yet, found or
 * made by the claims that captures make, so that two sessions make one.
 */
#include "postgres.h"

#include "access/relation.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pipeline/pipeline.h"
#include "sales/sales.h"
#include "utils/acl.h"
#include "utils/rel.h"

static const PlanSource read_lead = {
	"SELECT l FROM @workspace@.lead l WHERE l.lead_id = $1 FOR UPDATE",
	1, {ARG_INT8}
};

/* A lead to be linked */
typedef struct LinkCall
{
	Relation	rel;
	int64		id;
} LinkCall;

/* Link a lead that is locked */
static void
LinkLead(Workspace *ws, void *arg)
{
	LinkCall   *call = arg;
	Datum		value = Int64GetDatum(call->id);
	bool		isnull;

	if (WorkspaceExecute(ws, &read_lead, &value, NULL) > 0)
		PipelineLink(ws, WorkspaceGetConfig(ws), call->rel,
					 ScoreRow(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)));
}

PG_FUNCTION_INFO_V1(link_lead);
/* Find or make the contact and account of a lead, where it names them and has none */
Datum
link_lead(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Relation	rel = relation_open(relid, RowExclusiveLock);
	LinkCall	call = {rel, PG_GETARG_INT64(1)};
	Workspace  *ws = WorkspaceOfRelation(rel);

	if (pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(rel));
	if (relid != WorkspaceRelation(ws, "lead"))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not the lead table of a workspace", RelationGetRelationName(rel))));
	SPI_connect();
	WorkspaceCheckRow(ws, true, call.id);
	WorkspaceRun(ws, LinkLead, &call);
	SPI_finish();
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}
