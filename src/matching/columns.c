/*
 * What the columns of a table hold.
 *
 * The name of a column says most, in whichever of the usual ways it is written.
 * Where it says nothing, the values do: addresses of mailboxes and hosts,
 * numbers of phones, dates, legal forms of companies and usual given names are
 * told by their form.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "matching/columns.h"
#include "matching/dictionary.h"
#include "normalise/normalise.h"
#include "normalise/words.h"
#include "utils/lsyscache.h"

/* Longest values that are worth comparing, on average, in bytes */
#define LONG_TEXT 80

/* Share of values that must be of a form for a column to be of it */
#define MOST 0.8
#define NEARLY_ALL 0.95

/* Share of names that say that they are of organisations, where some are */
#define SOME_ORGANISATIONS 0.1

/* Share of whole names of persons in which a usual given name is known, at least */
#define KNOWN_NAMES 0.3
#define FEW_KNOWN_NAMES 0.2

/* Persons, for an organisation, in records of persons at least */
#define LEAST_PERSONS 0.5

/*
 * Words in names of columns, in the order in which they are tried, written
 * together.  Those between underscores must stand alone, those after an equals
 * sign be the whole name; others may be part of a longer word.
 */
static const struct
{
	const char *word;
	FieldKind	kind;
}			column_words[] = {
	{"email", KIND_EMAIL}, {"_mail_", KIND_EMAIL}, {"courriel", KIND_EMAIL}, {"correo", KIND_EMAIL},
	{"phone", KIND_PHONE}, {"mobile", KIND_PHONE}, {"_mobil_", KIND_PHONE}, {"telefon", KIND_PHONE},
	{"telephone", KIND_PHONE}, {"_tel_", KIND_PHONE}, {"_cell_", KIND_PHONE}, {"_fax_", KIND_PHONE},
	{"_handy_", KIND_PHONE}, {"_gsm_", KIND_PHONE}, {"whatsapp", KIND_PHONE}, {"movil", KIND_PHONE},
	{"celular", KIND_PHONE}, {"dienthoai", KIND_PHONE}, {"_sdt_", KIND_PHONE}, {"_dob_", KIND_DATE},
	{"_bday_", KIND_DATE}, {"birth", KIND_DATE}, {"_born_", KIND_DATE}, {"geburt", KIND_DATE},
	{"naissance", KIND_DATE}, {"nacimiento", KIND_DATE}, {"nascita", KIND_DATE}, {"ngaysinh", KIND_DATE},
	{"fullname", KIND_FULL_NAME}, {"contactname", KIND_FULL_NAME}, {"personname", KIND_FULL_NAME},
	{"customername", KIND_FULL_NAME}, {"hoten", KIND_FULL_NAME}, {"hovaten", KIND_FULL_NAME},
	{"_person_", KIND_FULL_NAME}, {"=contact", KIND_FULL_NAME}, {"firstname", KIND_GIVEN_NAME},
	{"_fname_", KIND_GIVEN_NAME}, {"given", KIND_GIVEN_NAME}, {"forename", KIND_GIVEN_NAME},
	{"vorname", KIND_GIVEN_NAME}, {"prenom", KIND_GIVEN_NAME}, {"voornaam", KIND_GIVEN_NAME},
	{"=first", KIND_GIVEN_NAME}, {"=nombre", KIND_GIVEN_NAME}, {"lastname", KIND_FAMILY_NAME},
	{"_lname_", KIND_FAMILY_NAME}, {"surname", KIND_FAMILY_NAME}, {"_sname_", KIND_FAMILY_NAME},
	{"family", KIND_FAMILY_NAME}, {"nachname", KIND_FAMILY_NAME}, {"apellido", KIND_FAMILY_NAME},
	{"cognome", KIND_FAMILY_NAME}, {"achternaam", KIND_FAMILY_NAME}, {"=last", KIND_FAMILY_NAME},
	{"=nom", KIND_FAMILY_NAME}, {"website", KIND_WEBSITE}, {"homepage", KIND_WEBSITE}, {"webpage", KIND_WEBSITE},
	{"_url_", KIND_WEBSITE}, {"domain", KIND_WEBSITE}, {"_web_", KIND_WEBSITE}, {"taxid", KIND_IDENTIFIER},
	{"taxnumber", KIND_IDENTIFIER}, {"nationalid", KIND_IDENTIFIER}, {"companynumber", KIND_IDENTIFIER},
	{"_company_no_", KIND_IDENTIFIER}, {"registrationnumber", KIND_IDENTIFIER}, {"vatnumber", KIND_IDENTIFIER},
	{"jobtitle", KIND_TEXT}, {"middle", KIND_TEXT}, {"username", KIND_TEXT}, {"nickname", KIND_TEXT},
	{"company", KIND_ORGANISATION}, {"companies", KIND_ORGANISATION},
	{"organisation", KIND_ORGANISATION}, {"organization", KIND_ORGANISATION}, {"employer", KIND_ORGANISATION},
	{"business", KIND_ORGANISATION}, {"_firm_", KIND_ORGANISATION}, {"firma", KIND_ORGANISATION},
	{"empresa", KIND_ORGANISATION}, {"societe", KIND_ORGANISATION}, {"entreprise", KIND_ORGANISATION},
	{"unternehmen", KIND_ORGANISATION}, {"azienda", KIND_ORGANISATION}, {"congty", KIND_ORGANISATION},
	{"vendor", KIND_ORGANISATION}, {"supplier", KIND_ORGANISATION}, {"accountname", KIND_ORGANISATION},
	{"=account", KIND_ORGANISATION}, {"_org_", KIND_ORGANISATION}, {"orgname", KIND_ORGANISATION},
	{"legalname", KIND_ORGANISATION}, {"tradename", KIND_ORGANISATION}, {"postcode", KIND_POSTCODE},
	{"postal", KIND_POSTCODE}, {"_zip_", KIND_POSTCODE}, {"zipcode", KIND_POSTCODE}, {"_plz_", KIND_POSTCODE},
	{"postleitzahl", KIND_POSTCODE}, {"eircode", KIND_POSTCODE}, {"pincode", KIND_POSTCODE},
	{"streetnumber", KIND_CATEGORY}, {"_street_no_", KIND_CATEGORY}, {"_house_", KIND_CATEGORY}, {"housenumber", KIND_CATEGORY}, {"hausnummer", KIND_CATEGORY},
	{"street", KIND_ADDRESS}, {"address", KIND_ADDRESS}, {"_addr_", KIND_ADDRESS}, {"strasse", KIND_ADDRESS},
	{"adresse", KIND_ADDRESS}, {"direccion", KIND_ADDRESS}, {"diachi", KIND_ADDRESS}, {"_city_", KIND_TEXT},
	{"_town_", KIND_TEXT}, {"suburb", KIND_TEXT}, {"locality", KIND_TEXT}, {"_stadt_", KIND_TEXT},
	{"_ville_", KIND_TEXT}, {"ciudad", KIND_TEXT}, {"district", KIND_TEXT}, {"thanhpho", KIND_TEXT},
	{"_state_", KIND_CATEGORY}, {"region", KIND_CATEGORY}, {"province", KIND_CATEGORY}, {"_county_", KIND_CATEGORY},
	{"country", KIND_CATEGORY}, {"gender", KIND_CATEGORY}, {"_sex_", KIND_CATEGORY}, {"language", KIND_CATEGORY},
	{"nationality", KIND_CATEGORY}, {"_ssn_", KIND_IDENTIFIER}, {"socsec", KIND_IDENTIFIER},
	{"socialsecurity", KIND_IDENTIFIER}, {"_tax_", KIND_IDENTIFIER}, {"_vat_", KIND_IDENTIFIER},
	{"_ustid_", KIND_IDENTIFIER}, {"passport", KIND_IDENTIFIER}, {"medicare", KIND_IDENTIFIER},
	{"licence", KIND_IDENTIFIER}, {"license", KIND_IDENTIFIER}, {"_duns_", KIND_IDENTIFIER},
	{"_siren_", KIND_IDENTIFIER}, {"_siret_", KIND_IDENTIFIER}, {"_lei_", KIND_IDENTIFIER},
	{"_ein_", KIND_IDENTIFIER}, {"_tin_", KIND_IDENTIFIER}, {"_abn_", KIND_IDENTIFIER}, {"_nif_", KIND_IDENTIFIER},
	{"_cif_", KIND_IDENTIFIER}, {"_cpf_", KIND_IDENTIFIER}, {"_cnpj_", KIND_IDENTIFIER}, {"_mst_", KIND_IDENTIFIER},
	{"_cccd_", KIND_IDENTIFIER}, {"_cmnd_", KIND_IDENTIFIER}, {"idnumber", KIND_IDENTIFIER},
	{"_idno_", KIND_IDENTIFIER}
};

/* Words of columns that only records of persons have */
static const char *const person_words[] = {
	"birth", "_dob_", "_age_", "gender", "_sex_", "salutation", "marital", "occupation", "jobtitle", "_job_", "nationality",
	"passport", "_ssn_", "socialsecurity", "student", "patient", "employee", "geburt", "naissance", "nacimiento", "nascita",
	"ngaysinh", "gioitinh"
};

/*
 * Words that names of organisations are made of and names of persons are not,
 * folded, by language: English, German, French, Spanish and Portuguese,
 * Italian, Dutch, Polish and Vietnamese.
 */
static const char organisation_words[] =
	"academy agency airlines airways apartments associates association authority bakery bank bistro board "
	"brewery brothers builders cafe campus capital catering center centers centre centres charities charity "
	"church clinic club college committee communications community companies company construction consultants "
	"consulting contractors corporate council county creations deli department design designs development diner "
	"digital distribution distributors electric electronics energy engineering enterprise enterprises equipment "
	"express federation financial fitness florist foods foundation furniture gallery garage global grill group "
	"grocery hardware healthcare holding holdings homes hospital hotel industrial industries inn institute "
	"insurance international investment investments jewelers kindergarten laboratories laboratory labs laundry "
	"league library logistics machinery management manufacturing marketing materials mechanical media medical "
	"ministry mortgage motel motors museum nails network networks nursery office optical organization "
	"organisation parish partners partnership pharmaceuticals pharmacy photography pizza pizzeria plumbing power "
	"preschool press printing products productions project properties pub publishing realty recruitment rentals "
	"repair research resort resources restaurant roofing saloon salon school sciences security service services "
	"shipping shoes shop society software solutions spa stores studio studios supplies supply surgery systems "
	"tavern technologies technology telecom theater theatre tire tours trade trading transport travel trust "
	"union university utilities ventures village wholesale works workshop yoga ymca amt apotheke autohaus "
	"backerei bau behorde bund druckerei gasthof gemeinde gesellschaft gruppe handel hochschule klinik "
	"krankenhaus metzgerei praxis schule spedition stadt stadtwerke stiftung universitat verband verein verlag "
	"versicherung werkstatt zahnarztpraxis assurances atelier banque boulangerie cabinet clinique commune ecole "
	"editions entreprise etablissements fondation groupe hopital librairie mairie pharmacie societe syndicat "
	"transports universite academia asociacion associacao ayuntamiento banco clinica colegio comercial "
	"construcciones cooperativa distribuidora editora empresa escola escuela farmacia fundacao fundacion grupo "
	"industrias industria instituto inmobiliaria prefeitura restaurante servicios servicos sociedad talleres "
	"tienda transportes universidad universidade azienda banca comune consorzio costruzioni fondazione gruppo "
	"officina ospedale ristorante scuola servizi societa universita apotheek bakkerij bedrijf bouw gemeente "
	"groep handelsonderneming makelaardij stichting vereniging ziekenhuis apteka fundacja przedsiebiorstwo "
	"spoldzielnia szkola uniwersytet urzad zaklad ";

/* Words of two syllables that they begin with */
static const char *const organisation_beginnings[] = {
	"cong ty ", "ngan hang ", "benh vien ", "tap doan ", "trung tam ", "cua hang ", "nha hang ", "khach san "
};

/* Bring the name of a column to small letters, its words set off by underscores, and written together */
static void
ColumnWords(const char *name, StringInfo apart, StringInfo together)
{
	StringInfoData split;
	StringInfoData folded;

	initStringInfo(&split);
	initStringInfo(&folded);
	for (const char *c = name; *c; c++)
	{
		if (c > name && *c >= 'A' && *c <= 'Z' && c[-1] >= 'a' && c[-1] <= 'z')
			appendStringInfoChar(&split, ' ');
		appendStringInfoChar(&split, *c == '_' || *c == '-' || *c == '.' ? ' ' : *c);
	}
	FoldText(&folded, split.data, split.len);
	appendStringInfoChar(apart, '_');
	for (const char *c = folded.data; *c; c++)
	{
		bool		is_part = IS_HIGHBIT_SET(*c) || (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');

		/* What is numbered is of the kind of what is not: address1, phone2 */
		if (*c >= '0' && *c <= '9' && c > folded.data && c[-1] >= 'a' && c[-1] <= 'z')
			appendStringInfoChar(apart, '_');
		appendStringInfoChar(apart, is_part ? *c : '_');
		if (is_part)
			appendStringInfoChar(together, *c);
	}
	appendStringInfoChar(apart, '_');
	pfree(split.data);
	pfree(folded.data);
}

/* Decide by the name of a column what it holds */
static bool
KindByName(Column *column)
{
	StringInfoData apart;
	StringInfoData together;
	bool		found = false;
	bool		has_given = false;
	bool		has_family = false;

	initStringInfo(&apart);
	initStringInfo(&together);
	ColumnWords(column->name, &apart, &together);
	for (int w = 0; w < lengthof(column_words); w++)
	{
		const char *word = column_words[w].word;
		FieldKind	kind = column_words[w].kind;

		if (*word == '=' ? strcmp(together.data, word + 1) != 0 :
			strstr(*word == '_' ? apart.data : together.data, word) == NULL)
			continue;
		has_given |= kind == KIND_GIVEN_NAME;
		has_family |= kind == KIND_FAMILY_NAME;
		if (!found)
			column->kind = kind;
		found = true;
	}
	/* Both together, as in first_and_surname, are a whole name */
	has_given |= strstr(apart.data, "_first_") != NULL;
	has_family |= strstr(apart.data, "_last_") != NULL;
	if (found && has_given && has_family)
		column->kind = KIND_FULL_NAME;
	return found;
}

/* Decide by the values of a column what it holds; false when they say nothing */
static bool
KindByValues(Column *column)
{
	double		most = column->given * MOST;

	if (column->dates > most)
		column->kind = KIND_DATE;
	else if (column->emails > most)
		column->kind = KIND_EMAIL;
	else if (column->hosts > most)
		column->kind = KIND_WEBSITE;
	else if (column->phones > most && column->bytes >= 9)
		column->kind = KIND_PHONE;
	else if (column->legal_forms > column->given * 0.05 ||
			 (column->organisations > column->given * SOME_ORGANISATIONS && column->words >= 1.5 &&
			  column->distinct > Min(30, column->given * 0.3)))
		column->kind = KIND_ORGANISATION;
	else if (column->letters_only > column->given * NEARLY_ALL && column->words >= 1.5 &&
			 column->given_names > column->given * KNOWN_NAMES)
		column->kind = KIND_FULL_NAME;
	else if (column->letters_only > column->given * NEARLY_ALL && column->words < 1.5 &&
			 column->given_names > column->given * 0.4)
		column->kind = KIND_GIVEN_NAME;
	else if (column->streets > most && column->distinct > column->given * 0.3)
		column->kind = KIND_ADDRESS;
	else if (column->digits >= 0.5 && column->words < 1.5 && column->bytes >= 4 && column->bytes <= 7 &&
			 column->distinct > 30)
		column->kind = KIND_POSTCODE;
	else if (column->digits >= 0.5 && column->bytes >= 8 && column->distinct > column->given * 0.3 &&
			 column->distinct < column->given)
		column->kind = KIND_IDENTIFIER;
	else
		return false;
	return true;
}

/* Can a column of its type and values hold what its name says? */
static bool
FitsType(const Column *column)
{
	switch (getBaseType(column->type))
	{
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return column->kind == KIND_DATE;
		case BOOLOID:
			return false;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			return column->kind == KIND_IDENTIFIER || column->kind == KIND_PHONE || column->kind == KIND_POSTCODE ||
				column->kind == KIND_CATEGORY || (column->kind == KIND_DATE && column->dates > column->given * MOST);
		default:
			return column->kind != KIND_DATE || column->dates > column->given / 2 || column->digits >= 0.5;
	}
}

/* Decide what a column holds; false when it is not worth comparing */
bool
ColumnDecide(Column *column, int rows)
{
	if (column->given * 100 < rows || column->distinct < 2)
		return false;
	column->is_named = KindByName(column) && FitsType(column);
	if (column->is_named && column->kind != KIND_DATE)
		return column->kind != KIND_TEXT || column->bytes <= LONG_TEXT;
	switch (getBaseType(column->type))
	{
		case DATEOID:
			column->kind = KIND_DATE;
			return true;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			column->kind = KIND_DATE;
			return column->is_named;
		case BOOLOID:
			column->kind = KIND_CATEGORY;
			return true;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			column->kind = KIND_NUMBER;
			return column->distinct < column->given;
	}
	if (column->bytes > LONG_TEXT)
		return false;
	if (column->is_named || KindByValues(column))
		return true;
	if (strstr(column->name, "name") && column->letters_only > column->given * MOST)
	{
		column->kind = KIND_FULL_NAME;
		column->is_doubtful = column->given_names < column->given * FEW_KNOWN_NAMES;
	}
	else if (column->distinct <= 30)
		column->kind = KIND_CATEGORY;
	else if (column->distinct == column->given && column->given > 100)
		return false;
	else
		column->kind = KIND_TEXT;
	return true;
}

/*
 * Where given names were found by their values, the nameless column next to
 * them that holds single words, and more of them, is that of family names.
 */
void
ColumnsFindFamilyNames(Column *columns, int count)
{
	for (int i = 0; i < count; i++)
		if (columns[i].is_known && columns[i].kind == KIND_FAMILY_NAME)
			return;
	for (int i = 0; i < count; i++)
	{
		if (!columns[i].is_known || columns[i].is_named || columns[i].kind != KIND_GIVEN_NAME)
			continue;
		for (int side = 1; side >= -1; side -= 2)
		{
			Column	   *next = &columns[i + side];

			if (i + side < 0 || i + side >= count || !next->is_known || next->is_named || next->kind != KIND_TEXT ||
				next->words >= 1.5 || next->letters_only < next->given * NEARLY_ALL ||
				next->distinct < next->given * 0.1)
				continue;
			next->kind = KIND_FAMILY_NAME;
			return;
		}
	}
}

/* Does a column hold names of persons, or parts of them? */
static bool
HoldsPersons(const Column *column)
{
	return column->is_known && (column->kind == KIND_GIVEN_NAME || column->kind == KIND_FAMILY_NAME ||
								column->kind == KIND_FULL_NAME);
}

/* Does the name of a column say that records are of persons? */
static bool
SpeaksOfPersons(const Column *column)
{
	StringInfoData apart;
	StringInfoData together;

	initStringInfo(&apart);
	initStringInfo(&together);
	ColumnWords(column->name, &apart, &together);
	for (int w = 0; w < lengthof(person_words); w++)
		if (strstr(*person_words[w] == '_' ? apart.data : together.data, person_words[w]))
			return true;
	return false;
}

/*
 * Tell records of organisations from those of persons.  Where only few records
 * of organisations name a person, it is somebody to ask for.  Where few of the
 * names in a column are known as those of persons, and no other column speaks
 * of persons, they are those of organisations.
 */
void
ColumnsFindOrganisations(Column *columns, int count)
{
	bool		of_persons = false;
	int			organisations = 0;

	for (int i = 0; i < count; i++)
		if (columns[i].is_known && columns[i].kind == KIND_ORGANISATION)
			organisations = Max(organisations, columns[i].given);
	for (int i = 0; i < count; i++)
	{
		if (HoldsPersons(&columns[i]) && columns[i].given < organisations * LEAST_PERSONS)
			columns[i].kind = KIND_TEXT;
		of_persons |= SpeaksOfPersons(&columns[i]) || (HoldsPersons(&columns[i]) && !columns[i].is_doubtful);
	}
	for (int i = 0; i < count && !of_persons; i++)
		if (HoldsPersons(&columns[i]) && columns[i].is_doubtful)
			columns[i].kind = KIND_ORGANISATION;
}

/* Get how many fields a model has for a column, and how many comparisons */
static void
CountFields(const Column *column, int *fields, int *comparisons)
{
	*comparisons += column->kind == KIND_FULL_NAME ? 2 : 1;
	*fields += column->kind == KIND_FULL_NAME ? 2 : column->kind == KIND_EMAIL ? 3 : 1;
}

/* Get how much a column is likely to tell of whose record it is */
static double
ColumnWorth(const Column *column)
{
	static const double by_kind[KIND_COUNT] = {
		[KIND_GIVEN_NAME] = 8,[KIND_FAMILY_NAME] = 9,[KIND_FULL_NAME] = 9,[KIND_ORGANISATION] = 6,[KIND_EMAIL] = 6,
		[KIND_WEBSITE] = 4,[KIND_PHONE] = 5,[KIND_DATE] = 4,[KIND_ADDRESS] = 5,[KIND_POSTCODE] = 3,[KIND_TEXT] = 1,
		[KIND_CATEGORY] = 0.3,[KIND_IDENTIFIER] = 3,[KIND_NUMBER] = 0.5
	};

	return by_kind[column->kind] * column->given;
}

/* Leave out the columns that tell least, until a model has room for the others */
void
ColumnsKeepBest(Column *columns, int count)
{
	for (;;)
	{
		Column	   *least = NULL;
		int			fields = 0;
		int			comparisons = 0;

		for (int i = 0; i < count; i++)
			if (columns[i].is_known)
			{
				CountFields(&columns[i], &fields, &comparisons);
				if (least == NULL || ColumnWorth(&columns[i]) < ColumnWorth(least))
					least = &columns[i];
			}
		if (fields <= MODEL_MAX_FIELDS && comparisons <= MODEL_MAX_COMPARISONS)
			return;
		least->is_known = false;
	}
}

/* Order texts */
static int
CompareTexts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Does a folded text hold a usual given name? */
static bool
HasGivenName(const char *text)
{
	uint16		group;

	while (*text)
	{
		int			len = strcspn(text, " -");

		if (len > 1 && GivenNameGroups(text, len, &group, 1) > 0)
			return true;
		text += len;
		text += strspn(text, " -");
	}
	return false;
}

/* Get the table of words that names of organisations are made of */
static const WordTable *
OrganisationWords(void)
{
	static WordTable table;
	static bool is_built = false;

	if (!is_built)
	{
		InitWordTable(&table, 1024);
		for (const char *word = organisation_words; *word;)
		{
			int			len = strcspn(word, " ");

			SetInWordTable(&table, word, len, 0);
			word += len;
			word += strspn(word, " ");
		}
		is_built = true;
	}
	return &table;
}

/* Does a folded text hold a word that names of organisations are made of? */
static bool
HasOrganisationWord(const char *text)
{
	const WordTable *words = OrganisationWords();

	for (int i = 0; i < lengthof(organisation_beginnings); i++)
		if (strncmp(text, organisation_beginnings[i], strlen(organisation_beginnings[i])) == 0)
			return true;
	for (const char *word = text; *word; word += strspn(word, " -,.&/()'"))
	{
		int			len = strcspn(word, " -,.&/()'");

		if (len > 0 && FindInWordTable(words, word, len) >= 0)
			return true;
		word += len;
	}
	return false;
}

/* Is the text the name of a host, or where one begins? */
static bool
IsHost(const char *text, int len)
{
	const char *dot = strrchr(text, '.');

	return dot != NULL && dot > text && dot[1] != '\0' && strcspn(text, " @,;") == len &&
		(strstr(text, "://") != NULL || pg_strncasecmp(text, "www.", 4) == 0 ||
		 strspn(dot + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/") == strlen(dot + 1));
}

/* Look at one value of a column */
static void
LookAtValue(Column *column, const char *text, int len, StringInfo scratch)
{
	int			digits = 0;
	int			letters = 0;
	int			words = 0;
	int			year,
				month,
				day;

	for (int i = 0; i < len; i++)
	{
		digits += text[i] >= '0' && text[i] <= '9';
		letters += IS_HIGHBIT_SET(text[i]) || (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
		words += text[i] != ' ' && (i == 0 || text[i - 1] == ' ');
	}
	column->digits += (double) digits / len;
	column->words += words;
	column->letters_only += letters > 0 && strpbrk(text, "0123456789@/:;#&()") == NULL;
	column->emails += strchr(text, '@') != NULL;
	column->hosts += IsHost(text, len);
	column->dates += len >= 8 && len <= 10 && digits >= 6 && ParseCalendarDate(text, len, &year, &month, &day);
	column->phones += digits >= 7 && strspn(text, "+0123456789 ()-./") == len;
	column->streets += digits > 0 && digits <= 6 && letters >= 5 && words >= 2;
	resetStringInfo(scratch);
	column->legal_forms += OrganisationLegalForm(scratch, text, len);
	resetStringInfo(scratch);
	FoldText(scratch, text, len);
	column->given_names += HasGivenName(scratch->data);
	column->organisations += HasOrganisationWord(scratch->data);
}

/* Look at the values of a column of the rows that were read */
void
ColumnLookAt(Column *column, int number, StringInfo scratch)
{
	char	  **values = palloc(sizeof(char *) * Max(SPI_processed, 1));
	int			looked_at = 0;

	for (uint64 r = 0; r < SPI_processed; r++)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, number);
		int			len = text ? strlen(text) : 0;

		if (len == 0)
			continue;
		values[column->given++] = text;
		column->bytes += len;
		if (len > LONG_TEXT * 4)
			continue;
		LookAtValue(column, text, len, scratch);
		looked_at++;
	}
	column->bytes /= Max(column->given, 1);
	column->words /= Max(looked_at, 1);
	column->digits /= Max(looked_at, 1);
	qsort(values, column->given, sizeof(char *), CompareTexts);
	for (int i = 0; i < column->given; i++)
		column->distinct += i == 0 || strcmp(values[i], values[i - 1]) != 0;
	pfree(values);
}
