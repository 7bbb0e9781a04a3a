/*
 * The further records of bodies: each becomes a submission of its own, which
 * comes in by the same door.
 */
#include "postgres.h"

#include "capture/decode.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* One statement takes so many records, and so many bytes of them */
#define PARTS_MAX_ROWS 100000
#define PARTS_MAX_BYTES (256 * 1024 * 1024)

static const PlanSource submit_parts = {
	"INSERT INTO @workspace@.submission (form, external_id, payload, content_type, raw, received_at, part_of, part)"
	" SELECT n.form, n.external_id, n.payload, n.content_type, n.raw, n.received_at, n.part_of, n.part"
	" FROM @rows $1: form, external_id, payload, content_type, raw, received_at, part_of, part@ AS n",
	8, {ARG_TEXTS, ARG_TEXTS, ARG_JSONBS, ARG_TEXTS, ARG_BYTEAS, ARG_TIMESTAMPTZS, ARG_INT8S, ARG_INT4S}
};

static const PlanSource find_parts = {
	"SELECT FROM @workspace@.submission s WHERE s.part_of = $1 LIMIT 1",
	1, {ARG_INT8}
};

static const PlanSource find_known = {
	"SELECT n.record, n.part"
	" FROM @rows $1: form, external_id, record, part@ AS n"
	" JOIN @workspace@.submission_key k ON k.form = n.form AND k.external_id = n.external_id",
	4, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_INT8S}
};

/*
 * Pass over the items of feeds that came before: a feed that is fetched again
 * is to change nothing.
 */
void
PartsPassOver(Workspace *ws, CaptureRecord *records, int n)
{
	Batch	   *batch;
	int			size = 0;
	int			known;

	for (int i = 0; i < n; i++)
		size += records[i].is_feed ? records[i].part_count : 0;
	if (size == 0)
		return;
	batch = BatchCreate(find_known.args, find_known.nargs, size);
	for (int i = 0; i < n; i++)
		for (int p = 0; records[i].is_feed && p < records[i].part_count; p++)
		{
			if (records[i].parts[p].external_id == NULL)
				continue;
			BatchSetText(batch, 0, records[i].form_name);
			BatchSetText(batch, 1, records[i].parts[p].external_id);
			BatchSet(batch, 2, Int64GetDatum(i));
			BatchSet(batch, 3, Int64GetDatum(p));
			BatchNext(batch);
		}
	known = BatchExecute(ws, &find_known, batch);
	for (int k = 0; k < known; k++)
		records[ResultInt64(k, 1, NULL)].parts[ResultInt64(k, 2, NULL)].is_known = true;
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n; i++)
	{
		CaptureRecord *record = &records[i];
		int			kept = 0;
		int			count = record->is_feed ? record->part_count : 0;

		for (int p = 0; p < count; p++)
			if (!record->parts[p].is_known)
				record->parts[kept++] = record->parts[p];
		if (kept == count)
			continue;
		record->part_count = kept;
		RecordReason(record, NULL, "known_items", psprintf("%d", count - kept),
					 "items of the feed that came before were passed over", false);
	}
}

/* Were the further records of a body submitted before? */
static bool
HasParts(Workspace *ws, const CaptureRecord *record)
{
	Datum		value = Int64GetDatum(record->submission_id);
	bool		found = WorkspaceExecute(ws, &find_parts, &value, NULL) > 0;

	SPI_freetuptable(SPI_tuptable);
	return found;
}

/* Submit the further records of bodies */
void
PartsSubmit(Workspace *ws, CaptureRecord *records, int n)
{
	int			left = 0;
	Size		size = 0;
	Batch	   *batch = NULL;

	for (int i = 0; i < n; i++)
		left += records[i].part_count;
	for (int i = 0; i < n; i++)
	{
		const CaptureRecord *record = &records[i];

		if (record->part_count == 0 || record->is_repeated_body || (record->is_again && HasParts(ws, record)))
		{
			left -= record->part_count;
			continue;
		}
		for (int p = 0; p < record->part_count; p++, left--)
		{
			const DecodedRecord *part = &record->parts[p];

			CHECK_FOR_INTERRUPTS();
			if (batch == NULL)
				batch = BatchCreate(submit_parts.args, submit_parts.nargs, Min(left, PARTS_MAX_ROWS));
			BatchSetText(batch, 0, record->form_name);
			BatchSetText(batch, 1, part->external_id);
			if (part->payload)
				BatchSet(batch, 2, JsonbPGetDatum(part->payload));
			BatchSetText(batch, 3, part->content_type);
			if (part->raw)
				BatchSet(batch, 4, PointerGetDatum(part->raw));
			BatchSet(batch, 5, TimestampTzGetDatum(record->received_at));
			BatchSet(batch, 6, Int64GetDatum(record->submission_id));
			BatchSet(batch, 7, Int32GetDatum(part->number));
			BatchNext(batch);
			size += part->payload ? VARSIZE(part->payload) : 0;
			size += part->raw ? VARSIZE(part->raw) : 0;
			if (batch->rows == batch->capacity || size >= PARTS_MAX_BYTES)
			{
				BatchExecute(ws, &submit_parts, batch);
				batch = NULL;
				size = 0;
			}
		}
	}
	if (batch)
		BatchExecute(ws, &submit_parts, batch);
}
