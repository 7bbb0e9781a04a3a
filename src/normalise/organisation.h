#ifndef LEAD_MGMT_ORGANISATION_H
#define LEAD_MGMT_ORGANISATION_H

/* Where in a name a legal form is one, shared by the files of this room only */
#define FORM_END		0x01	/* at the end, before other forms included */
#define FORM_FRONT		0x02
#define FORM_MIDDLE		0x04	/* anywhere but in front */
#define FORM_PAIRED		0x10	/* in front when a form of its country stands
								 * behind */
#define FORM_GLUED		0x08	/* written without a blank, at either end of a
								 * word */

typedef struct LegalForm
{
	const char *form;			/* canonical spelling */
	const char *countries;		/* ISO 3166-1 alpha-2, blanks between them */
	int			places;
	const char *spellings;		/* other ones, | between them */
} LegalForm;

extern const LegalForm legalForms[];
extern const int legalFormCount;

#endif
