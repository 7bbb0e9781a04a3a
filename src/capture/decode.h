/*
 * Decoding: the bytes of a body become the payloads of one or many
 * submissions, in the way that its media type and the form ask for.
 */
#ifndef LEAD_MGMT_DECODE_H
#define LEAD_MGMT_DECODE_H

#include "capture/capture.h"
#include "capture/parse.h"

/* Deepest JSON and XML that are worth storing */
#define DECODE_MAX_DEPTH 500

/* Most records that a body may hold */
#define DECODE_MAX_RECORDS 1000000

/* Reasons that are told of a body in which no record could be read */
#define DECODE_MAX_REASONS 10

/* A record of a body, or what should have been one */
typedef struct DecodedRecord
{
	int			number;			/* its place in the body, from 1 */
	Jsonb	   *payload;		/* NULL when it could not be read */
	char	   *external_id;	/* or NULL */
	bytea	   *raw;			/* its own bytes, where it could not be read */
	const char *content_type;	/* what those are */
	bool		is_known;		/* it came before, and is passed over */
	const char *code;			/* why it could not be read */
	const char *message;
} DecodedRecord;

/* A body on its way */
typedef struct Decoding
{
	const Form *form;
	CaptureRecord *record;
	ParseHeaderValue type;
	const char *data;
	size_t		len;
	int			count;
	int			size;
	DecodedRecord *records;
	bool		is_rejected;	/* as a whole */

	/* where a decoder that goes line by line was when an error ended it */
	bool		is_resumable;
	ParseText	text;
	size_t		pos;
	size_t		line_end;
	int			number;
} Decoding;

extern void DecodingAdd(Decoding *decoding, Jsonb *payload, char *external_id);
extern void DecodingAddBad(Decoding *decoding, const char *raw, size_t len, const char *content_type,
						   const char *code, const char *message);
extern void DecodingReject(Decoding *decoding, const char *code, const char *message);
extern bool DecodingText(Decoding *decoding, ParseText *text);
extern const char *DecodingCharset(const Decoding *decoding);

extern Jsonb *PairsPayload(const ParsePairs *pairs);
extern bool PairsBring(const Form *form, const ParsePairs *pairs, FieldId field);
extern void AddUnlessBrought(const Form *form, ParsePairs *pairs, FieldId field, const char *value);
extern JsonbValue *PushText(JsonbParseState **state, JsonbIteratorToken token, const char *data, size_t len);
extern char *ServerText(const char *data, size_t len);

/* One a family of media types */
extern void DecodeJson(Decoding *decoding);
extern void DecodeJsonLines(Decoding *decoding);
extern void DecodeUrlEncoded(Decoding *decoding);
extern void DecodeFormData(Decoding *decoding);
extern void DecodeCsv(Decoding *decoding);
extern void DecodePlainText(Decoding *decoding);
extern void DecodeXml(Decoding *decoding);
extern void DecodeMail(Decoding *decoding);

/* The code of a reason, for what the parser complains of in a message */
extern const char *MessageCode(ParseStatus status);

/* HTML, through libxml2 */
extern void ReadHtml(const char *data, size_t len, ParsePairs *pairs, ParseText *beside, ParseText *shown);

#endif
