/*
 * Leads of vendors: caps, and what was bought.
 *
 * A vendor with a cap has a counter a day.  Captures of one vendor at the same
 * instant wait for each other there, before they touch anything that others
 * wait for too.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static const PlanSource reserve = {
	"INSERT INTO @workspace@.vendor_day AS d (vendor, day, purchased)"
	" VALUES ($1, (pg_catalog.now() AT TIME ZONE 'UTC')::pg_catalog.date, $2 + (SELECT pg_catalog.count(*)"
	"  FROM @workspace@.vendor_purchase p WHERE p.vendor = $1"
	"  AND p.purchased_at >= pg_catalog.date_trunc('day', pg_catalog.now(), 'UTC')))"
	" ON CONFLICT (vendor, day) DO UPDATE SET purchased = d.purchased + $2"
	" RETURNING purchased - $2, (SELECT pg_catalog.count(*) FROM @workspace@.vendor_purchase p WHERE p.vendor = $1"
	"  AND p.purchased_at >= pg_catalog.date_trunc('month', pg_catalog.now(), 'UTC')"
	"  AND p.purchased_at < pg_catalog.date_trunc('day', pg_catalog.now(), 'UTC'))",
	2, {ARG_TEXT, ARG_INT8}
};

static const PlanSource give_back = {
	"UPDATE @workspace@.vendor_day d SET purchased = d.purchased - $2"
	" WHERE d.vendor = $1 AND d.day = (pg_catalog.now() AT TIME ZONE 'UTC')::pg_catalog.date",
	2, {ARG_TEXT, ARG_INT8}
};

static const PlanSource purchase = {
	"INSERT INTO @workspace@.vendor_purchase (submission_id, vendor, contact_id, lead_id, is_known, price, currency)"
	" SELECT n.submission_id, n.vendor, n.contact_id, n.lead_id, n.is_known, n.price, n.currency"
	" FROM @rows $1: submission_id, vendor, contact_id, lead_id, is_known, price, currency@ AS n"
	" ON CONFLICT (submission_id) DO NOTHING",
	7, {ARG_INT8S, ARG_TEXTS, ARG_INT8S, ARG_INT8S, ARG_BOOLS, ARG_NUMERICS, ARG_TEXTS}
};

/* Give places under a vendor's cap back */
static void
GiveBack(Workspace *ws, const Vendor *vendor, int64 count)
{
	Datum		values[2] = {CStringGetTextDatum(vendor->name), Int64GetDatum(count)};

	WorkspaceExecute(ws, &give_back, values, NULL);
}

/* Take places under a vendor's cap; returns how many there were */
static int64
TakePlaces(Workspace *ws, const Vendor *vendor, int64 count)
{
	Datum		values[2] = {CStringGetTextDatum(vendor->name), Int64GetDatum(count)};
	int64		free = count;
	int64		today;
	int64		earlier;

	WorkspaceExecute(ws, &reserve, values, NULL);
	today = ResultInt64(0, 1, NULL);
	earlier = ResultInt64(0, 2, NULL);
	SPI_freetuptable(SPI_tuptable);
	if (vendor->daily_cap >= 0)
		free = Min(free, vendor->daily_cap - today);
	if (vendor->monthly_cap >= 0)
		free = Min(free, vendor->monthly_cap - today - earlier);
	free = Max(free, 0);
	if (free < count)
		GiveBack(ws, vendor, count - free);
	return free;
}

/* Order vendors by name, so that all take their places in one order */
static int
CompareVendors(const void *a, const void *b)
{
	return strcmp((*(const Vendor *const *) a)->name, (*(const Vendor *const *) b)->name);
}

/* Reject the records of vendors that are beyond their cap */
void
VendorsReserve(Workspace *ws, CaptureRecord *records, int n)
{
	const Vendor **vendors = NULL;
	CaptureRecord **rejected;
	int			vendor_count = 0;
	int			rejected_count = 0;

	for (int i = 0; i < n; i++)
	{
		const Vendor *vendor = records[i].status == NULL ? records[i].form->vendor : NULL;
		bool		is_known = false;

		if (vendor == NULL || (vendor->daily_cap < 0 && vendor->monthly_cap < 0))
			continue;
		for (int v = 0; v < vendor_count && !is_known; v++)
			is_known = vendors[v] == vendor;
		if (is_known)
			continue;
		if (vendors == NULL)
			vendors = palloc(sizeof(Vendor *) * n);
		vendors[vendor_count++] = vendor;
	}
	if (vendor_count == 0)
		return;
	qsort(vendors, vendor_count, sizeof(Vendor *), CompareVendors);
	rejected = palloc(sizeof(CaptureRecord *) * n);
	for (int v = 0; v < vendor_count; v++)
	{
		int64		count = 0;
		int64		free;

		for (int i = 0; i < n; i++)
			count += records[i].status == NULL && records[i].form->vendor == vendors[v];
		free = TakePlaces(ws, vendors[v], count);
		for (int i = 0; i < n; i++)
		{
			if (records[i].status || records[i].form->vendor != vendors[v])
				continue;
			records[i].is_reserved = free > 0;
			if (free-- > 0)
				continue;
			RecordReason(&records[i], "vendor", "over_cap", vendors[v]->name, "the vendor has sold as many leads as its cap allows", true);
			rejected[rejected_count++] = &records[i];
		}
	}
	if (rejected_count > 0)
		ExternalIdsRelease(ws, rejected, rejected_count);
}

/* Note what was bought, and give back the places of what was not */
void
VendorsPurchase(Workspace *ws, CaptureRecord *records, int n)
{
	Batch	   *batch = NULL;

	for (int i = 0; i < n; i++)
	{
		const CaptureRecord *record = &records[i];
		const Vendor *vendor = record->form ? record->form->vendor : NULL;

		if (vendor == NULL)
			continue;
		if (record->status)
		{
			if (record->is_reserved)
				GiveBack(ws, vendor, 1);
			continue;
		}
		if (batch == NULL)
			batch = BatchCreate(purchase.args, purchase.nargs, n);
		BatchSet(batch, 0, Int64GetDatum(record->submission_id));
		BatchSetText(batch, 1, vendor->name);
		if (RecordContact(record) != 0)
			BatchSet(batch, 2, Int64GetDatum(RecordContact(record)));
		if (record->lead)
			BatchSet(batch, 3, Int64GetDatum(LeadSlotId(record->lead)));
		BatchSet(batch, 4, BoolGetDatum(record->person.slot && !record->person.slot->is_new));
		BatchSet(batch, 5, DirectFunctionCall3(numeric_in, CStringGetDatum(vendor->price), ObjectIdGetDatum(InvalidOid),
											   Int32GetDatum(-1)));
		BatchSetText(batch, 6, vendor->currency);
		BatchNext(batch);
	}
	if (batch)
		BatchExecute(ws, &purchase, batch);
}
