/*
 * Engagement: the points of interactions, counted one after the other.
 *
 * Every way to a score goes through here, with the interactions in the order
 * in which they took place: live scoring goes on from what is kept of a lead,
 * a recomputation starts from nothing.  Points without limits are a sum, which
 * no order changes; limits are used up in order.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "scoring/scoring.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Numbers kept of a tally: whose it is and its four fields */
#define TALLY_WIDTH 5

static const PlanSource load_rows = {
	"SELECT i.interaction_id, i FROM @workspace@.interaction i WHERE i.interaction_id = ANY ($1)"
	" ORDER BY i.interaction_id",
	1, {ARG_INT8S}
};

/* Order events by interaction */
static int
CompareInteractions(const void *a, const void *b)
{
	int64		left = (*(ScoreEvent *const *) a)->interaction_id;
	int64		right = (*(ScoreEvent *const *) b)->interaction_id;

	return left < right ? -1 : left > right;
}

/* Read the rows of those interactions that came without */
static void
LoadRows(Workspace *ws, ScoreEvent *events, int n)
{
	ScoreEvent **missing = palloc(sizeof(ScoreEvent *) * Max(n, 1));
	Batch	   *batch;
	int			count = 0;
	int			found;
	int			next = 0;

	for (int i = 0; i < n; i++)
		if (events[i].row == NULL)
			missing[count++] = &events[i];
	if (count == 0)
		return;
	qsort(missing, count, sizeof(ScoreEvent *), CompareInteractions);
	batch = BatchCreate(load_rows.args, 1, count);
	for (int i = 0; i < count; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(missing[i]->interaction_id));
		BatchNext(batch);
	}
	found = BatchExecute(ws, &load_rows, batch);
	for (int i = 0; i < found; i++)
	{
		int64		id = ResultInt64(i, 1, NULL);
		bool		isnull;
		Datum		row = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull);

		while (next < count && missing[next]->interaction_id < id)
			next++;
		for (; next < count && missing[next]->interaction_id == id; next++)
			missing[next]->row = ScoreRow(row);
	}
	SPI_freetuptable(SPI_tuptable);
	pfree(missing);
}

/* Make a tuple of an interaction's row as it comes out of a query */
HeapTuple
ScoreRow(Datum row)
{
	HeapTupleHeader header = DatumGetHeapTupleHeaderCopy(row);
	HeapTuple	tuple = palloc0(HEAPTUPLESIZE);

	tuple->t_len = HeapTupleHeaderGetDatumLength(header);
	tuple->t_data = header;
	return tuple;
}

/*
 * Evaluate the conditions that a model has over interactions; returns a result
 * for each event and rule, or NULL when there are no such conditions.
 */
PredicateResult *
ScoreMatch(Workspace *ws, const ScoringModel *model, ScoreEvent *events, int n)
{
	PredicateResult *matches;
	PredicateResult *column;
	HeapTuple  *rows;
	char	  **messages;
	ScoreEvent **present;
	int			count = 0;

	if (!model->reads_interactions || n == 0)
		return NULL;
	LoadRows(ws, events, n);
	matches = palloc_extended(sizeof(PredicateResult) * n * model->rule_count, MCXT_ALLOC_HUGE);
	column = palloc_extended(sizeof(PredicateResult) * n, MCXT_ALLOC_HUGE);
	messages = palloc_extended(sizeof(char *) * n, MCXT_ALLOC_HUGE);
	rows = palloc_extended(sizeof(HeapTuple) * n, MCXT_ALLOC_HUGE);
	present = palloc_extended(sizeof(ScoreEvent *) * n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
		if (events[i].row)
		{
			rows[count] = events[i].row;
			present[count++] = &events[i];
		}
	for (int r = 0; r < model->rule_count; r++)
	{
		if (model->rules[r].is_fit || model->rules[r].condition == NULL)
			continue;
		for (int i = 0; i < n; i++)
			matches[(int64) i * model->rule_count + r] = PREDICATE_NULL;
		PredicateEvalMany(model->rules[r].condition, rows, count, column, messages, CurrentMemoryContext);
		for (int i = 0; i < count; i++)
			matches[(present[i] - events) * (int64) model->rule_count + r] = column[i];
	}
	return matches;
}

/* Make the means to count interactions in a model, with nothing counted */
ScoreFold *
FoldCreate(const ScoringModel *model)
{
	ScoreFold  *fold = palloc0(sizeof(ScoreFold));

	fold->model = model;
	fold->parts = palloc(sizeof(HeatPart) * Max(model->part_count, 1));
	fold->tallies = palloc(sizeof(ScoreTally) * Max(model->tally_count, 1));
	FoldReset(fold);
	return fold;
}

/* Start over */
void
FoldReset(ScoreFold *fold)
{
	for (int p = 0; p < fold->model->part_count; p++)
		fold->parts[p] = (HeatPart) {
		.half_life = fold->model->half_lives[p]
	};
	memset(fold->tallies, 0, sizeof(ScoreTally) * fold->model->tally_count);
	fold->last_at = DT_NOBEGIN;
}

/* Take up tallies where they were left; a rule that is new begins with nothing */
void
FoldRestore(ScoreFold *fold, ArrayType *tally)
{
	Datum	   *numbers;
	int			n;

	deconstruct_array(tally, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &numbers, NULL, &n);
	if (n == 0)
		return;
	fold->last_at = (TimestampTz) DatumGetFloat8(numbers[0]);
	for (int i = 1; i + TALLY_WIDTH <= n; i += TALLY_WIDTH)
		for (int t = 0; t < fold->model->tally_count; t++)
			if ((double) fold->model->tally_keys[t] == DatumGetFloat8(numbers[i]))
				fold->tallies[t] = (ScoreTally)
		{
			DatumGetFloat8(numbers[i + 1]), DatumGetFloat8(numbers[i + 2]),
				DatumGetFloat8(numbers[i + 3]), DatumGetFloat8(numbers[i + 4])
		};
}

/* Get what is to be kept of the tallies */
ArrayType *
FoldTally(const ScoreFold *fold)
{
	const ScoringModel *model = fold->model;
	Datum	   *numbers = palloc(sizeof(Datum) * (1 + TALLY_WIDTH * model->tally_count));
	int			n = 0;

	numbers[n++] = Float8GetDatum((double) fold->last_at);
	for (int t = 0; t < model->tally_count; t++)
	{
		numbers[n++] = Float8GetDatum((double) model->tally_keys[t]);
		numbers[n++] = Float8GetDatum(fold->tallies[t].count);
		numbers[n++] = Float8GetDatum(fold->tallies[t].points);
		numbers[n++] = Float8GetDatum(fold->tallies[t].day);
		numbers[n++] = Float8GetDatum(fold->tallies[t].points_of_day);
	}
	return construct_array(numbers, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* Get the part of points that a limit leaves */
static double
LimitPoints(double points, double used, double maximum)
{
	if (fabs(used + points) <= maximum)
		return points;
	return copysign(maximum, points) - used;
}

/* Get the part of points that the limits of a tally leave on a day */
static double
LimitByTally(ScoreTally *tally, double points, double day, double maximum, double daily_maximum)
{
	if (tally->day != day)
	{
		tally->day = day;
		tally->points_of_day = 0;
	}
	return LimitPoints(LimitPoints(points, tally->points, maximum), tally->points_of_day, daily_maximum);
}

/* Get the points that a rule gives for an interaction, once limits are seen to */
static double
Award(ScoreFold *fold, const ScoringRule *rule, TimestampTz at)
{
	double		points = rule->points;
	ScoreTally *own = rule->tally >= 0 ? &fold->tallies[rule->tally] : NULL;
	ScoreTally *shared = NULL;
	double		day = TIMESTAMP_NOT_FINITE(at) ? 0 : floor((double) at / USECS_PER_DAY);

	if (own)
	{
		own->count++;
		if (rule->at_least > 0 && own->count != rule->at_least)
			return 0;
		points = LimitByTally(own, points, day, rule->maximum, rule->daily_maximum);
	}
	if (rule->group >= 0)
	{
		const ScoringGroup *group = &fold->model->groups[rule->group];

		shared = &fold->tallies[group->tally];
		points = LimitByTally(shared, points, day, group->maximum, group->daily_maximum);
		shared->points += points;
		shared->points_of_day += points;
	}
	if (own)
	{
		own->points += points;
		own->points_of_day += points;
	}
	return points;
}

/* Count an interaction; matches are those of the event, or NULL */
void
FoldEvent(ScoreFold *fold, const ScoreEvent *event, const PredicateResult *matches)
{
	const ScoringModel *model = fold->model;

	for (int r = 0; r < model->rule_count; r++)
	{
		const ScoringRule *rule = &model->rules[r];
		HeatPart	part;
		double		points;

		if (rule->is_fit || rule->broken ||
			(rule->interaction_kind && strcmp(rule->interaction_kind, event->kind) != 0) ||
			event->at < rule->from || event->at >= rule->until ||
			(rule->condition && matches[r] != PREDICATE_TRUE))
			continue;
		points = rule->tally < 0 && rule->group < 0 ? rule->points : Award(fold, rule, event->at);
		part = HeatMakePart(points, event->at, rule->half_life);
		HeatAddPart(&fold->parts[rule->part], &part);
		if (fold->shares)
		{
			ScoreShare *share = &fold->shares[r];

			share->occurrences++;
			share->points += points;
			HeatAddPart(&share->heat, &part);
			share->last_at = event->at;
		}
	}
	fold->last_at = Max(fold->last_at, event->at);
}

/* Get the engagement counted */
Heat *
FoldHeat(ScoreFold *fold)
{
	int			n = fold->model->part_count;
	HeatPart   *parts = palloc(sizeof(HeatPart) * Max(n, 1));
	Heat	   *heat;

	memcpy(parts, fold->parts, sizeof(HeatPart) * n);
	heat = HeatFromParts(parts, n);
	pfree(parts);
	return heat;
}
