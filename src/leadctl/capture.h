/*
 * Giving bodies to a workspace.
 */
#ifndef LEADCTL_CAPTURE_H
#define LEADCTL_CAPTURE_H

#include "leadctl/leadctl.h"

extern PGresult *CaptureBody(PGconn *connection, const char *prefix, const char *form, const char *type,
							 const Buffer *body);

#endif
