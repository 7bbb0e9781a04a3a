/*
 * Claims: the identity rows that the entities of a chunk get, and those that
 * they lose as their values change.
 */
#include "postgres.h"

#include "matching/identity.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

/* A row of identity to be inserted */
typedef struct IdentityClaim
{
	IdentityKey *key;
	int64		holder;			/* 0 to be the first */
	EntitySlot *slot;
} IdentityClaim;

/* Order claims the way all sessions make them */
static int
CompareClaims(const void *a, const void *b)
{
	const IdentityClaim *left = a;
	const IdentityClaim *right = b;
	int			order = strcmp(left->key->text, right->key->text);

	if (order == 0)
		order = left->holder < right->holder ? -1 : left->holder > right->holder;
	return order;
}

/* Growing lists of claims */
typedef struct ClaimList
{
	IdentityClaim *items;
	int			count;
	int			size;
} ClaimList;

/* Add a claim to a list */
static void
AddClaim(ClaimList *list, IdentityKey *key, int64 holder, EntitySlot *slot)
{
	if (list->count == list->size)
	{
		list->size = Max(16, list->size * 2);
		list->items = list->items ? repalloc(list->items, sizeof(IdentityClaim) * list->size) :
			palloc(sizeof(IdentityClaim) * list->size);
	}
	list->items[list->count++] = (IdentityClaim) {
		key, holder, slot
	};
}

/*
 * List the identity rows that the values of an entity call for and that it has
 * not, and those that its values called for before and no longer do.
 */
static void
FollowValues(IdentityTable *table, EntitySlot *slot, ClaimList *shares, ClaimList *gone)
{
	const MatchKind *kinds = table->matching->kinds[table->ops->entity];
	MatchSide	now = IdentitySide(slot);

	for (int k = 0; k < table->matching->kind_count[table->ops->entity]; k++)
	{
		const MatchKind *kind = &kinds[k];
		char	   *before = NULL;
		char	   *value;
		IdentityKey *key;

		if (!kind->is_shared)
			continue;
		if (slot->stored)
		{
			MatchSide	then = IdentitySide(slot->stored);
			int			column = kind->parts[0].field->column;

			if (kind->part_count == 1 && column >= 0 && then.values[column] == now.values[column])
				continue;
			before = MatchKeyOf(table->matching, kind->parts, kind->part_count, &then);
		}
		value = MatchKeyOf(table->matching, kind->parts, kind->part_count, &now);
		if (value == NULL ? before == NULL : before && strcmp(value, before) == 0)
			continue;
		if (before && !kind->accumulates)
			AddClaim(gone, IdentityAddKey(table, k, before), slot->id, slot);
		if (value == NULL)
			continue;
		key = IdentityAddKey(table, k, value);
		if (!key->has_first)
		{
			key->has_first = true;
			key->claimant = slot;
			IdentityAddHolder(key, slot);
		}
		else if (IdentityRoot(key->claimant) != slot && key->holder_count < MATCH_MAX_HOLDERS &&
				 !(slot->stored && IdentityIsHolder(key, slot)))
		{
			IdentityAddHolder(key, slot);
			AddClaim(shares, key, slot->id, slot);
		}
	}
}

/* Put claims into a batch */
static Batch *
ClaimBatch(IdentityTable *table, const ClaimList *claims, const PlanSource *source)
{
	Batch	   *batch = BatchCreate(source->args, CLAIM_ARGUMENTS, claims->count);

	for (int i = 0; i < claims->count; i++)
	{
		const IdentityClaim *claim = &claims->items[i];

		BatchSetText(batch, 0, table->matching->kinds[table->ops->entity][claim->key->kind].name);
		BatchSetText(batch, 1, claim->key->value);
		BatchSet(batch, 2, Int64GetDatum(claim->holder));
		BatchSet(batch, 3, Int64GetDatum(IdentityRoot(claim->slot)->id));
		BatchNext(batch);
	}
	return batch;
}

/* Mark the keys that the claims just made have won */
static void
NoteWins(IdentityTable *table, int won)
{
	const MatchKind *kinds = table->matching->kinds[table->ops->entity];

	for (int i = 0; i < won; i++)
	{
		char	   *kind;
		char	   *value;
		int			k = 0;

		if (ResultInt64(i, 3, NULL) != 0)
			continue;
		kind = ResultText(i, 1);
		value = ResultText(i, 2);
		while (strcmp(kinds[k].name, kind) != 0)
			k++;
		IdentityFindKey(table, k, value)->is_won = true;
	}
}

/* Insert the new entities and claim their keys; false when a claim was lost */
bool
IdentityClaimKeys(IdentityTable *table)
{
	const EntityKindOps *ops = table->ops;
	ClaimList	claims = {0};
	ClaimList	gone = {0};
	ClaimList	shares = {0};
	EntitySlot **fresh = palloc(sizeof(EntitySlot *) * Max(table->created_count, 1));
	int			fresh_count = 0;
	HASH_SEQ_STATUS status;
	EntitySlot *slot;
	IdentityKey **keys;
	int			key_count;
	int			won;
	bool		has_lost = false;
	Batch	   *losers;
	Datum		arrays[PLAN_MAX_ARGUMENTS];

	for (int i = 0; i < table->created_count; i++)
		if (table->created[i]->merged == NULL)
		{
			fresh[fresh_count++] = table->created[i];
			FollowValues(table, table->created[i], &claims, &gone);
		}
	hash_seq_init(&status, table->existing);
	while ((slot = hash_seq_search(&status)) != NULL)
		if (slot->is_changed && slot->stored)
			FollowValues(table, slot, &claims, &gone);
	key_count = IdentityListKeys(table, &keys);
	for (int k = 0; k < key_count; k++)
		if (keys[k]->claimant && IdentityRoot(keys[k]->claimant)->individual_id == 0)
			AddClaim(&claims, keys[k], 0, keys[k]->claimant);
	if (gone.count > 0)
	{
		qsort(gone.items, gone.count, sizeof(IdentityClaim), CompareClaims);
		BatchExecute(table->ws, ops->forget, ClaimBatch(table, &gone, ops->forget));
	}
	if (claims.count == 0 && fresh_count == 0)
		return true;
	if (claims.count > 0)
		qsort(claims.items, claims.count, sizeof(IdentityClaim), CompareClaims);
	BatchArrays(table->ws, ClaimBatch(table, &claims, ops->claim), arrays);
	if (fresh_count > 0)
	{
		Batch	   *rows = BatchCreate(ops->create->args + CLAIM_ARGUMENTS,
									   ops->create->nargs - CLAIM_ARGUMENTS, fresh_count);

		for (int i = 0; i < fresh_count; i++)
		{
			ops->fill(rows, fresh[i]);
			BatchNext(rows);
		}
		BatchArrays(table->ws, rows, arrays + CLAIM_ARGUMENTS);
	}
	won = WorkspaceExecute(table->ws, fresh_count > 0 ? ops->create : ops->claim, arrays, NULL);
	if (won == claims.count)
	{
		SPI_freetuptable(SPI_tuptable);
		return true;
	}
	NoteWins(table, won);
	SPI_freetuptable(SPI_tuptable);

	/*
	 * A value that was looked up and found free has an owner now whom the
	 * rules might find.  One that only follows from the values is shared.
	 */
	losers = BatchCreate(ops->discard->args, 1, claims.count);
	for (int i = 0; i < claims.count; i++)
	{
		IdentityClaim *claim = &claims.items[i];

		if (claim->holder != 0 || claim->key->is_won)
			continue;
		slot = IdentityRoot(claim->slot);
		if (!claim->key->is_looked_up)
		{
			AddClaim(&shares, claim->key, slot->id, slot);
			continue;
		}
		has_lost = true;
		if (!slot->is_new || slot->lost_claim)
			continue;
		slot->lost_claim = true;
		BatchSet(losers, 0, Int64GetDatum(slot->id));
		BatchNext(losers);
	}
	if (losers->rows > 0)
		BatchExecute(table->ws, ops->discard, losers);
	if (!has_lost && shares.count > 0)
	{
		BatchExecute(table->ws, ops->claim, ClaimBatch(table, &shares, ops->claim));
		SPI_freetuptable(SPI_tuptable);
	}
	return !has_lost;
}
