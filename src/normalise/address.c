/*
 * The key of a street address: folded words, abbreviations spelled out, the
 * names for kinds of units made one, numbers as they are.
 *
 * An address does not say which language it is in, so abbreviations of several
 * languages share one table, and words that mean the same thing in two of them
 * (st, str, Straße, straat) one spelling. What an abbreviation means beyond
 * that depends on its neighbours: st before a name is a saint, after one a
 * street; d, q and p are street, district and ward where Vietnamese addresses
 * have them, and letters elsewhere.
 */
#include "postgres.h"

#include "fmgr.h"
#include "normalise/normalise.h"
#include "normalise/words.h"
#include "utils/builtins.h"

/* What a word of an address is */
typedef enum AddressKind
{
	ADDRESS_NAME,
	ADDRESS_STREET,				/* kind of street */
	ADDRESS_UNIT,				/* flat, suite */
	ADDRESS_COUNTED,			/* means that next to a number only */
	ADDRESS_DIRECTION,
	ADDRESS_NUMBER				/* "number", left out before one */
} AddressKind;

typedef struct AddressWord
{
	AddressKind kind;
	const char *to;
	const char *from;
} AddressWord;

static const AddressWord addressWords[] = {
	{ADDRESS_STREET, "street", "st str street streets strasse straat"},
	{ADDRESS_STREET, "avenue", "av ave aven avenu avn avnue avenida avda avenue"},
	{ADDRESS_STREET, "boulevard", "blvd boul boulv bld bvd bd bulvar bulevar boulevard"},
	{ADDRESS_STREET, "road", "rd road"},
	{ADDRESS_STREET, "drive", "dr drv drive"},
	{ADDRESS_STREET, "lane", "ln lane"},
	{ADDRESS_STREET, "court", "ct crt court"},
	{ADDRESS_STREET, "circle", "cir circ crcl circle"},
	{ADDRESS_STREET, "circuit", "cct crct circuit"},
	{ADDRESS_STREET, "crescent", "cres crsnt crs cr crescent"},
	{ADDRESS_STREET, "close", "cl clo close"},
	{ADDRESS_STREET, "terrace", "terr tce terrace"},
	{ADDRESS_STREET, "place", "pl plc place"},
	{ADDRESS_STREET, "plaza", "plz plza pza plaza"},
	{ADDRESS_STREET, "piazza", "pzza piazza"},
	{ADDRESS_STREET, "square", "sq sqr squ square"},
	{ADDRESS_STREET, "parade", "pde parade"},
	{ADDRESS_STREET, "parkway", "pkwy pky parkwy pkway pwy parkway"},
	{ADDRESS_STREET, "highway", "hwy hiway hiwy highwy hway highway"},
	{ADDRESS_STREET, "freeway", "fwy frwy freeway"},
	{ADDRESS_STREET, "expressway", "expy expwy expressway"},
	{ADDRESS_STREET, "turnpike", "tpke trnpk turnpike"},
	{ADDRESS_STREET, "trail", "trl trail"},
	{ADDRESS_STREET, "way", "wy way"},
	{ADDRESS_STREET, "alley", "aly ally alley"},
	{ADDRESS_STREET, "grove", "grv grov grove"},
	{ADDRESS_STREET, "gardens", "gdn gdns grdns garden gardens"},
	{ADDRESS_STREET, "loop", "lp loop"},
	{ADDRESS_STREET, "mews", "mws mews"},
	{ADDRESS_STREET, "esplanade", "esplanade espl"},
	{ADDRESS_STREET, "promenade", "prom promenade"},
	{ADDRESS_STREET, "quay", "qy quay"},
	{ADDRESS_STREET, "row", "row"},
	{ADDRESS_STREET, "crossing", "xing crssng crossing"},
	{ADDRESS_STREET, "route", "rte route"},
	{ADDRESS_STREET, "chemin", "chem ch chemin"},
	{ADDRESS_STREET, "impasse", "imp impasse"},
	{ADDRESS_STREET, "allee", "allee"},
	{ADDRESS_STREET, "faubourg", "fg fbg faubourg"},
	{ADDRESS_STREET, "calle", "calle"},
	{ADDRESS_STREET, "carretera", "ctra carr carretera"},
	{ADDRESS_STREET, "paseo", "pso paseo"},
	{ADDRESS_STREET, "camino", "cno camino"},
	{ADDRESS_STREET, "viale", "vle viale"},
	{ADDRESS_STREET, "corso", "cso corso"},
	{ADDRESS_STREET, "rua", "rua"},
	{ADDRESS_STREET, "travessa", "tv trav travessa"},
	{ADDRESS_STREET, "rodovia", "rod rodovia"},
	{ADDRESS_STREET, "estrada", "estr estrada"},
	{ADDRESS_STREET, "gate", "gt gate"},
	{ADDRESS_STREET, "vei", "vn veg vei vej"},
	{ADDRESS_STREET, "ulica", "ul ulica ulitsa ул улица"},
	{ADDRESS_STREET, "prospekt", "prosp prospekt пр просп проспект"},
	{ADDRESS_STREET, "duong", "duong"},
	{ADDRESS_UNIT, "unit", "unit units apt apts apartment apartments appt appartement apto suite ste flat room rm wohnung whg departamento depto dpto oficina office"},
	{ADDRESS_UNIT, "block", "blk block"},
	{ADDRESS_UNIT, "lot", "lot"},
	{ADDRESS_UNIT, "kvartira", "кв квартира"},
	{ADDRESS_UNIT, "building", "bldg building gebaude edificio edif batiment bat toa"},
	{ADDRESS_COUNTED, "floor", "fl flr floor etage stock piso andar tang lau planta verdieping"},
	{ADDRESS_COUNTED, "unit", "phong local bureau dept"},
	{ADDRESS_COUNTED, "level", "lvl level"},
	{ADDRESS_COUNTED, "dom", "дом д"},
	{ADDRESS_COUNTED, "building", "nha"},
	{ADDRESS_DIRECTION, "north", "n north nord norte"},
	{ADDRESS_DIRECTION, "south", "s south sud sur"},
	{ADDRESS_DIRECTION, "east", "e east"},
	{ADDRESS_DIRECTION, "west", "w west ouest oeste"},
	{ADDRESS_DIRECTION, "north east", "ne northeast"},
	{ADDRESS_DIRECTION, "north west", "nw northwest"},
	{ADDRESS_DIRECTION, "south east", "se southeast"},
	{ADDRESS_DIRECTION, "south west", "sw southwest"},
	{ADDRESS_NUMBER, "", "no nr num numero number nbr so"},
	{ADDRESS_NAME, "green", "grn"},
	{ADDRESS_NAME, "heights", "hts ht"},
	{ADDRESS_NAME, "hill", "hl"},
	{ADDRESS_NAME, "junction", "jct jnc"},
	{ADDRESS_NAME, "mount", "mt"},
	{ADDRESS_NAME, "mountain", "mtn"},
	{ADDRESS_NAME, "ridge", "rdg"},
	{ADDRESS_NAME, "rise", "rse"},
	{ADDRESS_NAME, "view", "vw"},
	{ADDRESS_NAME, "valley", "vly vall"},
	{ADDRESS_NAME, "village", "vlge vill vlg"},
	{ADDRESS_NAME, "bridge", "brg"},
	{ADDRESS_NAME, "center", "ctr cntr cent centre"},
	{ADDRESS_NAME, "estate", "est"},
	{ADDRESS_NAME, "park", "pk prk"},
	{ADDRESS_NAME, "house", "hse"},
	{ADDRESS_NAME, "tower", "twr"},
	{ADDRESS_NAME, "basement", "bsmt"},
	{ADDRESS_NAME, "po box", "pobox"},
	{ADDRESS_NAME, "thanh pho", "tp"},
	{ADDRESS_NAME, "thanh pho ho chi minh", "tphcm hcmc"},
	{ADDRESS_NAME, "ho chi minh", "hcm"},
	{ADDRESS_NAME, "khu pho", "kp"},
	{ADDRESS_NAME, "khu cong nghiep", "kcn"},
	{ADDRESS_NAME, "district", "dist distr"},
	{ADDRESS_NAME, "province", "prov"},
	{ADDRESS_NAME, "county", "cnty"},
	{ADDRESS_NAME, "saint", "sainte snt"},
	{ADDRESS_NAME, "fort", "ft"},
	{ADDRESS_NAME, "and", "und et"},
	{ADDRESS_NAME, "1st", "first"},
	{ADDRESS_NAME, "2nd", "second"},
	{ADDRESS_NAME, "3rd", "third"},
	{ADDRESS_NAME, "4th", "fourth"},
	{ADDRESS_NAME, "5th", "fifth"},
	{ADDRESS_NAME, "6th", "sixth"},
	{ADDRESS_NAME, "7th", "seventh"},
	{ADDRESS_NAME, "8th", "eighth"},
	{ADDRESS_NAME, "9th", "ninth"},
	{ADDRESS_NAME, "10th", "tenth"},
	{ADDRESS_NAME, "11th", "eleventh"},
	{ADDRESS_NAME, "12th", "twelfth"}
};

static WordTable addressTable;

/*
 * Make the table of words
 */
static pg_noinline void
BuildTable(void)
{
	WordTable	building;

	InitWordTable(&building, 512);
	for (int i = 0; i < lengthof(addressWords); i++)
	{
		const char *word = addressWords[i].from;

		while (*word != '\0')
		{
			int			len = strcspn(word, " ");

			SetInWordTable(&building, word, len, i);
			word += len + strspn(word + len, " ");
		}
	}
	addressTable = building;
}

static inline bool
StartsWithDigit(const Word *word)
{
	return word->chars[0] >= '0' && word->chars[0] <= '9';
}

static bool
HasDigit(const Word *word)
{
	for (int i = 0; i < word->len; i++)
	{
		if (word->chars[i] >= '0' && word->chars[i] <= '9')
			return true;
	}

	return false;
}

/*
 * Check whether a word is a number in order, such as 3rd
 */
static bool
IsOrdinal(const Word *word)
{
	const char *end = word->chars + word->len;

	return word->len > 2 && StartsWithDigit(word) &&
		(memcmp(end - 2, "st", 2) == 0 || memcmp(end - 2, "nd", 2) == 0 || memcmp(end - 2, "rd", 2) == 0 ||
		 memcmp(end - 2, "th", 2) == 0);
}

/*
 * Look a word up, with what it is unless its neighbours say otherwise
 */
static const AddressWord *
LookUp(const Word *word)
{
	int			i = FindInWordTable(&addressTable, word->chars, word->len);

	return i < 0 ? NULL : &addressWords[i];
}

static AddressKind
KindOf(const Word *word)
{
	const AddressWord *known = LookUp(word);

	return known == NULL ? ADDRESS_NAME : known->kind;
}

/*
 * Append a word to a key in the making
 */
static void
Emit(WordList *key, const char *value, int len)
{
	AddWord(key, value, len, ' ');
}

static inline const Word *
NextWord(const WordList *list, int i)
{
	return i + 1 < list->count ? &list->words[i + 1] : NULL;
}

static inline bool
IsName(const Word *word)
{
	return word != NULL && !StartsWithDigit(word) && KindOf(word) == ADDRESS_NAME;
}

/*
 * Check whether a word is the French saint, which a name follows, and not a
 * suite
 */
static bool
IsSainte(const WordList *list, int i)
{
	const Word *next = NextWord(list, i);

	return WordIs(&list->words[i], "ste") && IsName(next) && next->len > 1;
}

/*
 * Check whether a name follows a word
 */
static bool
NameFollows(const WordList *list, int i)
{
	const Word *next = NextWord(list, i);

	return IsName(next) || (next != NULL && IsSainte(list, next - list->words));
}

/*
 * Spell out a letter or two that are an abbreviation next to some words only:
 * the saint or street of St., and street, district, ward and county of
 * Vietnamese addresses, which no kind of street follows
 */
static const char *
SpellByNeighbours(const WordList *list, int i, const Word *previous)
{
	const Word *word = &list->words[i];
	const Word *next = NextWord(list, i);
	bool		name_follows = NameFollows(list, i);
	bool		after_unit = previous != NULL && KindOf(previous) == ADDRESS_UNIT;

	if (WordIs(word, "st"))
		return name_follows && (previous == NULL || KindOf(previous) == ADDRESS_DIRECTION ||
								(StartsWithDigit(previous) && !IsOrdinal(previous))) ? "saint" : "street";

	if (IsSainte(list, i))
		return "saint";

	if (word->len != 1 || next == NULL || after_unit)
		return NULL;

	switch (word->chars[0])
	{
		case 'd':
			return name_follows ? "duong" : NULL;
		case 'h':
			return name_follows ? "huyen" : NULL;
		case 'q':
			return name_follows || StartsWithDigit(next) ? "quan" : NULL;
		case 'p':
			return name_follows || StartsWithDigit(next) ? "phuong" : NULL;
		case 'c':
			return previous == NULL && next->before == '/' ? "calle" : NULL;
		case 'r':
			return previous == NULL && next->before == '.' ? "rua" : NULL;
		default:
			return NULL;
	}
}

/*
 * Get the length of what is before "street" at the end of a word, 0 if none
 */
static int
StreetStem(const char *word, int len)
{
	static const char *const endings[] = {"strasse", "straat", "str"};

	for (int i = 0; i < lengthof(endings); i++)
	{
		int			stem = len - (int) strlen(endings[i]);

		if (stem > 0 && memcmp(word + stem, endings[i], len - stem) == 0)
			return stem;
	}

	return 0;
}

/*
 * Append a word of an address, and whatever it stands for, to a key
 */
static void
AppendAddressWord(WordList *key, const WordList *list, int i)
{
	const Word *word = &list->words[i];
	const Word *next = NextWord(list, i);
	const Word *previous = key->count > 0 ? &key->words[key->count - 1] : NULL;
	const AddressWord *known;
	const char *spelled;
	int			stem;

	/* # 4 is a unit, but for the house number in front */
	if (word->before == '#' && previous != NULL && KindOf(previous) != ADDRESS_UNIT)
	{
		Emit(key, "unit", 4);
		previous = &key->words[key->count - 1];
	}

	spelled = SpellByNeighbours(list, i, previous);
	if (spelled != NULL)
	{
		Emit(key, spelled, strlen(spelled));
		return;
	}

	/* Q1, P5 */
	if (word->len > 1 && word->len <= 3 && (word->chars[0] == 'q' || word->chars[0] == 'p') &&
		strspn(word->chars + 1, "0123456789") >= word->len - 1)
	{
		spelled = word->chars[0] == 'q' ? "quan" : "phuong";
		Emit(key, spelled, strlen(spelled));
		Emit(key, word->chars + 1, word->len - 1);
		return;
	}

	/* Hauptstr., Hauptstraße, Dorpsstraat */
	stem = StreetStem(word->chars, word->len);
	if (stem >= 3 && !HasDigit(word) && FindInWordTable(&addressTable, word->chars, stem) < 0 && StreetStem(word->chars, stem) == 0)
	{
		Emit(key, word->chars, stem);
		Emit(key, "street", 6);
		return;
	}

	known = LookUp(word);
	if (known != NULL &&
		((known->kind == ADDRESS_COUNTED && !(next != NULL && StartsWithDigit(next)) &&
		  !(previous != NULL && StartsWithDigit(previous))) ||
		 (word->len <= 2 && previous != NULL && KindOf(previous) == ADDRESS_UNIT)))
		known = NULL;

	if (known == NULL || known->kind == ADDRESS_NUMBER)
		Emit(key, word->chars, word->len);
	else
		Emit(key, known->to, strlen(known->to));
}

/*
 * Leave out "number" before a number
 */
static void
RemoveNumberWords(WordList *list)
{
	int			kept = list->count;

	for (int i = list->count - 1; i >= 0; i--)
	{
		if (kept == list->count || !StartsWithDigit(&list->words[kept]) ||
			KindOf(&list->words[i]) != ADDRESS_NUMBER)
			list->words[--kept] = list->words[i];
	}

	list->count -= kept;
	if (kept > 0)
		memmove(list->words, list->words + kept, list->count * sizeof(Word));
}

/*
 * Get the key of a street address
 */
void
AddressKey(StringInfo out, const char *value, int len)
{
	static StringInfoData folded;
	static WordList words;
	static WordList key;

	if (addressTable.slots == NULL)
		BuildTable();

	FoldServerToUtf8(ResetScratch(&folded), value, len);
	SplitWords(&words, folded.data, folded.len);
	RemoveNumberWords(&words);

	ResetWords(&key);
	for (int i = 0; i < words.count; i++)
	{
		const Word *word = &words.words[i];

		if (i + 2 < words.count && WordIs(word, "p") && WordIs(word + 1, "o") && WordIs(word + 2, "box"))
		{
			Emit(&key, "po", 2);
			i++;
		}
		else if (i + 2 < words.count && WordIs(word, "can") && WordIs(word + 1, "ho") && HasDigit(word + 2))
		{
			Emit(&key, "unit", 4);
			i++;
		}
		else
			AppendAddressWord(&key, &words, i);
	}

	for (int i = 0; i < key.count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ' ');
		AppendServer(out, key.words[i].chars, key.words[i].len);
	}
}

/*
 * Get the key of a street address
 */
PG_FUNCTION_INFO_V1(address_key);
Datum
address_key(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, AddressKey);
}
