/*
 * The ids that leads have in other systems.
 *
 * A record that names a lead by such an id counts for that lead, and is from
 * the lead's contact unless it names the person by an id too.  So ids are
 * looked up before contacts are, and noted for leads once these are made.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "utils/builtins.h"

static const PlanSource find_lead_ids = {
	"SELECT n.record, l.lead_id, l.contact_id, l.account_id"
	" FROM @rows $1: record, source_system, external_id@ AS n"
	" JOIN @workspace@.lead_identity k ON k.source_system = n.source_system AND k.external_id = n.external_id"
	" JOIN @workspace@.lead l ON l.lead_id = k.lead_id",
	3, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource make_lead_ids = {
	"INSERT INTO @workspace@.lead_identity (source_system, external_id, lead_id)"
	" SELECT n.source_system, n.external_id, n.lead_id"
	" FROM @rows $1: source_system, external_id, lead_id@ AS n"
	" ON CONFLICT (source_system, external_id) DO NOTHING RETURNING lead_id",
	3, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S}
};

/* Does a record name a lead by its id in another system? */
static bool
NamesLead(const CaptureRecord *record)
{
	return record->status == NULL && record->form->makes_lead && record->values[FIELD_LEAD_SOURCE_ID];
}

/* Get the system that ids of records are of */
const char *
RecordSystem(const CaptureRecord *record)
{
	return record->form->source_system ? record->form->source_system : record->form->name;
}

/* Order records by the leads that they name, those alike as they came */
static int
CompareNamed(const void *a, const void *b)
{
	const CaptureRecord *left = *(CaptureRecord *const *) a;
	const CaptureRecord *right = *(CaptureRecord *const *) b;
	int			order = strcmp(left->values[FIELD_LEAD_SOURCE_ID], right->values[FIELD_LEAD_SOURCE_ID]);

	if (order == 0)
		order = strcmp(RecordSystem(left), RecordSystem(right));
	if (order == 0)
		order = left < right ? -1 : left > right;
	return order;
}

/* Note for each record which one before it names the same lead, by an id in another system */
void
LeadIdsLink(CaptureRecord *records, int n)
{
	CaptureRecord **named = NULL;
	int			count = 0;

	for (int i = 0; i < n; i++)
		if (NamesLead(&records[i]))
		{
			if (named == NULL)
				named = palloc(sizeof(CaptureRecord *) * (n - i));
			named[count++] = &records[i];
		}
	if (count < 2)
		return;
	qsort(named, count, sizeof(CaptureRecord *), CompareNamed);
	for (int i = 1; i < count; i++)
		if (strcmp(named[i - 1]->values[FIELD_LEAD_SOURCE_ID], named[i]->values[FIELD_LEAD_SOURCE_ID]) == 0 &&
			strcmp(RecordSystem(named[i - 1]), RecordSystem(named[i])) == 0)
			named[i]->same_lead = named[i - 1];
}

/* Find the leads that records name, and with them their contacts */
void
LeadIdsFind(Workspace *ws, CaptureRecord *records, int n)
{
	Batch	   *batch = NULL;
	int			found;

	for (int i = 0; i < n; i++)
	{
		if (!NamesLead(&records[i]))
			continue;
		if (batch == NULL)
			batch = BatchCreate(find_lead_ids.args, find_lead_ids.nargs, n - i);
		BatchSet(batch, 0, Int64GetDatum(i));
		BatchSetText(batch, 1, RecordSystem(&records[i]));
		BatchSetText(batch, 2, records[i].values[FIELD_LEAD_SOURCE_ID]);
		BatchNext(batch);
	}
	if (batch == NULL)
		return;
	found = BatchExecute(ws, &find_lead_ids, batch);
	for (int i = 0; i < found; i++)
	{
		CaptureRecord *record = &records[ResultInt64(i, 1, NULL)];

		record->named_lead = ResultInt64(i, 2, NULL);
		record->named_contact = ResultInt64(i, 3, NULL);
		record->named_account = ResultInt64(i, 4, NULL);
		if (record->named_contact == 0 || record->person.decided != 0 || record->values[FIELD_SOURCE_ID])
			continue;
		record->person.decided = record->named_contact;
		record->is_decided_by_lead = true;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Note the ids that records bring for their leads */
void
LeadIdsNote(Workspace *ws, CaptureRecord *records, int n)
{
	Batch	   *batch = NULL;

	for (int i = 0; i < n; i++)
	{
		if (!records[i].brings_lead_id)
			continue;
		if (batch == NULL)
			batch = BatchCreate(make_lead_ids.args, make_lead_ids.nargs, n - i);
		BatchSetText(batch, 0, RecordSystem(&records[i]));
		BatchSetText(batch, 1, records[i].values[FIELD_LEAD_SOURCE_ID]);
		BatchSet(batch, 2, Int64GetDatum(LeadSlotId(records[i].lead)));
		BatchNext(batch);
	}
	if (batch == NULL)
		return;
	if (BatchExecute(ws, &make_lead_ids, batch) != batch->rows)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("a concurrent session brought a lead with the same id of another system"),
				 errhint("Try again.")));
	SPI_freetuptable(SPI_tuptable);
}
