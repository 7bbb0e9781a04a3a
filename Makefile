EXTENSION = lead_mgmt
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" lead_mgmt.control)

MODULE_big = lead_mgmt
# The client program is no part of the library, and shares a few files with it.
LEADCTL_SOURCES := $(sort $(wildcard src/leadctl/*.c)) src/capture/csv.c src/import/cells.c
LEADCTL = src/leadctl/leadctl
SOURCES := $(sort $(filter-out src/leadctl/%,$(wildcard src/*/*.c)))
SHIMS := $(sort $(wildcard src/*/*.cpp))
ALL_HEADERS := $(sort $(wildcard src/*/*.h))
OBJS = $(SOURCES:.c=.o) $(SHIMS:.cpp=.o)

# WERROR=-Werror is what `make check` builds with; a DBA's newer compiler may
# know warnings that ours did not.
WARNINGS = -Wall -Wextra -Wno-unused-parameter $(WERROR) $(EXTRA_CFLAGS)
PG_CPPFLAGS = -Isrc $(shell xml2-config --cflags 2>/dev/null) -DLEAD_MGMT_VERSION=\"$(EXTVERSION)\"
PG_CFLAGS = $(WARNINGS) -Wno-missing-field-initializers -Wno-sign-compare
PG_CXXFLAGS = $(WARNINGS)
# override: SHLIB_LINK=--coverage on the command line adds to these.
override SHLIB_LINK += -lphonenumber -lidn2 -lxml2 -llinear -lstdc++

# The install script is the parts in dependency order; the workspace's own
# script is carried inside it as the body of one function.
SQL_PARTS = sql/types.sql sql/normalise.sql sql/compare.sql sql/predicate.sql sql/learning.sql sql/scoring.sql sql/workspace.sql sql/pipeline.sql \
	sql/sales.sql sql/events.sql sql/strategies.sql sql/capture.sql sql/import.sql sql/matching.sql sql/merge.sql sql/attribution.sql sql/reports.sql
WORKSPACE_PARTS := $(sort $(wildcard sql/workspace/[0-9][0-9]*.sql))
DATA_built = sql/lead_mgmt--$(EXTVERSION).sql

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --no-locale --encoding=UTF8 --load-extension=$(EXTENSION)
REGRESS_PREP = check-names
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=. --no-locale --encoding=UTF8 --load-extension=$(EXTENSION)

EXTRA_CLEAN = $(LEADCTL) $(wildcard src/*/*.o src/*/*.bc src/*/*.gcda src/*/*.gcno sql/lead_mgmt--*.sql.tmp) \
	results regression.diffs regression.out tmp_check output_iso log

.DEFAULT_GOAL := all
PG_CONFIG ?= pg_config

# The goals below need no PGXS, so that they can install it first.
HARNESS_GOALS = help demo demo-stop check bench fuzz packages lint
ifneq ($(filter-out $(HARNESS_GOALS),$(or $(MAKECMDGOALS),all)),)

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(and $(wildcard $(PGXS)),$(wildcard $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h)),)
$(error PostgreSQL's build files are missing: install postgresql-server-dev-15 (`make packages` does), or name another pg_config: make PG_CONFIG=/path/to/pg_config)
endif
include $(PGXS)

$(OBJS) $(OBJS:.o=.bc): $(ALL_HEADERS) Makefile lead_mgmt.control

all: $(LEADCTL)

LEADCTL_OBJS = $(LEADCTL_SOURCES:.c=.o)
LEADCTL_LIBS = -lcurl -lzip -lexpat -lcrypto -lm

$(filter src/leadctl/%,$(LEADCTL_OBJS)): %.o: %.c $(ALL_HEADERS) Makefile lead_mgmt.control
	$(CC) -std=gnu99 -O2 -g -D_GNU_SOURCE $(WARNINGS) $(PG_CPPFLAGS) -I$(includedir) -c -o $@ $<

$(LEADCTL): $(LEADCTL_OBJS)
	$(CC) $(EXTRA_CFLAGS) -o $@ $(LEADCTL_OBJS) -L$(libdir) -lpq $(LEADCTL_LIBS)

install: install-leadctl
uninstall: uninstall-leadctl

.PHONY: install-leadctl uninstall-leadctl
install-leadctl: $(LEADCTL)
	$(MKDIR_P) '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1'
	$(INSTALL_PROGRAM) $(LEADCTL) '$(DESTDIR)$(bindir)/leadctl'
	$(INSTALL_DATA) src/leadctl/leadctl.1 '$(DESTDIR)$(mandir)/man1/leadctl.1'

uninstall-leadctl:
	rm -f '$(DESTDIR)$(bindir)/leadctl' '$(DESTDIR)$(mandir)/man1/leadctl.1'
# Its loops over rows and columns are worth vector instructions.
src/learning/newton.o: CFLAGS += $(CFLAGS_UNROLL_LOOPS) $(CFLAGS_VECTORIZE)

# sql/workspace itself is listed so that a removed part counts as a change.
$(DATA_built): $(SQL_PARTS) $(WORKSPACE_PARTS) $(wildcard sql/workspace) Makefile lead_mgmt.control
	@for file in $(filter-out $(SQL_PARTS) $(wildcard sql/lead_mgmt--*.sql),$(wildcard sql/*.sql)); do \
		echo "$$file is not in SQL_PARTS" >&2; exit 1; done
	@for file in $(filter-out $(WORKSPACE_PARTS),$(wildcard sql/workspace/*.sql)); do \
		echo "$$file: the name must begin with two digits" >&2; exit 1; done
	@if grep -n '[$$]lead_mgmt_workspace_' $(WORKSPACE_PARTS) /dev/null; then \
		echo 'a dollar tag $$lead_mgmt_workspace_...$$ may not occur in sql/workspace/*.sql' >&2; exit 1; fi
	@echo 'joining $@'
	@{ set -e; \
		printf '%s\n' '\echo Use "CREATE EXTENSION lead_mgmt" to load this file. \quit'; \
		cat sql/types.sql; \
		echo; \
		echo 'CREATE FUNCTION lead_mgmt.workspace_script() RETURNS pg_catalog.text'; \
		echo '	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp'; \
		echo 'AS $$lead_mgmt_workspace_function$$ SELECT $$lead_mgmt_workspace_script$$'; \
		for part in $(WORKSPACE_PARTS); do cat $$part; echo; done; \
		echo '$$lead_mgmt_workspace_script$$::pg_catalog.text $$lead_mgmt_workspace_function$$;'; \
		echo; \
		echo 'COMMENT ON FUNCTION lead_mgmt.workspace_script() IS'; \
		echo "	'The statements that lay out one workspace; @workspace@ in them stands for its quoted name';"; \
		for part in $(filter-out sql/types.sql,$(SQL_PARTS)); do echo; cat $$part; done; \
	} > $@.tmp
	@sed 's/@version@/$(EXTVERSION)/g' $@.tmp > $@ && rm $@.tmp

# pg_regress looks for ./sql/NAME.sql before test/sql/NAME.sql.
.PHONY: check-names
check-names:
	@for file in $(filter $(notdir $(wildcard sql/*.sql)),$(notdir $(wildcard test/sql/*.sql))); do \
		echo "test/sql/$$file may not bear the name of a file in sql/" >&2; exit 1; done

# A function of ours that bears the name of one of the server's would be
# taken for it: the server's comes first.
.PHONY: check-symbols
check-symbols: $(shlib)
	@for file in $(shlib) $(shell $(PG_CONFIG) --bindir)/postgres; do \
		nm -D --defined-only $$file | sed 's/.* //; s/@.*//' | sort -u; done | sort | uniq -d | \
		grep -vE '^(_init|_fini|__bss_start|_edata|_end|Pg_magic_func)$$' | \
		sed 's/$$/ is a name of the server'"'"'s too/' | { ! grep .; } >&2

.PHONY: indent
indent: all
	@bash test/harness/indent.sh $(shlib) $(SOURCES) $(filter-out src/leadctl/%,$(ALL_HEADERS))
	@bash test/harness/indent.sh $(LEADCTL) $(filter src/leadctl/%,$(LEADCTL_SOURCES) $(ALL_HEADERS))

endif

# exec, so that a signal to what make started reaches the script itself
HARNESS = exec env PG_CONFIG='$(PG_CONFIG)'

.PHONY: $(HARNESS_GOALS)
help:
	@echo 'make               build the library and the install script'
	@echo 'make install       install them into the PostgreSQL of PG_CONFIG'
	@echo 'make installcheck  pg_regress and isolation tests in a running server'
	@echo 'make demo          a server of its own with a filled workspace; demo-stop removes it'
	@echo 'make check         every test, in a server of its own; to choose:'
	@echo '                   SUITES="build regress isolation pgtap tap fuzz" TESTS=part-of-a-name'
	@echo '                   RESULTS=dir keeps the outputs there'
	@echo 'make bench         the benchmarks; BENCH=name for one'
	@echo 'make fuzz          libFuzzer on the parsers; FUZZ=name for one, FUZZ_SECONDS=60'
	@echo 'make packages      install the Debian packages that all of these need'
	@echo 'make lint          cppcheck over the C sources'
	@echo 'make indent        pg_bsd_indent over the C sources'
	@echo 'make clean         remove what was built'

packages:
	@$(HARNESS) bash test/harness/packages.sh build test

demo:
	@$(HARNESS) bash test/demo/demo.sh start

demo-stop:
	@$(HARNESS) bash test/demo/demo.sh stop

# PGXS has a "check" of its own, which says that it cannot.
ifneq ($(if $(PGXS),$(filter check,$(MAKECMDGOALS)),check),)
check:
	@$(HARNESS) SUITES='$(SUITES)' TESTS='$(TESTS)' RESULTS='$(RESULTS)' bash test/harness/check.sh
endif

bench:
	@$(HARNESS) BENCH='$(BENCH)' bash test/bench/run.sh

fuzz:
	@$(HARNESS) FUZZ='$(FUZZ)' FUZZ_SECONDS='$(FUZZ_SECONDS)' bash test/harness/fuzz.sh libfuzzer

lint:
	cppcheck --quiet --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=nullPointerArithmetic --suppress=missingInclude --suppress=uninitvar --suppress=legacyUninitvar -Isrc --include=test/harness/lint.h \
		$(SOURCES) $(filter src/leadctl/%,$(LEADCTL_SOURCES))
