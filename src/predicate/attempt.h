#ifndef PREDICATE_ATTEMPT_H
#define PREDICATE_ATTEMPT_H

#include "postgres.h"

typedef void (*AttemptedWork) (void *arg);

extern ErrorData *Attempt(AttemptedWork work, void *arg);

#endif
