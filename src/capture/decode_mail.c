/*
 * Mail: who wrote, and what the lines, tables and the form's templates say.
 *
 * A mail that a form or a vendor sends carries the person in its text; one
 * that a person writes carries them in its header.  The first kind is told by
 * pairs that name or reach somebody.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "capture/decode.h"
#include "mb/pg_wchar.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "workspace/values.h"

/* Longest text that templates are matched against, in bytes */
#define TEMPLATE_MAX_TEXT 262144

/* Match a template, adding what its named groups captured */
static void
MatchTemplate(const FormTemplate *template, const char *text, ParsePairs *pairs)
{
	int			len = pg_mbcliplen(text, strlen(text), TEMPLATE_MAX_TEXT);
	pg_wchar   *wide = palloc(sizeof(pg_wchar) * (len + 1));
	int			wide_len = pg_mb2wchar_with_len(text, wide, len);
	regex_t    *regex = RE_compile_and_cache(cstring_to_text(template->regex), REG_ADVANCED, DEFAULT_COLLATION_OID);
	regmatch_t *matches = palloc(sizeof(regmatch_t) * (template->group_count + 1));
	int			result = pg_regexec(regex, wide, wide_len, 0, NULL, template->group_count + 1, matches, 0);

	if (result == REG_NOMATCH)
		return;
	if (result != REG_OKAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
				 errmsg("template \"%s\" could not be matched", template->label)));
	for (int n = 0; n < template->name_count; n++)
	{
		const regmatch_t *match = &matches[template->groups[n]];
		char	   *value;
		char	   *utf8;

		if (match->rm_so < 0 || match->rm_eo <= match->rm_so)
			continue;
		value = palloc((match->rm_eo - match->rm_so) * pg_database_encoding_max_length() + 1);
		pg_wchar2mb_with_len(wide + match->rm_so, value, match->rm_eo - match->rm_so);
		utf8 = pg_server_to_any(value, strlen(value), PG_UTF8);
		ParsePairsAdd(pairs, template->names[n], strlen(template->names[n]), utf8, strlen(utf8));
	}
}

/* Match the form's templates in their order */
static void
MatchTemplates(const Form *form, const ParseText *subject, const ParseText *body, ParsePairs *pairs)
{
	char	   *subject_text = ServerText(subject->data, subject->len);
	char	   *body_text = ServerText(body->data, body->len);

	for (int t = 0; t < form->template_count; t++)
		MatchTemplate(&form->templates[t], form->templates[t].reads_subject ? subject_text : body_text, pairs);
}

/* Do pairs name or reach somebody? */
static bool
BringPerson(const Form *form, const ParsePairs *pairs)
{
	static const FieldId fields[] = {
		FIELD_EMAIL, FIELD_PHONE, FIELD_FULL_NAME, FIELD_GIVEN_NAME, FIELD_FAMILY_NAME, FIELD_SOURCE_ID
	};

	for (int f = 0; f < lengthof(fields); f++)
		if (PairsBring(form, pairs, fields[f]))
			return true;
	return false;
}

/* Add pairs but those whose name came before */
static void
AddPairs(ParsePairs *pairs, const ParsePairs *more)
{
	int			before = pairs->count;

	for (int m = 0; m < more->count; m++)
	{
		const ParsePair *pair = &more->items[m];
		bool		is_known = false;

		for (int p = 0; p < before && !is_known; p++)
			is_known = strcmp(pairs->items[p].name, pair->name) == 0;
		if (!is_known)
			ParsePairsAdd(pairs, pair->name, pair->name_len, pair->value, pair->value_len);
	}
}

/* Add a header under a name, decoded */
static void
AddHeader(const ParseMessage *message, const char *header, const char *name, ParsePairs *pairs)
{
	const char *value = ParseFindHeader(&message->headers, header);
	ParseText	text = {0};

	if (value == NULL)
		return;
	ParseEncodedWords(value, strlen(value), &text);
	if (text.len > 0)
		ParsePairsAdd(pairs, name, strlen(name), text.data, text.len);
}

/* Add the person who wrote */
static void
AddSender(const Form *form, const ParseMessage *message, ParsePairs *pairs)
{
	const char *header = ParseFindHeader(&message->headers, "reply-to");
	ParseText	name = {0};
	ParseText	address = {0};

	if (header == NULL || !ParseAddress(header, strlen(header), &name, &address))
	{
		header = ParseFindHeader(&message->headers, "from");
		name.len = address.len = 0;
		if (header == NULL || !ParseAddress(header, strlen(header), &name, &address))
			return;
	}
	if (ParseIsUtf8(address.data, address.len))
		AddUnlessBrought(form, pairs, FIELD_EMAIL, address.data);
	AddUnlessBrought(form, pairs, FIELD_FULL_NAME, name.data);
}

/* Gather the texts of a message; of what is none its name, type and size are noted */
static void
GatherTexts(const ParseMessage *message, ParseText *plain, ParseText *html, ParsePairs *attachments)
{
	ParseTextAppend(plain, "", 0);
	ParseTextAppend(html, "", 0);
	for (int p = 0; p < message->part_count; p++)
	{
		const ParsePart *part = &message->parts[p];
		const char *file = ParseParameter(&part->disposition, "filename");
		bool		is_attached = strcmp(part->disposition.value, "attachment") == 0;
		ParseText	bytes = {0};

		if (!is_attached && strcmp(part->type.value, "text/plain") == 0)
			ParseBody(part, plain);
		else if (!is_attached && strcmp(part->type.value, "text/html") == 0)
			ParseBody(part, html);
		else
		{
			char	   *note;

			ParseBody(part, &bytes);
			if (file == NULL)
				file = ParseParameter(&part->type, "name");
			note = psprintf("%s (%s, %zu bytes)", file ? file : "unnamed", part->type.value, bytes.len);
			ParsePairsAdd(attachments, "attachment", strlen("attachment"), note, strlen(note));
			pfree(bytes.data);
		}
	}
}

/* Get the id of a message without its brackets, NULL when it has none */
static char *
MessageId(const ParseMessage *message)
{
	const char *id = ParseFindHeader(&message->headers, "message-id");
	size_t		len;

	if (id == NULL)
		return NULL;
	id += strspn(id, " \t<");
	len = strcspn(id, "> \t\r\n");
	return len > 0 && ParseIsUtf8(id, len) ? ServerText(id, len) : NULL;
}

/* Does a text hold an XML document, as dealers' systems send leads (ADF)? */
static bool
HoldsXml(const ParseText *text)
{
	const char *start = text->data + strspn(text->data, " \t\r\n");

	return strncmp(start, "<?xml", 5) == 0 || strncmp(start, "<?adf", 5) == 0 || strncmp(start, "<adf", 4) == 0;
}

/* Read the XML that is the text of a message */
static void
DecodeXmlText(Decoding *decoding, const ParseText *text, char *id)
{
	size_t		blank = strspn(text->data, " \t\r\n");

	decoding->data = text->data + blank;
	decoding->len = text->len - blank;
	ParseHeader("text/xml; charset=utf-8", strlen("text/xml; charset=utf-8"), &decoding->type);
	DecodeXml(decoding);
	if (decoding->count == 1)
		decoding->records[0].external_id = id;
}

/* A message */
void
DecodeMail(Decoding *decoding)
{
	const Form *form = decoding->form;
	ParseMessage message;
	ParseText	plain = {0};
	ParseText	html = {0};
	ParseText	subject = {0};
	ParseText	other = {0};
	ParsePairs	pairs = {0};
	ParsePairs	found = {0};
	const char *header;
	char	   *id;
	ParseStatus status = ParseMail(decoding->data, decoding->len, &message);
	TimestampTz at;

	if (status != PARSE_OK || message.headers.count == 0)
	{
		DecodingReject(decoding, status != PARSE_OK ? MessageCode(status) : "invalid_message",
					   status != PARSE_OK ? ParseStatusMessage(status) : "no message: it has no headers");
		return;
	}
	id = MessageId(&message);
	header = ParseFindHeader(&message.headers, "subject");
	ParseEncodedWords(header ? header : "", header ? strlen(header) : 0, &subject);
	{
		ParsePairs	attachments = {0};

		GatherTexts(&message, &plain, &html, &attachments);
		if (HoldsXml(&plain))
		{
			DecodeXmlText(decoding, &plain, id);
			return;
		}
		ParseLines(plain.data, plain.len, &found, &other);
		if (html.len > 0 && !BringPerson(form, &found))
		{
			ParsePairs	in_html = {0};
			ParseText	beside = {0};
			ParseText	shown = {0};

			ReadHtml(html.data, html.len, &in_html, &beside, &shown);
			if (BringPerson(form, &in_html) || strspn(plain.data, " \t\r\n") == plain.len)
			{
				found = in_html;
				other = beside;
				plain = shown;
			}
		}
		MatchTemplates(form, &subject, &plain, &pairs);
		AddPairs(&pairs, &found);
		AddPairs(&pairs, &attachments);
	}
	ParseTextAppend(&other, "", 0);
	if (BringPerson(form, &pairs))
	{
		if (other.len > 0)
			ParsePairsAdd(&pairs, "unparsed", strlen("unparsed"), other.data, other.len - 1);
	}
	else
	{
		if (!form->ignores_sender)
			AddSender(form, &message, &pairs);
		AddUnlessBrought(form, &pairs, FIELD_MESSAGE, plain.data);
	}
	AddHeader(&message, "from", "mail_from", &pairs);
	AddHeader(&message, "to", "mail_to", &pairs);
	AddUnlessBrought(form, &pairs, FIELD_TITLE, subject.data);
	header = ParseFindHeader(&message.headers, "date");
	if (header)
	{
		char	   *date = pnstrdup(header, strcspn(header, "("));

		if (ReadTimestamp(date, &at))
			AddUnlessBrought(form, &pairs, FIELD_OCCURRED_AT, date);
	}
	DecodingAdd(decoding, PairsPayload(&pairs), id);
}
