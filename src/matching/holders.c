/*
 * The values of a chunk that identify, and who holds each.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "matching/identity.h"
#include "utils/builtins.h"

/* Entries move as the table grows, so that they only point to their keys */
typedef struct KeyEntry
{
	const char *text;
	IdentityKey *key;
	uint32		hash;
	char		status;
} KeyEntry;

#define SH_PREFIX keys
#define SH_ELEMENT_TYPE KeyEntry
#define SH_KEY_TYPE const char *
#define SH_KEY text
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp((a), (b)) == 0)
#define SH_SCOPE static inline
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Make an empty set of keys */
void
IdentityCreateKeys(IdentityTable *table, int size)
{
	table->keys = keys_create(CurrentMemoryContext, size, NULL);
}

/* Get the text by which keys are told apart, and by which all sessions order claims */
const char *
IdentityKeyText(int kind, const char *value)
{
	return psprintf("%c%s", '!' + kind, value);
}

/* Find a key of the chunk */
IdentityKey *
IdentityFindKey(const IdentityTable *table, int kind, const char *value)
{
	KeyEntry   *entry = keys_lookup(table->keys, IdentityKeyText(kind, value));

	return entry ? entry->key : NULL;
}

/* Find or add a key */
IdentityKey *
IdentityAddKey(IdentityTable *table, int kind, const char *value)
{
	bool		found;
	KeyEntry   *entry = keys_insert(table->keys, IdentityKeyText(kind, value), &found);

	if (!found)
	{
		entry->key = palloc0(sizeof(IdentityKey));
		entry->key->text = entry->text;
		entry->key->kind = kind;
		entry->key->value = value;
	}
	return entry->key;
}

/* List the keys; returns how many */
int
IdentityListKeys(const IdentityTable *table, IdentityKey ***list)
{
	keys_iterator it;
	KeyEntry   *entry;
	int			n = 0;

	*list = palloc(sizeof(IdentityKey *) * Max(table->keys->members, 1));
	keys_start_iterate(table->keys, &it);
	while ((entry = keys_iterate(table->keys, &it)) != NULL)
		(*list)[n++] = entry->key;
	return n;
}

/* Is the entity among those who hold a key? */
bool
IdentityIsHolder(const IdentityKey *key, const EntitySlot *slot)
{
	for (int h = 0; h < key->holder_count; h++)
		if (IdentityRoot(key->holders[h]) == slot)
			return true;
	return false;
}

/* Add an entity to those who hold a key */
void
IdentityAddHolder(IdentityKey *key, EntitySlot *slot)
{
	if (IdentityIsHolder(key, slot) || key->holder_count == MATCH_MAX_HOLDERS)
		return;
	if (key->holders == NULL)
		key->holders = palloc(sizeof(EntitySlot *));
	else if ((key->holder_count & (key->holder_count - 1)) == 0)
		key->holders = repalloc(key->holders, sizeof(EntitySlot *) * key->holder_count * 2);
	key->holders[key->holder_count++] = slot;
}
