/*
 * Work that may fail without failing what surrounds it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "predicate/attempt.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/*
 * Do work in a subtransaction of its own, in the memory context of the caller.
 * Returns NULL, or the error that ended it and undid what it had done; whether
 * that one is to be borne is for the caller to say, with ReThrowError() if not.
 */
ErrorData *
Attempt(AttemptedWork work, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}
