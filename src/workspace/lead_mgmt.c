/*
 * The library's entry: module magic, start-up, version.
 */
#include "postgres.h"

#include "fmgr.h"
#include "pipeline/law.h"
#include "utils/builtins.h"
#include "workspace/workspace.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

/* Prepare what every room needs once a backend */
void
_PG_init(void)
{
	WorkspaceInit();
	LawInit();
	MovesInit();
}

PG_FUNCTION_INFO_V1(lead_mgmt_version);
/* Get the version of the installed library */
Datum
lead_mgmt_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(LEAD_MGMT_VERSION));
}
