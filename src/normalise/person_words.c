/*
 * Titles, suffixes, particles and the family names that tell the order of a
 * name, folded, as our own lists. A word that is a name as well as a title or
 * a particle is in a class of its own, so that only its place decides.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "normalise/person.h"
#include "normalise/words.h"

/* Most characters of a name without a blank that is taken apart */
#define EAST_ASIAN_MAX_NAME	6

typedef struct NameWords
{
	int			kind;
	const char *words;
} NameWords;

static const NameWords titleWords[] = {
	/* English */
	{TITLE_SURE, "mr mrs ms mx miss messrs dr drs doctor prof professor assoc asst rev revd reverend hon honourable "
	"honorable"},
	{TITLE_FULL, "sir dame lord lady madam master mister capt captain col colonel lt lieutenant maj sgt sergeant cpl "
	"corporal gen general adm admiral cmdr commander father fr sister brother rabbi imam pastor bp sen senator gov "
	"governor amb ambassador pres president princess baroness countess"},
	{TITLE_GIVEN, "sir dame"},
	/* German, Dutch, Scandinavian, Finnish */
	{TITLE_SURE, "herr herrn frau fraulein dipl diplom dhr mevr mevrouw mw meneer jhr fru froken herra rouva"},
	{TITLE_FULL, "hr ing ir ds mag graf grafin freiherr freifrau baronin"},
	{TITLE_AFTER, "med rer nat phil jur habil hc pol oec techn vet dent psych theol mult univ em ing inform kfm "
	"betriebsw volksw"},
	/* French, Spanish, Portuguese, Italian */
	{TITLE_SURE, "monsieur madame mademoiselle mme mmes mlle mlles senor senora senorita sra srta sres senhor senhora "
	"srs dra dott dottssa dottore dottoressa signor signora signorina avv licenciado licenciada ingeniero"},
	{TITLE_FULL, "m mm sr sig rag geom lic maitre dona donna arq arch"},
	/* Slavic, Hungarian, Greek, Turkish */
	{TITLE_SURE, "pani mgr inz mudr judr phdr rndr mvdr pharmdr gospodin gospozha gospodja господин госпожа гн гжа "
	"пані ozv ifj kyrios kyria κυριοσ κυρια κοσ κα"},
	{TITLE_FULL, "pan panna пан bay bayan hanim"},
	/* Arabic, Indian, Malay, Indonesian, Thai, Philippine */
	{TITLE_SURE, "smt shrimati sheikh shaikh sheik hajj haji hajji hajjah ustadh ustaz dato datuk datin encik "
	"puan bapak bpk السيد السيده الدكتور الدكتوره دكتور श्री श्रीमती นาย นาง นางสาว"},
	{TITLE_FULL, "sri shri ibu khun kumari engr atty mawlana maulana"},
	/* Vietnamese; those that are names too are told apart by their accents */
	{TITLE_VIETNAMESE | TITLE_GIVEN, "ong ba anh chi co chu bac thay em"},
	{TITLE_SURE, "gs pgs ths"},
	{TITLE_FULL, "ts"},
	{TITLE_AND, "and und et y e og och i и"},
	{SUFFIX_SURE, "jr junior jnr sr snr senior ii iii iv vii viii 2nd 3rd 4th esq esquire phd md dds dmd dvm jd mba cpa "
	"cfa rn dphil pharmd edd psyd llm llb bsc msc meng mphil mpa mph obe mbe cbe kbe qc pmp cissp frcs frs bcom mcom "
	"btech mtech filho neto sobrinho"},
	{BORN_NAME, "nee geb geborene born nata nacida rozena урожденная"},
	{SUFFIX_COMMA, "ma ba bs ms do v vi i pa kc mp be me pe"}
};

static const NameWords roleWords[] = {
	{PARTICLE, "van von vom zum zur der den dem de del della delle dello degli dei di da do dos das du des la le les "
	"dela delos delas ter ten bin ibn bint binti binte al el ul mc mac st saint vander vanden vande af av dalla dal "
	"dall"},
	{PARTICLE_LOWER, "ben san santa abu umm zu te lo op aan ap in auf und abd ud ur"},
	{PARTICLE_JOINED, "d o l t fitz abdul abdel abdal abdoul"},
	{FAMILY_VIETNAMESE, "nguyen tran pham huynh hoang phan truong dang trinh luong dinh doan quach vuong phung luu "
	"khuong nghiem thach"},
	{FAMILY_VIETNAMESE_ALSO, "le vu vo bui do ho ngo duong ly mai dao lam cao ha ta to chau thai lai la van kieu trieu "
	"tang kim an quan giang tien su dam ninh mac vi tong"},
	{MIDDLE_VIETNAMESE, "van thi duc minh quoc huu ngoc thanh xuan thu hong hoang kim bao gia dinh cong trong tuan anh "
	"quang tan viet phuong thuy my bich nhu cam hai kieu ngan mai tuyet phuc trung tien the manh dang hung huy "
	"thien khanh"},
	{FAMILY_KOREAN, "kim lee park choi jung jeong kang cho yoon jang lim shin seo kwon hwang ahn song ryu yoo hong moon "
	"bae baek heo noh nam shim ha joo gu koo sung cha min"},
	{FAMILY_CHINESE, "wang li zhang liu chen yang zhao huang zhou wu xu sun zhu ma hu guo lin he gao liang zheng luo "
	"song xie tang han cao deng xiao feng zeng cheng cai peng pan yuan dong yu su ye lu wei jiang du ding shen ren yao "
	"zhong tan jin shi liao jia xia fu fang zou xiong bai meng qin qiu hou yin xue lei long dai duan hao kong shao mao "
	"chang wan gu lai kang yan ng chan wong leung cheung lau ho chow"}
};

/* Titles that only their accents tell from names, in lower case, composed */
static const char *const vietnameseTitles[] = {"ông", "bà", "chị", "cô", "chú", "bác", "thầy"};

/* Endings of what stands between the given and the family name of East Slavs */
static const char *const patronymics[] = {"ович", "евич", "овна", "евна", "ична", "івна"};

/* What follows a name in Chinese, Japanese and Korean, the longer first */
static const char *const honorifics[] = {
	"总经理", "總經理", "先生", "女士", "小姐", "太太", "夫人", "教授", "博士", "老师", "老師", "经理", "經理",
	"ちゃん", "くん", "さん", "さま", "様", "氏", "선생님", "교수님", "박사님", "님", "씨"
};

/* Family names of two characters */
static const char *const longFamilyNames[] = {
	"欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "司徒", "皇甫", "令狐", "夏侯", "东方", "東方",
	"慕容", "尉迟", "尉遲", "公孙", "公孫", "端木", "轩辕", "軒轅", "独孤", "獨孤", "长孙", "長孫", "宇文",
	"南宫", "南宮", "西门", "西門", "남궁", "선우", "황보", "제갈", "사공", "독고", "서문", "동방"
};

/* Chinese family names of one character, common ones, in both scripts */
static const char shortFamilyNames[] =
"王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許傅沈"
"曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎閻余潘杜戴夏钟鍾汪田任姜范方石姚谭譚廖邹鄒熊金陆陸郝孔白崔康毛邱秦江史"
"顾顧侯邵孟龙龍万萬段雷钱錢汤湯尹黎易常武乔喬贺賀赖賴龚龔文";

static WordTable titles;
static WordTable roles;

/*
 * Make a table in which a word has all the kinds of the lists it is in
 */
static void
BuildTable(WordTable *table, const NameWords *lists, int count)
{
	WordTable	building;

	InitWordTable(&building, 512);

	for (int i = 0; i < count; i++)
	{
		const char *word = lists[i].words;

		while (*word != '\0')
		{
			int			len = strcspn(word, " ");
			int			known = FindInWordTable(&building, word, len);

			SetInWordTable(&building, word, len, known < 0 ? lists[i].kind : known | lists[i].kind);
			word += len;
			word += strspn(word, " ");
		}
	}

	*table = building;
}

/*
 * Get what a folded word before or after a name may be
 */
int
TitleOf(const char *word, int len)
{
	int			kinds;

	if (titles.slots == NULL)
		BuildTable(&titles, titleWords, lengthof(titleWords));

	kinds = FindInWordTable(&titles, word, len);
	return kinds < 0 ? 0 : kinds;
}

/*
 * Get what a folded word within a name may be
 */
int
NameRoleOf(const char *word, int len)
{
	int			kinds;

	if (roles.slots == NULL)
		BuildTable(&roles, roleWords, lengthof(roleWords));

	kinds = FindInWordTable(&roles, word, len);
	return kinds < 0 ? 0 : kinds;
}

/*
 * Check whether a folded word is a patronymic in Cyrillic: in Latin script, too
 * many family names end like one
 */
bool
IsPatronymic(const char *word, int len)
{
	for (int i = 0; i < lengthof(patronymics); i++)
	{
		int			n = strlen(patronymics[i]);

		if (n < len && memcmp(word + len - n, patronymics[i], n) == 0)
			return true;
	}

	return false;
}

/*
 * Check whether a word in lower case, composed, is a Vietnamese title
 */
bool
IsVietnameseTitle(const char *word, int len)
{
	for (int i = 0; i < lengthof(vietnameseTitles); i++)
	{
		if ((int) strlen(vietnameseTitles[i]) == len && memcmp(vietnameseTitles[i], word, len) == 0)
			return true;
	}

	return false;
}

/*
 * Get the length of the honorific at the end of an East Asian name, in bytes
 */
int
EastAsianHonorific(const char *name, int len)
{
	for (int i = 0; i < lengthof(honorifics); i++)
	{
		int			n = strlen(honorifics[i]);

		if (n <= len && memcmp(name + len - n, honorifics[i], n) == 0)
			return n;
	}

	return 0;
}

static inline bool
IsHan(uint32 c)
{
	return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x3FFFF) ||
		(c >= 0xF900 && c <= 0xFAFF) || c == 0x3005;
}

static inline bool
IsKana(uint32 c)
{
	return (c >= 0x3041 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF);
}

static inline bool
IsHangul(uint32 c)
{
	return c >= 0xAC00 && c <= 0xD7A3;
}

/*
 * Check whether a word begins in an East Asian script
 */
bool
IsEastAsian(const char *word, int len)
{
	uint32		c;

	DecodeCodePoint(word, word + len, &c);
	return IsHan(c) || IsKana(c) || IsHangul(c);
}

/*
 * Check whether one Chinese character is a common family name
 */
static bool
IsShortFamilyName(const char *name, int len)
{
	for (const char *p = shortFamilyNames; *p != '\0'; p += pg_utf_mblen((const unsigned char *) p))
	{
		if (strncmp(p, name, len) == 0)
			return true;
	}

	return false;
}

/*
 * Get the length of the family name in an East Asian name without a blank, in
 * bytes: two characters if they are one of the long family names, one before
 * Korean and Chinese given names, two in a name that can only be Japanese, all
 * before kana. 0 when it cannot be told.
 */
int
EastAsianFamilyLength(const char *name, int len)
{
	int			ends[EAST_ASIAN_MAX_NAME];
	const char *end = name + len;
	const char *p = name;
	int			count = 0;
	int			han = 0;		/* at the start */
	int			hangul = 0;
	int			kana = 0;

	for (; p < end && count < EAST_ASIAN_MAX_NAME; count++)
	{
		uint32		c;

		p += DecodeCodePoint(p, end, &c);
		ends[count] = p - name;
		if (IsHangul(c))
			hangul++;
		else if (IsKana(c))
			kana++;
		else if (!IsHan(c) || han < count)
			return 0;
		else
			han++;
	}
	if (p < end || count < 2)
		return 0;

	if (count > 2)
	{
		for (int i = 0; i < lengthof(longFamilyNames); i++)
		{
			if ((int) strlen(longFamilyNames[i]) == ends[1] && memcmp(name, longFamilyNames[i], ends[1]) == 0)
				return ends[1];
		}
	}

	if (hangul > 0)
		return hangul == count && count <= 4 ? ends[0] : 0;
	if (kana > 0)
		return han > 0 && han <= 3 ? ends[han - 1] : 0;
	if (count == 2 || (count == 3 && IsShortFamilyName(name, ends[0])))
		return ends[0];

	return ends[1];
}
