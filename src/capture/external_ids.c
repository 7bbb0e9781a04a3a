/*
 * The external ids of submissions: claimed, so that what is sent twice is
 * taken once, and let go of again where a submission is rejected.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "utils/builtins.h"

static const PlanSource claim_external_ids = {
	"INSERT INTO @workspace@.submission_key (form, external_id, submission_id)"
	" SELECT n.form, n.external_id, n.submission_id"
	" FROM @rows $1: form, external_id, submission_id@ AS n"
	" ON CONFLICT (form, external_id) DO NOTHING RETURNING submission_id",
	3, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S}
};

static const PlanSource find_external_ids = {
	"SELECT n.submission_id, k.submission_id"
	" FROM @rows $1: form, external_id, submission_id@ AS n"
	" JOIN @workspace@.submission_key k ON k.form = n.form AND k.external_id = n.external_id"
	" WHERE k.submission_id <> n.submission_id",
	3, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S}
};

static const PlanSource release_ids = {
	"DELETE FROM @workspace@.submission_key k USING (SELECT pg_catalog.unnest($1) AS submission_id) n"
	" WHERE k.submission_id = n.submission_id AND (k.form, k.external_id) IN"
	" (SELECT pg_catalog.unnest($2), pg_catalog.unnest($3))",
	3, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

/* A record and an external id that it claims */
typedef struct ExternalId
{
	CaptureRecord *record;
	char	   *id;
} ExternalId;

/* Order records by form and external id, and those alike as they came */
static int
CompareExternalIds(const void *a, const void *b)
{
	const ExternalId *left = a;
	const ExternalId *right = b;
	int			order = strcmp(left->record->form_name, right->record->form_name);

	if (order == 0)
		order = strcmp(left->id, right->id);
	if (order == 0)
		order = left->record < right->record ? -1 : left->record > right->record;
	return order;
}

/* Order records by submission */
static int
CompareSubmissions(const void *a, const void *b)
{
	int64		left = ((const ExternalId *) a)->record->submission_id;
	int64		right = ((const ExternalId *) b)->record->submission_id;

	return left < right ? -1 : left > right;
}

/* Find a record by its submission among records sorted so */
static ExternalId *
FindRecord(ExternalId *sorted, int n, int64 submission_id)
{
	CaptureRecord wanted = {.submission_id = submission_id};
	ExternalId	key = {&wanted, NULL};

	return bsearch(&key, sorted, n, sizeof(ExternalId), CompareSubmissions);
}

/* Put the key of each record into a batch */
static Batch *
ExternalIdBatch(const ExternalId *keyed, int n, const PlanSource *source)
{
	Batch	   *batch = BatchCreate(source->args, source->nargs, n);

	for (int i = 0; i < n; i++)
	{
		BatchSetText(batch, 0, keyed[i].record->form_name);
		BatchSetText(batch, 1, keyed[i].id);
		BatchSet(batch, 2, Int64GetDatum(keyed[i].record->submission_id));
		BatchNext(batch);
	}
	return batch;
}

/*
 * Claim external ids; a record whose id is taken is a duplicate.  A row that
 * came with an id of its body claims that first, and in a second round the id
 * of its own record.
 */
static void
ClaimRound(Workspace *ws, CaptureRecord *records, int n, bool own)
{
	ExternalId *keyed = palloc(sizeof(ExternalId) * Max(n, 1));
	int			count = 0;
	int			won;

	for (int i = 0; i < n; i++)
	{
		char	   *id = own ? records[i].own_id : records[i].external_id;

		if (records[i].status == NULL && id)
			keyed[count++] = (ExternalId) {
				&records[i], id
			};
	}
	if (count == 0)
		return;
	qsort(keyed, count, sizeof(ExternalId), CompareExternalIds);
	won = BatchExecute(ws, &claim_external_ids, ExternalIdBatch(keyed, count, &claim_external_ids));
	SPI_freetuptable(SPI_tuptable);
	if (won == count)
		return;
	won = BatchExecute(ws, &find_external_ids, ExternalIdBatch(keyed, count, &find_external_ids));
	qsort(keyed, count, sizeof(ExternalId), CompareSubmissions);
	for (int i = 0; i < won; i++)
	{
		ExternalId *found = FindRecord(keyed, count, ResultInt64(i, 1, NULL));
		CaptureRecord *record = found->record;

		record->status = "duplicate";
		record->is_repeated_body = !own && record->part > 0 && found->id != record->values[FIELD_EXTERNAL_ID] &&
			found->id != record->decoded_id;
		record->duplicate_of = ResultInt64(i, 2, NULL);
		RecordReason(record, "external_id", "duplicate", found->id,
					 psprintf("submission " INT64_FORMAT " came first", record->duplicate_of), false);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Claim the external ids of records, and then those of parts of bodies */
void
ExternalIdsClaim(Workspace *ws, CaptureRecord *records, int n)
{
	ClaimRound(ws, records, n, false);
	ClaimRound(ws, records, n, true);
}

/* Let go of the external ids of records that were rejected after they had claimed them */
void
ExternalIdsRelease(Workspace *ws, CaptureRecord **rejected, int n)
{
	Batch	   *batch = BatchCreate(release_ids.args, release_ids.nargs, n * 2);

	for (int i = 0; i < n; i++)
	{
		char	   *ids[2] = {rejected[i]->external_id, rejected[i]->own_id};

		for (int k = 0; k < 2; k++)
		{
			if (ids[k] == NULL)
				continue;
			BatchSet(batch, 0, Int64GetDatum(rejected[i]->submission_id));
			BatchSetText(batch, 1, rejected[i]->form_name);
			BatchSetText(batch, 2, ids[k]);
			BatchNext(batch);
		}
	}
	if (batch->rows > 0)
		BatchExecute(ws, &release_ids, batch);
}
