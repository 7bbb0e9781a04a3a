#include "postgres.h"
#include "normalise/normalise.h"
void AddressKey(StringInfo out, const char *text, int len) { FoldText(out, text, len); }
int GivenNameGroups(const char *key, int len, uint16 *groups, int max) { return 0; }
void PhoneticKey(StringInfo out, const char *text, int len)
{
	for (int i = 0; i < len; i++)
		if (i == 0 || (!strchr("aeiouyhw", text[i]) && text[i] != text[i-1]))
			appendStringInfoChar(out, text[i]);
}
