/*
 * Reading single values from what people and programs send: each returns
 * whether the text is one, none raises an error.
 */
#ifndef LEAD_MGMT_VALUES_H
#define LEAD_MGMT_VALUES_H

#include "datatype/timestamp.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "workspace/config.h"

/* Most digits that a number may have on either side of the point */
#define NUMBER_MAX_DIGITS 30

/* The reasons a value is refused with; also the machine-readable codes */
#define CODE_INVALID_NUMBER "invalid_number"
#define CODE_INVALID_BOOLEAN "invalid_boolean"
#define CODE_INVALID_DATE "invalid_date"
#define CODE_INVALID_TYPE "invalid_type"
#define CODE_NOT_AN_OPTION "not_an_option"
#define CODE_TOO_LONG "too_long"

extern bool ReadNumber(const char *text);
extern bool ReadInteger(const char *text, int32 *value);
extern bool ReadBoolean(const char *text, bool *value);
extern bool ReadTimestamp(const char *text, TimestampTz *value);
extern bool ReadDate(const char *text, DateADT *value);
extern const char *AttributeRead(const CustomField *field, const JsonbValue *input, bool strict, JsonbValue *output);
extern void AttributesCheck(WorkspaceConfig *config, EntityKind entity, Jsonb *attributes, Jsonb *before);

#endif
