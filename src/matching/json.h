/*
 * Reading jsonb documents: members by name, with errors that say which.
 */
#ifndef LEAD_MGMT_JSON_H
#define LEAD_MGMT_JSON_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

extern JsonbContainer *JsonMember(JsonbContainer *object, const char *name, bool is_array);
extern char *JsonText(JsonbContainer *object, const char *name);
extern char *JsonAnyText(JsonbContainer *object, const char *name);
extern double JsonNumber(JsonbContainer *object, const char *name, double otherwise);
extern bool JsonBoolean(JsonbContainer *object, const char *name, bool otherwise);
extern int	JsonLength(JsonbContainer *array);
extern JsonbContainer *JsonElement(JsonbContainer *array, int index, const char *what);
extern char *JsonElementText(JsonbContainer *array, int index, const char *what);
extern double JsonElementNumber(JsonbContainer *array, int index, const char *what);
extern int	JsonNumbersByName(JsonbContainer *object, char ***names, double **numbers);

extern void AppendJsonText(StringInfo out, const char *name, const char *value);
extern void AppendJsonNumber(StringInfo out, const char *name, double value);

#endif
