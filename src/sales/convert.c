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
	"SELECT * FROM @workspace@.lead l WHERE l.lead_id = $1 FOR UPDATE",
	1, {ARG_INT8}
};

/* Link a lead that is locked */
static void
LinkLead(Workspace *ws, void *arg)
{
	Datum		value = Int64GetDatum(*(int64 *) arg);

	if (WorkspaceExecute(ws, &read_lead, &value, NULL) > 0)
		PipelineLink(ws, WorkspaceGetConfig(ws), SPI_tuptable->tupdesc, SPI_tuptable->vals[0]);
}

PG_FUNCTION_INFO_V1(link_lead);
/* Find or make the contact and account of a lead, where it names them and has none */
Datum
link_lead(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	int64		id = PG_GETARG_INT64(1);
	Relation	rel = relation_open(relid, RowExclusiveLock);
	Workspace  *ws = WorkspaceOfRelation(rel);

	if (pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(rel));
	if (relid != WorkspaceRelation(ws, "lead"))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not the lead table of a workspace", RelationGetRelationName(rel))));
	SPI_connect();
	WorkspaceRun(ws, LinkLead, &id);
	SPI_finish();
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}
