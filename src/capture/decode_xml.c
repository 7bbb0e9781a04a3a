/*
 * XML, feeds and HTML, through libxml2.
 *
 * Nothing is fetched and nothing is expanded: a document that declares
 * entities is refused at the first declaration, which ends both external
 * entities and those that multiply.  The library keeps its trees in memory of
 * its own; a callback of the memory context that a document is read in gives
 * it back, and PG_FINALLY what lives shorter.
 */
#include "postgres.h"

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "capture/decode.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "workspace/values.h"

/* What an XPath among the names of a form begins with */
#define IS_XPATH(name) ((name)[0] == '/' || ((name)[0] == '.' && (name)[1] == '/'))

/* An XPath of the form, compiled */
typedef struct NamedPath
{
	const char *name;
	xmlXPathCompExprPtr path;
} NamedPath;

/* A document and what belongs to it */
typedef struct Document
{
	xmlParserCtxtPtr parser;
	xmlDocPtr	tree;
	xmlXPathContextPtr xpath;
	NamedPath  *paths;
	int			path_count;
	bool		has_entities;
	MemoryContextCallback cleanup;
} Document;

/* Take no entity declaration: end the parsing */
static void
RefuseEntity(void *context, const xmlChar *name, int type, const xmlChar *public_id, const xmlChar *system_id,
			 xmlChar *content)
{
	xmlParserCtxtPtr parser = context;

	((Document *) parser->_private)->has_entities = true;
	xmlStopParser(parser);
}

/* Say nothing on the server's standard error */
static void
IgnoreError(void *context, const xmlError *error)
{
}

/* Give back what libxml2 keeps for a document */
static void
CloseDocument(void *arg)
{
	Document   *document = arg;

	for (int p = 0; p < document->path_count; p++)
		xmlXPathFreeCompExpr(document->paths[p].path);
	if (document->xpath)
		xmlXPathFreeContext(document->xpath);
	if (document->tree)
		xmlFreeDoc(document->tree);
	if (document->parser)
		xmlFreeParserCtxt(document->parser);
}

/* Parse the body; false when it is no document that is taken, which is then said */
static bool
OpenDocument(Decoding *decoding, Document *document)
{
	xmlParserCtxtPtr parser = document->parser = xmlNewParserCtxt();
	const xmlError *error;

	if (parser == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	parser->_private = document;
	parser->sax->entityDecl = RefuseEntity;
	document->tree = xmlCtxtReadMemory(parser, decoding->data, decoding->len, NULL, DecodingCharset(decoding),
									   XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	if (document->has_entities)
		DecodingReject(decoding, "xml_entities", "the document declares entities, which is not allowed");
	else if (document->tree == NULL || !parser->wellFormed || xmlDocGetRootElement(document->tree) == NULL)
	{
		error = xmlCtxtGetLastError(parser);
		DecodingReject(decoding, "invalid_xml",
					   error && error->message ? psprintf("line %d: %.*s", error->line, (int) strcspn(error->message, "\n"), error->message) :
					   "not a well-formed XML document");
	}
	else
		return true;
	return false;
}

/* Append the text below a node; markup in it counts for nothing */
static void
AppendText(const xmlNode *top, ParseText *text)
{
	const xmlNode *node = top->children;

	ParseTextAppend(text, "", 0);
	while (node)
	{
		if ((node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) && node->content)
			ParseTextAppend(text, (const char *) node->content, strlen((const char *) node->content));
		if (node->type == XML_ELEMENT_NODE && node->children)
		{
			node = node->children;
			continue;
		}
		while (node != top && node->next == NULL)
			node = node->parent;
		if (node == top)
			break;
		node = node->next;
	}
}

/* Get the text below a node, without blanks around it */
static ParseText
NodeText(const xmlNode *node)
{
	ParseText	text = {0};

	AppendText(node, &text);
	while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]))
		text.data[--text.len] = '\0';
	while (text.len > 0 && strchr(" \t\r\n", *text.data))
		text.data++, text.len--;
	return text;
}

/* Get the name of an element or attribute with the prefix it is written with */
static char *
NodeName(const xmlNode *node)
{
	if (node->ns && node->ns->prefix)
		return psprintf("%s:%s", (const char *) node->ns->prefix, (const char *) node->name);
	return pstrdup((const char *) node->name);
}

/* Is the element called so, in whatever name space? */
static bool
IsNamed(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *) node->name, name) == 0;
}

/* Get the first element among nodes, NULL when there is none */
static xmlNode *
FirstElement(xmlNode *node)
{
	while (node && node->type != XML_ELEMENT_NODE)
		node = node->next;
	return node;
}

/* An element below another, by name */
typedef struct Child
{
	char	   *name;
	int			position;
	const xmlNode *node;
} Child;

/* Order children by name, those alike as they stand */
static int
CompareChildren(const void *a, const void *b)
{
	const Child *left = a;
	const Child *right = b;
	int			order = strcmp(left->name, right->name);

	return order != 0 ? order : left->position - right->position;
}

static void PushElement(JsonbParseState **state, JsonbIteratorToken token, const xmlNode *node);

/* Push the members that an element has as an object: attributes, elements, text beside them */
static void
PushMembers(JsonbParseState **state, const xmlNode *node)
{
	Child	   *children;
	ParseText	text = {0};
	int			count = 0;
	int			end;

	for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
	{
		ParseText	value = NodeText((const xmlNode *) attribute);
		char	   *name = psprintf("@%s", NodeName((const xmlNode *) attribute));

		PushText(state, WJB_KEY, name, strlen(name));
		PushText(state, WJB_VALUE, value.data, value.len);
	}
	for (const xmlNode *child = node->children; child; child = child->next)
		count += child->type == XML_ELEMENT_NODE;
	children = palloc(sizeof(Child) * Max(count, 1));
	count = 0;
	for (const xmlNode *child = node->children; child; child = child->next)
	{
		if (child->type == XML_ELEMENT_NODE)
		{
			children[count] = (Child) {
				NodeName(child), count, child
			};
			count++;
		}
		else if (child->type == XML_TEXT_NODE && !xmlIsBlankNode(child))
			ParseTextAppend(&text, (const char *) child->content, strlen((const char *) child->content));
	}
	qsort(children, count, sizeof(Child), CompareChildren);
	for (int c = 0; c < count; c = end)
	{
		for (end = c + 1; end < count && strcmp(children[end].name, children[c].name) == 0;)
			end++;
		PushText(state, WJB_KEY, children[c].name, strlen(children[c].name));
		if (end - c > 1)
			pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		for (int i = c; i < end; i++)
			PushElement(state, end - c > 1 ? WJB_ELEM : WJB_VALUE, children[i].node);
		if (end - c > 1)
			pushJsonbValue(state, WJB_END_ARRAY, NULL);
	}
	if (text.len > 0)
	{
		PushText(state, WJB_KEY, "#text", strlen("#text"));
		PushText(state, WJB_VALUE, text.data, text.len);
	}
}

/* Push an element: its text where it has nothing else, else an object */
static void
PushElement(JsonbParseState **state, JsonbIteratorToken token, const xmlNode *node)
{
	check_stack_depth();
	if (node->properties == NULL && FirstElement(node->children) == NULL)
	{
		ParseText	text = NodeText(node);

		PushText(state, token, text.data, text.len);
		return;
	}
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	PushMembers(state, node);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Prepare XPath with the prefixes that the document's root declares */
static void
OpenXPath(Document *document)
{
	xmlNs	  **spaces;

	document->xpath = xmlXPathNewContext(document->tree);
	if (document->xpath == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	document->xpath->error = (xmlStructuredErrorFunc) IgnoreError;
	spaces = xmlGetNsList(document->tree, xmlDocGetRootElement(document->tree));
	for (int s = 0; spaces && spaces[s]; s++)
		xmlXPathRegisterNs(document->xpath, spaces[s]->prefix ? spaces[s]->prefix : (const xmlChar *) "default",
						   spaces[s]->href);
	xmlFree(spaces);
}

/* Compile the XPaths among the names of the form; false when one is none */
static bool
CompilePaths(Decoding *decoding, Document *document)
{
	const Form *form = decoding->form;

	document->paths = palloc(sizeof(NamedPath) * Max(form->entry_count, 1));
	for (int e = 0; e < form->entry_count && form->entries[e].is_own; e++)
	{
		NamedPath  *path = &document->paths[document->path_count];

		if (!IS_XPATH(form->entries[e].incoming))
			continue;
		path->name = form->entries[e].incoming;
		path->path = xmlXPathCtxtCompile(document->xpath, (const xmlChar *) path->name);
		if (path->path == NULL)
		{
			DecodingReject(decoding, "invalid_xpath", psprintf("the form's name \"%s\" is no XPath", path->name));
			return false;
		}
		document->path_count++;
	}
	return true;
}

/* Push what an XPath of the form finds in a record, under the XPath as its name */
static void
PushPath(JsonbParseState **state, Document *document, xmlNode *record, const NamedPath *path)
{
	xmlXPathObjectPtr volatile found;

	document->xpath->node = record;
	found = xmlXPathCompiledEval(path->path, document->xpath);
	if (found == NULL)
		return;
	PG_TRY();
	{
		int			count = found->type == XPATH_NODESET ? xmlXPathNodeSetGetLength(found->nodesetval) : 1;

		if (count > 0)
		{
			PushText(state, WJB_KEY, path->name, strlen(path->name));
			if (count > 1)
				pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
			for (int i = 0; i < count; i++)
			{
				ParseText	text = {0};

				if (found->type == XPATH_NODESET)
				{
					xmlNode    *node = found->nodesetval->nodeTab[i];

					if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
						ParseTextAppend(&text, (const char *) node->content, strlen((const char *) node->content));
					else if (node->type == XML_ELEMENT_NODE || node->type == XML_ATTRIBUTE_NODE)
						text = NodeText(node);
				}
				else
				{
					xmlChar    *string = xmlXPathCastToString(found);

					if (string)
						ParseTextAppend(&text, (const char *) string, strlen((const char *) string));
					xmlFree(string);
				}
				ParseTextAppend(&text, "", 0);
				PushText(state, count > 1 ? WJB_ELEM : WJB_VALUE, text.data, text.len);
			}
			if (count > 1)
				pushJsonbValue(state, WJB_END_ARRAY, NULL);
		}
	}
	PG_FINALLY();
	{
		xmlXPathFreeObject(found);
	}
	PG_END_TRY();
}

/* Add an element as a record */
static void
AddElement(Decoding *decoding, Document *document, xmlNode *node)
{
	JsonbParseState *state = NULL;

	CHECK_FOR_INTERRUPTS();
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (node->properties == NULL && FirstElement(node->children) == NULL)
	{
		ParseText	text = NodeText(node);
		char	   *name = NodeName(node);

		PushText(&state, WJB_KEY, name, strlen(name));
		PushText(&state, WJB_VALUE, text.data, text.len);
	}
	else
		PushMembers(&state, node);
	for (int p = 0; p < document->path_count; p++)
		PushPath(&state, document, node, &document->paths[p]);
	DecodingAdd(decoding, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)), NULL);
}

/* Are the elements below the root records: all of one name, and not mere text? */
static bool
HoldsRecords(xmlNode *root)
{
	xmlNode    *first = FirstElement(root->children);

	for (xmlNode *node = first; node; node = FirstElement(node->next))
		if (strcmp((const char *) node->name, (const char *) first->name) != 0 ||
			(node->properties == NULL && FirstElement(node->children) == NULL))
			return false;
	return first != NULL;
}

/* Add the elements that the form's XPath finds */
static void
AddFound(Decoding *decoding, Document *document)
{
	xmlXPathObjectPtr volatile found = NULL;

	document->xpath->node = xmlDocGetRootElement(document->tree);
	found = xmlXPathEvalExpression((const xmlChar *) decoding->form->records, document->xpath);
	if (found == NULL || found->type != XPATH_NODESET)
	{
		if (found)
			xmlXPathFreeObject(found);
		DecodingReject(decoding, "invalid_xpath", psprintf("the records path \"%s\" of the form is no XPath to elements", decoding->form->records));
		return;
	}
	PG_TRY();
	{
		int			count = xmlXPathNodeSetGetLength(found->nodesetval);

		for (int i = 0; i < count; i++)
			if (found->nodesetval->nodeTab[i]->type == XML_ELEMENT_NODE)
				AddElement(decoding, document, found->nodesetval->nodeTab[i]);
	}
	PG_FINALLY();
	{
		xmlXPathFreeObject(found);
	}
	PG_END_TRY();
}

/* Find a pair by its exact name; NULL when there is none */
static const char *
PairValue(const ParsePairs *pairs, const char *name)
{
	for (int p = 0; p < pairs->count; p++)
		if (strcmp(pairs->items[p].name, name) == 0)
			return pairs->items[p].value;
	return NULL;
}

/* Read the person that an item names as its author */
static void
ReadAuthor(const Form *form, xmlNode *node, ParsePairs *pairs)
{
	ParseText	text = NodeText(node);
	ParseText	name = {0};
	ParseText	address = {0};

	for (xmlNode *child = FirstElement(node->children); child; child = FirstElement(child->next))
	{
		text = NodeText(child);
		if (IsNamed(child, "email"))
			AddUnlessBrought(form, pairs, FIELD_EMAIL, text.data);
		else if (IsNamed(child, "name"))
			AddUnlessBrought(form, pairs, FIELD_FULL_NAME, text.data);
	}
	if (FirstElement(node->children) == NULL && ParseAddress(text.data, text.len, &name, &address))
	{
		AddUnlessBrought(form, pairs, FIELD_EMAIL, address.data);
		AddUnlessBrought(form, pairs, FIELD_FULL_NAME, name.data);
	}
}

/* Add an item of a feed */
static void
AddItem(Decoding *decoding, xmlNode *item)
{
	static const char *const dates[] = {"pubDate", "published", "updated", "dc:date"};
	static const char *const ids[] = {"guid", "id", "link"};
	const Form *form = decoding->form;
	ParsePairs	pairs = {0};
	ParsePairs	said = {0};
	ParseText	words = {0};
	xmlNode    *author = NULL;
	char	   *id = NULL;

	CHECK_FOR_INTERRUPTS();
	for (xmlNode *node = FirstElement(item->children); node; node = FirstElement(node->next))
	{
		char	   *name = NodeName(node);
		ParseText	text = NodeText(node);

		if (IsNamed(node, "link") && text.len == 0)
			for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
				if (strcmp((const char *) attribute->name, "href") == 0)
					text = NodeText((const xmlNode *) attribute);
		if (IsNamed(node, "author"))
			author = node;
		if (strcmp(name, "comments") == 0)
			name = "comments_url";	/* of the page with comments, not what was said */
		if (strcmp(name, "description") == 0 || IsNamed(node, "encoded") || IsNamed(node, "content") || IsNamed(node, "summary"))
			{
			ParseText	shown = {0};

			ReadHtml(text.data, text.len, &said, &words, &shown);
		}
		ParsePairsAdd(&pairs, name, strlen(name), text.data, text.len);
	}
	for (int i = 0; i < lengthof(ids) && id == NULL; i++)
		if (PairValue(&pairs, ids[i]) && *PairValue(&pairs, ids[i]))
			id = ServerText(PairValue(&pairs, ids[i]), strlen(PairValue(&pairs, ids[i])));
	for (int p = 0; p < said.count; p++)
		ParsePairsAdd(&pairs, said.items[p].name, said.items[p].name_len, said.items[p].value, said.items[p].value_len);
	if (author)
		ReadAuthor(form, author, &pairs);
	AddUnlessBrought(form, &pairs, FIELD_FULL_NAME, PairValue(&pairs, "dc:creator"));
	AddUnlessBrought(form, &pairs, FIELD_URL, PairValue(&pairs, "link"));
	AddUnlessBrought(form, &pairs, FIELD_MESSAGE, words.data);
	for (int d = 0; d < lengthof(dates); d++)
	{
		const char *date = PairValue(&pairs, dates[d]);
		TimestampTz at;

		if (date && ReadTimestamp(date, &at))
			AddUnlessBrought(form, &pairs, FIELD_OCCURRED_AT, date);
	}
	DecodingAdd(decoding, PairsPayload(&pairs), id);
}

/* Add the items of a feed; false when the document is none */
static bool
AddFeed(Decoding *decoding, xmlNode *root)
{
	xmlNode    *list = root;
	const char *name = "item";

	if (IsNamed(root, "feed"))
		name = "entry";
	else if (IsNamed(root, "rss"))
	{
		list = FirstElement(root->children);
		while (list && !IsNamed(list, "channel"))
			list = FirstElement(list->next);
		if (list == NULL)
			return true;
	}
	else if (!IsNamed(root, "RDF"))
		return false;
	decoding->record->is_feed = true;
	for (xmlNode *node = FirstElement(list->children); node; node = FirstElement(node->next))
		if (IsNamed(node, name))
			AddItem(decoding, node);
	return true;
}

/* Add the records of a document: items of a feed, elements that the form's XPath finds, or those that repeat */
static void
AddRecords(Decoding *decoding, Document *document)
{
	const char *records = decoding->form->records;
	xmlNode    *root;

	if (!OpenDocument(decoding, document))
		return;
	root = xmlDocGetRootElement(document->tree);
	OpenXPath(document);
	if (!CompilePaths(decoding, document))
		return;
	if (records && !IsJsonPath(records))
		AddFound(decoding, document);
	else if (AddFeed(decoding, root))
		return;
	else if (HoldsRecords(root))
		for (xmlNode *node = FirstElement(root->children); node; node = FirstElement(node->next))
			AddElement(decoding, document, node);
	else
		AddElement(decoding, document, root);
}

/* An XML document, given back with the memory context that it is read in */
void
DecodeXml(Decoding *decoding)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt XML document", ALLOCSET_SMALL_SIZES);
	Document   *document = MemoryContextAllocZero(context, sizeof(Document));

	document->cleanup.func = CloseDocument;
	document->cleanup.arg = document;
	MemoryContextRegisterResetCallback(context, &document->cleanup);
	AddRecords(decoding, document);
	MemoryContextDelete(context);
}

/* Is this element of a kind that begins a line? */
static bool
BeginsLine(const xmlNode *node)
{
	static const char *const names[] = {
		"p", "div", "br", "tr", "li", "ul", "ol", "dl", "dt", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre",
		"blockquote", "section", "article", "body"
	};

	for (int n = 0; n < lengthof(names); n++)
		if (IsNamed(node, names[n]))
			return true;
	return false;
}

/* Is this a row of two cells, of which the first is a key? */
static bool
IsPairRow(xmlNode *row)
{
	int			cells = 0;

	if (!IsNamed(row, "tr"))
		return false;
	for (xmlNode *cell = FirstElement(row->children); cell; cell = FirstElement(cell->next))
		cells++;
	return cells == 2;
}

/* Append text with runs of blanks made one, as a browser would show it */
static void
AppendShown(ParseText *text, const char *data, const char *line_end)
{
	for (; *data; data++)
	{
		bool		is_blank = strchr(" \t\r\n", *data) != NULL;

		if (is_blank && (text->len == 0 || strchr(" \n", text->data[text->len - 1])))
			continue;
		ParseTextAppend(text, is_blank ? " " : data, 1);
	}
	if (line_end)
		ParseTextAppend(text, line_end, strlen(line_end));
}

/* Write what HTML shows as lines of text, rows of two cells as "key: value" */
static void
WriteHtml(xmlNode *top, ParseText *text)
{
	xmlNode    *node = top;
	bool		in_cell = false;	/* the second of a row of two */

	while (node)
	{
		bool		is_skipped = IsNamed(node, "script") || IsNamed(node, "style") || IsNamed(node, "head");

		if (node->type == XML_TEXT_NODE && node->content)
			AppendShown(text, (const char *) node->content, NULL);
		else if (BeginsLine(node) && text->len > 0)
			ParseTextAppend(text, in_cell ? "\n  " : "\n", in_cell ? 3 : 1);
		else if (IsNamed(node, "td") || IsNamed(node, "th") || IsNamed(node, "dd"))
		{
			bool		is_pair = IsNamed(node, "dd") || (node->parent && IsPairRow(node->parent));
			bool		is_second = IsNamed(node, "dd") || FirstElement(node->next) == NULL;

			in_cell = is_pair && is_second;
			if (in_cell)
			{
				while (text->len > 0 && strchr(" \n:", text->data[text->len - 1]))
					text->len--;
				ParseTextAppend(text, ": ", 2);
			}
			else if (text->len > 0 && text->data[text->len - 1] != '\n')
				ParseTextAppend(text, " ", 1);
		}
		if (node->children && node->type == XML_ELEMENT_NODE && !is_skipped)
		{
			node = node->children;
			continue;
		}
		while (node != top && node->next == NULL)
		{
			node = node->parent;
			if (IsNamed(node, "tr") || IsNamed(node, "dl"))
				in_cell = false;
			if (BeginsLine(node))
				ParseTextAppend(text, in_cell ? "\n  " : "\n", in_cell ? 3 : 1);
		}
		if (node == top)
			break;
		node = node->next;
	}
	ParseTextAppend(text, "\n", 1);
}

/* Read HTML in UTF-8: what it shows as lines, the pairs in them, and the text beside those */
void
ReadHtml(const char *data, size_t len, ParsePairs *pairs, ParseText *beside, ParseText *shown)
{
	htmlDocPtr volatile tree = NULL;

	if (memchr(data, '<', len) == NULL)
	{
		ParseTextAppend(shown, data, len);
		ParseLines(data, len, pairs, beside);
		return;
	}
	PG_TRY();
	{
		xmlNode    *root;

		tree = htmlReadMemory(data, len, NULL, "UTF-8",
							  HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
		root = tree ? xmlDocGetRootElement(tree) : NULL;
		if (root)
			WriteHtml(root, shown);
	}
	PG_FINALLY();
	{
		if (tree)
			xmlFreeDoc(tree);
	}
	PG_END_TRY();
	ParseTextAppend(shown, "", 0);
	ParseLines(shown->data, shown->len, pairs, beside);
}
