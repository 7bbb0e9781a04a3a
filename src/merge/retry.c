/*
 * Doing a merge, or undoing one, again after a deadlock.
 *
 * Merges lock accounts before contacts, and so do captures that name a
 * company.  One that names none knows of its contact's account only once it
 * holds the contact, and locks it where it opens a lead.  To lock it before
 * would cost every capture, so that the two may deadlock instead; whichever
 * the server ends gives everything back and begins anew.
 */
#include "postgres.h"

#include "access/xact.h"
#include "merge/merge.h"
#include "miscadmin.h"
#include "predicate/attempt.h"

/* Times that work is done again before the error is the caller's */
#define MERGE_MAX_RESTARTS 5

/* Work that is done again, with what it takes */
typedef struct MergeAttempt
{
	MergeContext *ctx;
	WorkspaceWork work;
	void	   *arg;
} MergeAttempt;

/* Do the work, knowing nothing of an earlier attempt */
static void
TryWork(void *arg)
{
	MergeAttempt *attempt = arg;

	MergeOpen(attempt->ctx, attempt->ctx->ws);
	WorkspaceRun(attempt->ctx->ws, attempt->work, attempt->arg);
}

/*
 * Do work with the rights of the workspace's owner, and after a deadlock again,
 * unless the transaction has done something before, whose locks no attempt
 * gives back.
 */
void
MergeRun(MergeContext *ctx, Workspace *ws, WorkspaceWork work, void *arg)
{
	MergeAttempt attempt = {ctx, work, arg};
	bool		is_first = !SystemAtWork() && GetCurrentCommandId(false) == FirstCommandId;

	ctx->ws = ws;
	for (int i = 0; is_first && i < MERGE_MAX_RESTARTS; i++)
	{
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		error = Attempt(TryWork, &attempt);
		if (error == NULL)
			return;
		if (error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
			ReThrowError(error);
		FreeErrorData(error);
	}
	TryWork(&attempt);
}
