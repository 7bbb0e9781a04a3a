/*
 * Legal forms of organisations, as they stand in names, with the countries that
 * know them. Compiled from the companies acts and commercial registers of
 * these countries; ISO 20275 lists more, most of which no name ever shows.
 *
 * Spellings are folded when they are looked up, so case, dots and accents do
 * not matter here. A form that is an ordinary word as well (company, limited)
 * is one at the end of a name only.
 */
#include "postgres.h"

#include "normalise/organisation.h"

/* An abbreviation, which is nothing else wherever it stands after the name */
#define AFTER		(FORM_END | FORM_MIDDLE)
/* One that stands before or after the name */
#define AROUND		(FORM_END | FORM_MIDDLE | FORM_FRONT)

const LegalForm legalForms[] = {
	/* English-speaking countries */
	{"Inc.", "US CA PH", AFTER, "Incorporated"},
	{"Corp.", "US CA PH", AFTER, "Corpn"},
	{"Corporation", "US CA PH", FORM_END, NULL},
	{"Co.", "US CA GB", FORM_END, "Company|& Co.|and Company|et Cie|& Cie|et Compagnie|& Compagnie|y Cia|& Cia|e Cia|Cia|"
	"u. Co.|und Co."},
	{"Co. Ltd.", "GB CN JP KR TH TW VN", AFTER, "Co. Limited|Company Limited|Company Ltd.|& Co. Ltd.|& Company Limited|"
	"Co. Pte. Ltd.|& Co. Limited|& Company Ltd.|Coltd"},
	{"Ltd.", "GB IE NG KE GH IL CY MT JM BD NZ", AFTER, "L.T.D."},
	{"Limited", "GB IE IN HK NZ", FORM_END, NULL},
	{"PLC", "GB IE LK NG KE", AFTER, "Public Limited Company|P.L.C."},
	{"LLC", "US AE OM QA GE", AFTER, "L.L.C.|Limited Liability Company|Limited Liability Co.|L.C."},
	{"PLLC", "US", AFTER, "P.L.L.C.|Professional Limited Liability Company"},
	{"LLP", "US GB IN SG", AFTER, "L.L.P.|Limited Liability Partnership"},
	{"LLLP", "US", AFTER, "L.L.L.P."},
	{"LP", "US GB CA", AFTER, "L.P.|Limited Partnership"},
	{"PC", "US", FORM_END, "P.C.|Professional Corporation"},
	{"PA", "US", FORM_END, "P.A.|Professional Association"},
	{"NA", "US", FORM_END, "N.A.|National Association"},
	{"PBC", "US", FORM_END, "Public Benefit Corporation"},
	{"CIC", "GB", AFTER, "Community Interest Company"},
	{"CIO", "GB", FORM_END, "Charitable Incorporated Organisation"},
	{"DAC", "IE", FORM_END, "Designated Activity Company"},
	{"CLG", "IE", FORM_END, "Company Limited by Guarantee"},
	{"ULC", "CA", AFTER, "Unlimited Liability Company"},
	{"ULtd", "GB IE", FORM_END, "Unlimited Company"},
	{"Ltée", "CA", AFTER, "Limitée"},
	{"Pty Ltd", "AU ZA BW NA", AFTER, "Proprietary Limited|Pty. Limited|Pty|(Pty) Ltd.|Propriety Limited"},
	{"NPC", "ZA", FORM_END, NULL},
	{"CC", "ZA NA", FORM_END, "Close Corporation"},
	{"SOC Ltd", "ZA", AFTER, NULL},
	{"Pte Ltd", "SG", AFTER, "Pte. Limited|Pte"},
	{"Pvt Ltd", "IN PK LK BD NP", AFTER, "Private Limited|Private Ltd.|Pvt. Limited|(P) Ltd.|(P) Limited|(Pvt) Ltd.|"
	"(Private) Limited|Pvt"},
	{"OPC Pvt Ltd", "IN", AFTER, "(OPC) Private Limited"},
	{"Sdn Bhd", "MY BN", AFTER, "Sendirian Berhad|Sdn. Berhad"},
	{"Bhd", "MY", AFTER, "Berhad"},
	{"FZE", "AE", AFTER, "F.Z.E."},
	{"FZCO", "AE", AFTER, "FZ-Co|FZ Co."},
	{"FZ-LLC", "AE", AFTER, "FZ LLC|FZLLC"},
	{"DMCC", "AE", AFTER, NULL},
	{"PJSC", "AE RU UA JO", AROUND, "Public Joint Stock Company|P.J.S.C."},
	{"PrJSC", "AE UA", AROUND, "Private Joint Stock Company"},
	{"JSC", "RU KZ GE VN UA EG SA", AROUND, "Joint Stock Company|J.S.C.|Joint-Stock Co.|Closed Joint Stock Company|CJSC|"
	"OJSC|Open Joint Stock Company|S.A.E."},
	{"QSC", "QA", FORM_END, "Q.S.C.|Q.P.S.C."},
	{"KSC", "KW", FORM_END, "K.S.C.|K.S.C.P.|K.S.C.C."},
	{"WLL", "BH QA KW", AFTER, "W.L.L."},
	{"BSC", "BH", FORM_END, "B.S.C.|B.S.C.C."},
	{"SAOG", "OM", AFTER, "S.A.O.G."},
	{"SAOC", "OM", AFTER, "S.A.O.C."},

	/* German-speaking countries */
	{"GmbH", "DE AT CH", AFTER, "G.m.b.H.|mbH|m.b.H.|Gesellschaft mit beschränkter Haftung|Ges.m.b.H.|GesmbH|Ges. mbH"},
	{"gGmbH", "DE AT", AFTER, NULL},
	{"GmbH & Co. KG", "DE AT", AFTER, "GmbH und Co. KG|GmbH u. Co. KG|GmbH Co. KG|GmbH + Co. KG|GmbH & Cie. KG|GmbH & Co|"
	"GmbH & Co. Kommanditgesellschaft|mbH & Co. KG|Ges.m.b.H. & Co. KG"},
	{"GmbH & Co. KGaA", "DE", AFTER, "GmbH und Co. KGaA"},
	{"GmbH & Co. OHG", "DE", AFTER, "GmbH und Co. OHG"},
	{"AG & Co. KG", "DE", AFTER, "AG und Co. KG|AG & Co. KGaA|SE & Co. KG|SE & Co. KGaA|UG & Co. KG|"
	"UG (haftungsbeschränkt) & Co. KG"},
	{"AG", "DE AT CH LI LU", AFTER, "A.G.|Aktiengesellschaft"},
	{"KGaA", "DE", AFTER, "Kommanditgesellschaft auf Aktien|K.G.a.A.|AG & Co KGaA"},
	{"KG", "DE AT CH", AFTER, "K.G.|Kommanditgesellschaft|& Co. KG|und Co. KG|Co. KG"},
	{"OHG", "DE", AFTER, "O.H.G.|Offene Handelsgesellschaft|oHG mbH|& Co. OHG"},
	{"OG", "AT", FORM_END, "O.G.|Offene Gesellschaft"},
	{"UG", "DE", AFTER, "UG (haftungsbeschränkt)|Unternehmergesellschaft|Unternehmergesellschaft (haftungsbeschränkt)|"
	"UG haftungsbeschr.|U.G."},
	{"GbR", "DE", AFTER, "G.b.R.|GdbR|Gesellschaft bürgerlichen Rechts"},
	{"PartG", "DE", AFTER, "PartGmbB|PartG mbB|Partnerschaftsgesellschaft mbB|Partnerschaftsgesellschaft"},
	{"e.K.", "DE", AFTER, "e. Kfm.|e. Kfr.|eingetragener Kaufmann|eingetragene Kauffrau|e.Kfm."},
	{"e.U.", "AT", AFTER, "eingetragenes Einzelunternehmen"},
	{"e.V.", "DE", AFTER, "eingetragener Verein"},
	{"eG", "DE AT", AFTER, "eingetragene Genossenschaft|e.G.|eGen|Gen. mbH|eGmbH"},
	{"SE", "EU", FORM_END, "S.E.|Societas Europaea"},
	{"EWIV", "DE AT", FORM_END, NULL},
	{"VVaG", "DE", AFTER, "V.V.a.G.|Versicherungsverein auf Gegenseitigkeit"},
	{"AöR", "DE", FORM_END, "Anstalt des öffentlichen Rechts"},
	{"KdöR", "DE", FORM_END, "Körperschaft des öffentlichen Rechts"},

	/* French */
	{"SA", "FR BE CH LU ES PT GR RO PL BR AR MX CL CO PE", AROUND, "S.A.|Société Anonyme|Sociedad Anónima|"
	"Sociedade Anónima|Spółka Akcyjna|S/A"},
	{"SARL", "FR LU CH MA TN DZ LB", AROUND, "S.A.R.L.|S.à r.l.|Sàrl|Société à responsabilité limitée|SARLU"},
	{"SAS", "FR CO IT", AROUND, "S.A.S.|Société par actions simplifiée|Sociedad por Acciones Simplificada|"
	"Società in accomandita semplice"},
	{"SASU", "FR", AROUND, "S.A.S.U."},
	{"EURL", "FR DZ", AROUND, "E.U.R.L.|Entreprise unipersonnelle à responsabilité limitée"},
	{"EI", "FR", FORM_END, "E.I.|Entrepreneur individuel"},
	{"SNC", "FR IT BE CH", AROUND, "S.N.C.|Société en nom collectif|Società in nome collettivo"},
	{"SCS", "FR LU BE ES CO", AFTER, "S.C.S.|Société en commandite simple|SCSp|S. en C.|S. en C.S.|"
	"Sociedad en Comandita"},
	{"SCA", "FR LU BE", AFTER, "S.C.A.|Société en commandite par actions"},
	{"SCI", "FR", AROUND, "S.C.I.|Société civile immobilière"},
	{"SCM", "FR", AROUND, "S.C.M.|Société civile de moyens"},
	{"SCP", "FR", AROUND, "S.C.P.|Société civile professionnelle"},
	{"SELARL", "FR", AROUND, "S.E.L.A.R.L."},
	{"SELAS", "FR", AROUND, "S.E.L.A.S."},
	{"SCOP", "FR", AROUND, "S.C.O.P.|SCIC"},
	{"GIE", "FR", AROUND, "G.I.E.|Groupement d'intérêt économique"},
	{"GAEC", "FR", AROUND, "EARL"},
	{"ASBL", "BE LU", AROUND, "A.S.B.L.|association sans but lucratif"},
	{"SPRL", "BE", AROUND, "S.P.R.L.|SPRLU"},
	{"SRL", "IT ES RO BE AR UY PE BO PY MD", AROUND, "S.R.L.|Società a responsabilità limitata|"
	"Sociedad de responsabilidad limitada|S.r.l.s.|SRLS|S.R.L. Unipersonale|SRL-D"},
	{"SC", "RO PL", FORM_END | FORM_PAIRED, "S.C.|Societatea Comercială|Spółka cywilna"},
	{"SCRL", "BE", AFTER, "S.C.R.L.|S.C.A.R.L."},

	/* Italian, Spanish, Portuguese, Latin American */
	{"SpA", "IT CL DZ", AFTER, "S.p.A.|Società per azioni|Sociedad por acciones"},
	{"S.a.p.a.", "IT", AFTER, "Società in accomandita per azioni"},
	{"S.s.", "IT", FORM_END, "Società semplice"},
	{"Scarl", "IT", AFTER, "S.c. a r.l.|Società cooperativa|Soc. Coop.|Soc. Coop. a r.l.|Coop. Soc.|Società cooperativa a r.l."},
	{"SL", "ES AD", AFTER, "S.L.|Sociedad Limitada"},
	{"SLU", "ES", AFTER, "S.L.U.|Sociedad Limitada Unipersonal|SL Unipersonal"},
	{"SAU", "ES AR", AFTER, "S.A.U.|Sociedad Anónima Unipersonal"},
	{"SLL", "ES", AFTER, "S.L.L.|S.L.N.E.|SLP|S.L.P.|SLNE"},
	{"S. Coop.", "ES", AFTER, "S.Coop.And.|Sociedad Cooperativa|S.C.C.L.|SCCL"},
	{"CB", "ES", FORM_END, "C.B.|Comunidad de Bienes"},
	{"SA de CV", "MX SV HN", AFTER, "S.A. de C.V.|S.A. de C. V.|Sociedad Anónima de Capital Variable|SAPI de CV|"
	"S.A.P.I. de C.V.|SAB de CV|S.A.B. de C.V.|S.A. C.V."},
	{"S de RL de CV", "MX", AFTER, "S. de R.L. de C.V.|S. de R.L. MI|S de RL|S. de R.L.|"
	"Sociedad de Responsabilidad Limitada de Capital Variable"},
	{"SC de RL", "MX", AFTER, "S.C. de R.L."},
	{"AC", "MX", FORM_END, "A.C.|Asociación Civil"},
	{"SAC", "PE", AFTER, "S.A.C.|Sociedad Anónima Cerrada|SAA|S.A.A."},
	{"EIRL", "PE CL DO", AFTER, "E.I.R.L.|Empresa Individual de Responsabilidad Limitada"},
	{"Ltda", "BR CL CO PT BO CR", AFTER, "Ltda.|Limitada|Cía. Ltda.|& Cia Ltda|Companhia Limitada|Ltda ME|Ltda - ME|Ltda EPP"},
	{"Lda", "PT AO MZ", AFTER, "Lda.|Unipessoal Lda|Sociedade Unipessoal Lda"},
	{"ME", "BR", FORM_END, "M.E.|EPP|E.P.P.|Microempresa"},
	{"EIRELI", "BR", AFTER, "Eireli ME|Eireli EPP"},
	{"MEI", "BR", FORM_END, NULL},
	{"SGPS", "PT", AFTER, "SGPS SA|S.G.P.S.|SGPS, S.A."},
	{"CA", "VE EC", FORM_END, "C.A.|Compañía Anónima"},
	{"SRL de CV", "MX", AFTER, "S.R.L. de C.V."},

	/* Dutch */
	{"BV", "NL BE", AFTER, "B.V.|Besloten Vennootschap|B.V.B.A.|BVBA|B.V. i.o."},
	{"NV", "NL BE CW SR", AROUND, "N.V.|Naamloze Vennootschap"},
	{"VOF", "NL BE", AROUND, "V.O.F.|Vennootschap onder firma"},
	{"CV", "NL BE ID", FORM_END | FORM_FRONT, "C.V.|CVBA|C.V.B.A.|Commanditaire Vennootschap|Comm. V.|Comm.V"},
	{"Coöperatie UA", "NL", AFTER, "Coöperatie U.A.|Coöperatief U.A.|Coöp. U.A."},
	{"VZW", "BE", AROUND, "V.Z.W."},

	/* Nordic countries */
	{"AB", "SE FI", AROUND, "A.B.|Aktiebolag|Aktiebolaget"},
	{"AB (publ)", "SE", AROUND, "Aktiebolag (publ)|AB publ|publ AB"},
	{"HB", "SE", FORM_END, "Handelsbolag|Handelsbolaget"},
	{"KB", "SE", FORM_END, "Kommanditbolag|Kommanditbolaget"},
	{"Ek. för.", "SE", AFTER, "Ekonomisk förening|ek för"},
	{"A/S", "DK NO", FORM_END, "Aktieselskab|Aktieselskabet"},
	{"AS", "NO DK EE", FORM_END | FORM_FRONT, "A.S.|Aksjeselskap|Aksjeselskapet|Aktsiaselts"},
	{"ASA", "NO", AFTER, "Allmennaksjeselskap|A.S.A."},
	{"ANS", "NO", FORM_END, "Ansvarlig selskap"},
	{"ApS", "DK", AFTER, "Anpartsselskab|Anpartsselskabet|A.p.S."},
	{"IVS", "DK", AFTER, "Iværksætterselskab"},
	{"I/S", "DK", FORM_END, "Interessentskab"},
	{"K/S", "DK", FORM_END, "Kommanditselskab"},
	{"P/S", "DK", FORM_END, "Partnerselskab"},
	{"A.m.b.a.", "DK", AFTER, NULL},
	{"Oy", "FI", AROUND, "O.Y.|Osakeyhtiö|Oy Ab|Ab Oy|Oy Ltd.|Ltd Oy"},
	{"Oyj", "FI", AROUND, "Julkinen osakeyhtiö|Oyj Abp|Abp"},
	{"Ky", "FI", FORM_END, "Kommandiittiyhtiö"},
	{"Tmi", "FI", AROUND, "Toiminimi|T:mi"},
	{"ehf.", "IS", AFTER, "Einkahlutafélag|e.h.f."},
	{"hf.", "IS", AFTER, "Hlutafélag|h.f.|ohf."},
	{"P/F", "FO", FORM_END | FORM_FRONT, "Partafelag|Sp/f"},

	/* Central and eastern Europe */
	{"Sp. z o.o.", "PL", AFTER, "Sp. z o. o.|Sp z o o|sp zoo|spzoo|Spółka z o.o.|Sp. z.o.o.|Spółka z o. o.|"
	"Spółka z ograniczoną odpowiedzialnością"},
	{"Sp. z o.o. sp. k.", "PL", AFTER, "Sp. z o.o. spółka komandytowa|Sp. z o. o. Sp. K.|Sp z o o sp k|"
	"Spółka z ograniczoną odpowiedzialnością spółka komandytowa|sp. z o.o. sp.k."},
	{"Sp. k.", "PL", AFTER, "Spółka komandytowa|Sp.k.|S.K.A.|Spółka komandytowo-akcyjna"},
	{"Sp. j.", "PL", AFTER, "Spółka jawna|Sp.j."},
	{"PSA", "PL", FORM_END, "P.S.A.|Prosta spółka akcyjna"},
	{"s.r.o.", "CZ SK", AFTER, "spol. s r.o.|spol s r o|společnost s ručením omezeným|spoločnosť s ručením obmedzeným|"
	"s. r. o.|spol. s r. o."},
	{"a.s.", "CZ SK", FORM_END, "akciová společnost|akciová spoločnosť|akc. spol."},
	{"v.o.s.", "CZ SK", AFTER, "veřejná obchodní společnost|verejná obchodná spoločnosť"},
	{"k.s.", "CZ SK", FORM_END, "komanditní společnost|komanditná spoločnosť"},
	{"z.s.", "CZ", FORM_END, "zapsaný spolek|o.p.s.|z.ú."},
	{"Kft.", "HU", AFTER, "Korlátolt felelősségű társaság|K.f.t."},
	{"Zrt.", "HU", AFTER, "Zártkörűen működő részvénytársaság"},
	{"Nyrt.", "HU", AFTER, "Nyilvánosan működő részvénytársaság"},
	{"Rt.", "HU", FORM_END, "Részvénytársaság"},
	{"Bt.", "HU", FORM_END, "Betéti társaság"},
	{"Kkt.", "HU", FORM_END, "Közkereseti társaság"},
	{"d.o.o.", "HR RS SI BA ME", AFTER, "d. o. o.|društvo s ograničenom odgovornošću|družba z omejeno odgovornostjo|"
	"j.d.o.o.|ДОО|д.о.о."},
	{"d.d.", "HR SI BA", AFTER, "dioničko društvo|delniška družba"},
	{"a.d.", "RS ME MK", FORM_END, "akcionarsko društvo|АД|а.д."},
	{"DOOEL", "MK", AFTER, "ДООЕЛ"},
	{"OOD", "BG", AFTER, "ООД|O.O.D."},
	{"EOOD", "BG", AFTER, "ЕООД|E.O.O.D."},
	{"AD", "BG", FORM_END, "ЕАД|EAD"},
	{"ЕТ", "BG", FORM_FRONT, NULL},
	{"OÜ", "EE", AROUND, "Osaühing|O.Ü."},
	{"SIA", "LV", AROUND, "Sabiedrība ar ierobežotu atbildību|S.I.A."},
	{"UAB", "LT", AROUND, "Uždaroji akcinė bendrovė|U.A.B."},
	{"MB", "LT", FORM_END | FORM_FRONT, "Mažoji bendrija"},
	{"ShPK", "AL XK", AFTER, "Sh.p.k.|SHPK"},
	{"Sh.a.", "AL XK", FORM_END, "SHA"},
	{"OOO", "RU BY KZ", AROUND, "ООО|О.О.О.|Общество с ограниченной ответственностью"},
	{"OAO", "RU BY", AROUND, "ОАО|Открытое акционерное общество"},
	{"ZAO", "RU BY", AROUND, "ЗАО|Закрытое акционерное общество"},
	{"PAO", "RU", AROUND, "ПАО|Публичное акционерное общество|НПАО"},
	{"АО", "RU KZ", AROUND, "А.О.|Акционерное общество"},
	{"AO", "RU KZ", FORM_END, "A.O."},
	{"ИП", "RU KZ", FORM_FRONT, "Индивидуальный предприниматель|ЧП"},
	{"ГУП", "RU", AROUND, "ФГУП|МУП|Государственное унитарное предприятие"},
	{"ТОО", "KZ", AROUND, "Товарищество с ограниченной ответственностью"},
	{"TOO", "KZ", FORM_END, NULL},
	{"TOV", "UA", AROUND, "ТОВ|Товариство з обмеженою відповідальністю"},
	{"ПАТ", "UA", AROUND, "ПрАТ|Публічне акціонерне товариство|Приватне акціонерне товариство|АТ"},
	{"ФОП", "UA", AROUND, NULL},
	{"ОДО", "BY", AROUND, "ЧУП|УП"},
	{"MChJ", "UZ", AROUND, "МЧЖ|MCHJ"},

	/* Greece, Turkey, Israel, Arab countries, Iran */
	{"A.E.", "GR CY", AFTER, "Α.Ε.|ΑΕ|Ανώνυμη Εταιρεία|Ανώνυμος Εταιρεία|Α.Β.Ε.Ε.|ΑΒΕΕ|Ε.Π.Ε. Α.Ε."},
	{"E.P.E.", "GR", AFTER, "Ε.Π.Ε.|ΕΠΕ|Εταιρεία Περιορισμένης Ευθύνης"},
	{"I.K.E.", "GR", AFTER, "Ι.Κ.Ε.|ΙΚΕ|Ιδιωτική Κεφαλαιουχική Εταιρεία"},
	{"O.E.", "GR", AFTER, "Ο.Ε.|ΟΕ|Ομόρρυθμη Εταιρεία|Ε.Ε."},
	{"A.Ş.", "TR", FORM_END, "Anonim Şirketi|AŞ"},
	{"Ltd. Şti.", "TR", AFTER, "Limited Şirketi|Ltd Şirketi|San. ve Tic. Ltd. Şti.|San. Tic. Ltd. Şti.|San. ve Tic. A.Ş.|"
	"Sanayi ve Ticaret A.Ş.|Sanayi ve Ticaret Limited Şirketi|Sanayi ve Ticaret Anonim Şirketi|Sanayi ve Ticaret Ltd. Şti.|"
	"San. Tic. A.Ş."},
	{"בע\"מ", "IL", AFTER, "בעמ|ערבון מוגבל"},
	{"شركة", "SA AE EG KW QA JO", AROUND, "ش.م.م|ذ.م.م|ش.م.ع|ذات مسؤولية محدودة|شركة ذات مسؤولية محدودة|ش.م.ل|ش.ذ.م.م"},
	{"شرکت سهامی", "IR", AROUND, "شرکت سهامی خاص|شرکت سهامی عام|سهامی خاص|سهامی عام"},

	/* East and south-east Asia */
	{"KK", "JP", AROUND, "K.K.|Kabushiki Kaisha|Kabushiki Gaisha|Kabushikigaisha"},
	{"株式会社", "JP", AROUND | FORM_GLUED, "㈱|(株)|カブシキガイシャ|(カ)|株式會社"},
	{"有限会社", "JP", AROUND | FORM_GLUED, "㈲|(有)|有限會社"},
	{"合同会社", "JP", AROUND | FORM_GLUED, "(同)"},
	{"合資会社", "JP", AROUND | FORM_GLUED, "(資)"},
	{"合名会社", "JP", AROUND | FORM_GLUED, "(名)"},
	{"一般社団法人", "JP", AROUND | FORM_GLUED, "公益社団法人|一般財団法人|公益財団法人|特定非営利活動法人|医療法人社団|"
	"医療法人|学校法人|社会福祉法人|独立行政法人"},
	{"GK", "JP", FORM_END, "G.K.|Godo Kaisha|Goudou Kaisha"},
	{"YK", "JP", FORM_END, "Y.K.|Yugen Kaisha|Yugen Gaisha"},
	{"有限公司", "CN TW HK", AROUND | FORM_GLUED, "有限责任公司|有限責任公司|私人有限公司|责任有限公司"},
	{"股份有限公司", "CN TW", AROUND | FORM_GLUED, "股份公司|(集团)股份有限公司"},
	{"集团有限公司", "CN", AROUND | FORM_GLUED, "集團有限公司|集团股份有限公司|(集团)有限公司"},
	{"주식회사", "KR", AROUND | FORM_GLUED, "㈜|(주)|(株)|주식 회사"},
	{"유한회사", "KR", AROUND | FORM_GLUED, "(유)|유한책임회사|㈲"},
	{"Jusik Hoesa", "KR", AROUND, "Chusik Hoesa|Jusikhoesa"},
	{"Công ty TNHH", "VN", AROUND, "Cty TNHH|TNHH|Công ty trách nhiệm hữu hạn|C.ty TNHH|Trách nhiệm hữu hạn"},
	{"Công ty TNHH MTV", "VN", AROUND, "Công ty TNHH một thành viên|TNHH MTV|TNHH một thành viên|Cty TNHH MTV|"
	"Công ty trách nhiệm hữu hạn một thành viên|Công ty trách nhiệm hữu hạn MTV|"
	"Công ty TNHH hai thành viên trở lên"},
	{"Công ty Cổ phần", "VN", AROUND, "CTCP|Công ty CP|Cty CP|Cty Cổ phần|Tổng công ty cổ phần|Tổng công ty CP|Tổng CTCP"},
	{"Công ty", "VN", FORM_FRONT, "Cty|C.ty|Tổng công ty|Công ty hợp danh|Tổng Cty"},
	{"DNTN", "VN", AROUND, "Doanh nghiệp tư nhân|Doanh nghiệp TN"},
	{"HTX", "VN", AROUND, "Hợp tác xã"},
	{"PT", "ID", AROUND, "P.T.|Perseroan Terbatas|Perusahaan Terbatas"},
	{"Tbk", "ID", AFTER, "Tbk.|(Persero) Tbk|Terbuka|(Persero)"},
	{"UD", "ID", FORM_FRONT, "Usaha Dagang|U.D."},
	{"บริษัทจำกัด", "TH", AROUND | FORM_GLUED, "บริษัท|จำกัด|จำกัด (มหาชน)|บริษัทมหาชนจำกัด|บจก.|บมจ.|ห้างหุ้นส่วนจำกัด|หจก.|มหาชน"},
	{"PCL", "TH", AFTER, "Public Company Limited|Public Co. Ltd.|P.C.L."},
	{"OPC", "PH", FORM_END, "One Person Corporation"}
};

const int	legalFormCount = lengthof(legalForms);
