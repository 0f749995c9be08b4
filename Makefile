# errand. `make help` lists the targets.

# --- settings -----------------------------------------------------------
CC      ?= cc
CXX     ?= c++
OPT     ?= -O2 -g
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 10
# DEVELOPER=1   warnings are errors
# SAN=asan      AddressSanitizer and UndefinedBehaviorSanitizer; or SAN=tsan
# CRASH=1       crash points (tests only)
# V=1           show the commands
# --- nothing below needs editing ----------------------------------------
MAKEFLAGS += --no-builtin-rules

ifndef V
Q = @echo '  ' $@;
endif

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
       -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
       -Wvla -Wformat=2 -Wundef
ifdef DEVELOPER
WARN += -Werror
endif
ifeq ($(SAN),asan)
SANFLAGS = -fsanitize=address,undefined -fno-omit-frame-pointer \
           -fno-sanitize-recover=undefined
endif
ifeq ($(SAN),tsan)
SANFLAGS = -fsanitize=thread -fno-omit-frame-pointer
endif
ifeq ($(SAN),fuzz)
SANFLAGS = -fsanitize=address,undefined,fuzzer-no-link \
           -fno-omit-frame-pointer -fno-sanitize-recover=undefined
endif
# Their checks hide from gcc what a number can be at most; clang has no such
# warnings.
ifneq ($(SAN),)
ifeq ($(findstring clang,$(CC)),)
WARN += -Wno-format-truncation -Wno-maybe-uninitialized
endif
endif
ifndef SAN
SO_LD = -Wl,-z,defs
endif
ifdef CRASH
DEFS += -DERRAND_CRASHPOINTS
endif
HARDEN = -fstack-protector-strong -fno-strict-aliasing
SO_LD += -Wl,-z,relro,-z,now

PKGS     = libcurl jansson sqlite3 libevent_core libevent_pthreads libpcre2-8
PKG_CF  := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LD  := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
LUA_PC  := $(shell for p in lua5.4 lua-5.4 lua54 lua; do \
             pkg-config --exists "$$p >= 5.4" 2>/dev/null && echo $$p && \
             break; done)
LUA_CF  := $(shell pkg-config --cflags $(LUA_PC) 2>/dev/null)
LUA_LD  := $(shell pkg-config --libs $(LUA_PC) 2>/dev/null)
EDIT_LD := $(shell pkg-config --libs libedit 2>/dev/null)
JOBS    := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

STD     = -std=c11 -D_DEFAULT_SOURCE -D_XOPEN_SOURCE=700
CFLAGS_ALL = $(STD) $(OPT) $(WARN) $(HARDEN) $(SANFLAGS) $(DEFS) -fPIC \
             -fvisibility=hidden -pthread -MMD -MP $(CFLAGS)
LDFLAGS_ALL = $(SANFLAGS) -pthread $(LDFLAGS)
ifeq ($(shell uname -s),Linux)
LDFLAGS_ALL += -Wl,--as-needed
endif

# The shared library's name counts breaks of its promise, not releases.
VERSION := $(shell sed -n 's/^.define ERRAND_VERSION "\(.*\)"/\1/p' \
             runtime/include/errand/errand.h)
SOVERSION = 0
SONAME  = liberrand.so.$(SOVERSION)

FLOORS  = base engine store tool model search agent
LIB_SRC = $(wildcard $(FLOORS:%=runtime/%/*.c))
SCHEMAS = $(wildcard schemas/*.json)
GEN_OBJ = $(BUILD)/gen/embedded.o $(BUILD)/gen/shipped.o
SHIPPED = $(filter-out %/template.lua,$(wildcard tools/*.lua))
LIB_OBJ = $(LIB_SRC:%.c=$(BUILD)/%.o) $(GEN_OBJ)
BASE_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard runtime/base/*.c))
HTTP_OBJ = $(filter %/http.o %/http_socket.o %/http_error.o,$(BASE_OBJ))
CLI_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard runtime/cli/*.c))
WORKER_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard runtime/worker/*.c))
UNIT    = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,\
            $(wildcard tests/unit/test_*.c))
CLI_TESTS = $(wildcard tests/cli/*.bats)
HEADERS = $(wildcard runtime/include/errand/*.h runtime/*/*.h)

# A program is built once it has sources; until then it is not there.
PROGRAMS = $(if $(CLI_OBJ),$(BUILD)/errand) \
           $(if $(WORKER_OBJ),$(BUILD)/errand-worker)

# Plugins see the header of tools alone; what one needs beyond libc stands in
# PLUGIN_LD_name.
PLUGIN_LD_sql_query = -lsqlite3
PLUGINS = $(patsubst plugins/%.c,$(BUILD)/plugins/%.so,\
            $(wildcard plugins/*.c))

.PHONY: all help install uninstall deps tags clean FORCE \
        check units lint check-headers check-house check-cli clients check-abi \
        check-asan check-tsan check-oom oom-run check-docs demo fuzz fuzz-run \
        check-crash crash-run soak bench bench-grammar \
        bench-tokenizer bench-engine prove-calls
all: $(BUILD)/liberrand.a $(BUILD)/$(SONAME) $(PROGRAMS) $(PLUGINS)

help:
	@echo 'Build'
	@echo '  all            the library, errand and errand-worker (default)'
	@echo '  install        to DESTDIR and PREFIX ($(PREFIX))'
	@echo '  uninstall      remove what install put there'
	@echo '  demo           a first look: deps, build, a run of several steps'
	@echo '  deps           install what is missing (Debian), or name it'
	@echo '  clean          remove $(BUILD)/'
	@echo '  tags           an index for editors'
	@echo 'Check'
	@echo '  check          everything below but check-tsan'
	@echo '  lint           the house rules: floors, sizes, banned calls ...'
	@echo '  check-headers  each header compiles alone'
	@echo '  check-house    tests of the scripts that keep the house'
	@echo '  units          the C unit tests'
	@echo '  check-cli      tests of the command line'
	@echo '  check-docs     what the documents tell readers to do works'
	@echo '  check-abi      what crosses to others: symbols, fields, sizes'
	@echo '  check-oom      each allocation fails in turn, cleanly'
	@echo '  fuzz           each target for FUZZ_SECONDS ($(FUZZ_SECONDS))'
	@echo '  check-crash    a kill at every crash point, SOAK_RUNS at random, and'
	@echo '                 SCRIPT_KILLS of a script'
	@echo '  check-asan     units and check-cli with ASan and UBSan'
	@echo '  check-tsan     units and check-cli with TSan'
	@echo 'Measure'
	@echo '  bench          side by side with the rivals, ratios printed'
	@echo '  bench-engine   the local engine beside llama.cpp'
	@echo '  bench-grammar  masks and compiling over the suites'
	@echo '  bench-tokenizer  MB/s on one thread'
	@echo '  soak           check-crash with 1000 random runs and 500 kills'
	@echo '  prove-calls    10,000 calls of models that rave, all valid'
	@echo 'Settings: CC OPT BUILD PREFIX DESTDIR FUZZ_SECONDS'
	@echo '          DEVELOPER=1 SAN=asan|tsan CRASH=1 V=1'

# --- building -----------------------------------------------------------

# Objects are made again when the compiler or its flags change, so that one
# folder never mixes two kinds of build. Those that were made with warnings as
# errors serve a build without as well: lint after DEVELOPER=1 finds its own.
FLAGS = $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || \
	    [ "$$(sed 's/ -Werror / /' $@ 2>/dev/null)" = '$(FLAGS)' ] || \
	    echo '$(FLAGS)' > $@

$(BUILD)/liberrand.a: $(LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/$(SONAME): $(LIB_OBJ) $(BUILD)/flags
	$(Q)$(CC) -shared -Wl,-soname,$(SONAME) $(SO_LD) \
	    $(LIB_OBJ) -o $@ $(LDFLAGS_ALL) $(PKG_LD) -lm
	@ln -sf $(SONAME) $(BUILD)/liberrand.so

# The schemas, and what new plugins start from, inside the library.
EMBEDDED = $(SCHEMAS) plugins/template.c
$(BUILD)/gen/embedded.c: scripts/embed $(EMBEDDED)
	@mkdir -p $(@D)
	@scripts/embed $(EMBEDDED) > $@.new && mv $@.new $@

# The tools that come along, by their hashes.
$(BUILD)/gen/shipped.c: scripts/shipped $(SHIPPED)
	@mkdir -p $(@D)
	@scripts/shipped $(SHIPPED) > $@.new && mv $@.new $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	$(Q)$(CC) $(CFLAGS_ALL) -Iruntime/include -Iruntime -c $< -o $@

# Where the installed program finds its worker and its tools.
$(BUILD)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' > $@
PLACED = $(patsubst %,$(BUILD)/runtime/agent/%.o,runtime plugins agent_file)
$(PLACED): $(BUILD)/prefix
$(PLACED): DEFS += \
    -DERRAND_LIB='"$(PREFIX)/lib/errand"' \
    -DERRAND_LIBEXEC='"$(PREFIX)/libexec/errand"' \
    -DERRAND_SHARE='"$(PREFIX)/share/errand"'

# The command line sees the public header and base, nothing else: lint.
$(BUILD)/runtime/cli/%.o: runtime/cli/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Iruntime/include -Iruntime -c $< -o $@

$(BUILD)/runtime/worker/%.o: runtime/worker/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LUA_CF) -Iruntime/include -Iruntime -c $< -o $@

$(BUILD)/runtime/%.o: runtime/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CF) -Iruntime/include -Iruntime -c $< -o $@

# Kernels of one kind of machine, chosen when the program runs.
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
AVX2 = -mavx2 -mfma -mf16c
KERNELS = $(BUILD)/runtime/engine/kernel
$(KERNELS)_avx2.o $(KERNELS)_unpack_avx2.o: override CFLAGS += $(AVX2)
AVX512 = $(KERNELS)_avx512.o $(KERNELS)_avx512_tile.o \
    $(KERNELS)_avx512_attend.o
$(AVX512): override CFLAGS += $(AVX2) -mavx512f \
    -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
# gcc, when it looks for uses after return, puts vectors of 64 bytes where
# they are not aligned (its bug 110027).
ifeq ($(SAN)$(findstring clang,$(CC)),asan)
$(KERNELS)_avx2.o $(KERNELS)_unpack_avx2.o $(AVX512): \
    override CFLAGS += --param asan-use-after-return=0
endif
endif

$(BUILD)/errand: $(CLI_OBJ) $(BUILD)/liberrand.a
	$(Q)$(CC) $(LDFLAGS_ALL) $^ -o $@ $(PKG_LD) $(EDIT_LD) -lm

# The worker has no loop and asks nobody itself, so no libevent and no
# libcurl: it starts sooner.
$(BUILD)/errand-worker: $(WORKER_OBJ) \
    $(filter-out %/loop.o $(HTTP_OBJ),$(BASE_OBJ))
	$(Q)$(CC) $(LDFLAGS_ALL) $^ -o $@ $(LUA_LD) -ljansson -lm

$(BUILD)/plugins/%.so: plugins/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Iruntime/include -shared $(SO_LD) $< -o $@ \
	    $(LDFLAGS_ALL) $(PLUGIN_LD_$*)

# --- installing ---------------------------------------------------------

# Libs.private names the libraries that errand links to and not, through
# Requires, theirs: Debian has many of those without what -static wants.
$(BUILD)/errand.pc: scripts/errand.pc.in $(BUILD)/prefix Makefile
	@sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' \
	    -e 's|@LIBS@|$(strip $(PKG_LD))|' $< > $@

install: all $(BUILD)/errand.pc
	@BUILD='$(BUILD)' PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' \
	    SONAME='$(SONAME)' scripts/install.sh

uninstall:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh --remove

# --- checking -----------------------------------------------------------

RUN = ERRAND_BUILD=$(BUILD) tests/run -j $(JOBS)

# What several tests share.
SUPPORT_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
$(BUILD)/tests/support/%.o: tests/support/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CF) -Iruntime/include -Iruntime -Itests \
	    -c $< -o $@
$(BUILD)/tests/support.a: $(SUPPORT_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

# One program per unit test file; dropping a file in is enough.
$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/tests/support.a \
    $(BUILD)/liberrand.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CF) -Iruntime/include -Iruntime -Itests \
	    $< $(filter %.o,$^) $(BUILD)/tests/support.a $(BUILD)/liberrand.a -o $@ $(LDFLAGS_ALL) $(PKG_LD) -lcmocka -lm

# The worker is a program of its own; tests of its cage are built with those
# of its parts that need no Lua.
CAGE_OBJ = $(patsubst %,$(BUILD)/runtime/worker/%.o,beneath guard lock roots) \
           $(patsubst %.c,$(BUILD)/%.o,$(wildcard runtime/worker/platform_*.c))
$(BUILD)/tests/unit/test_cage $(BUILD)/tests/unit/test_tools_fs: $(CAGE_OBJ)

# Plugins for tests: good ones, wrong ones, and some built against another
# errand/tool.h, which lies in a folder of their name.
FIXTURES = $(patsubst tests/plugins/%.c,$(BUILD)/tests/plugins/%.so,\
             $(wildcard tests/plugins/*.c)) \
           $(patsubst tests/plugins/%.cc,$(BUILD)/tests/plugins/%.so,\
             $(wildcard tests/plugins/*.cc))
$(BUILD)/tests/plugins/%.so: tests/plugins/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Itests/plugins/$* -Iruntime/include -shared \
	    $< -o $@ $(LDFLAGS_ALL)
$(BUILD)/tests/plugins/%.so: tests/plugins/%.cc $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=c++11 $(OPT) -Wall -Wextra -Wpedantic -Werror \
	    $(SANFLAGS) -fPIC -fvisibility=hidden -MMD -MP -Iruntime/include \
	    -shared $< -o $@ $(SANFLAGS)

# The test endpoint (tests/endpoint/README.md): one program beside the tests.
ENDPOINT = $(BUILD)/tests/endpoint
ENDPOINT_OBJ = $(patsubst tests/endpoint/%.c,$(BUILD)/tests/endpoint-%.o,\
                 $(wildcard tests/endpoint/*.c))

$(BUILD)/tests/endpoint-%.o: tests/endpoint/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CF) -Iruntime/include -Iruntime -c $< -o $@

$(ENDPOINT): $(ENDPOINT_OBJ) $(BASE_OBJ)
	$(Q)$(CC) $(LDFLAGS_ALL) $^ -o $@ $(PKG_LD) -lm

# The bare rival of the benchmarks: libcurl and nothing of ours.
BARE_CURL = $(BUILD)/tests/bench/bench_curl
$(BARE_CURL): tests/bench/bench_curl.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $< -o $@ $(LDFLAGS_ALL) -lcurl

units: $(UNIT) $(PROGRAMS) $(ENDPOINT) $(BARE_CURL) $(PLUGINS) $(FIXTURES)
	@$(RUN) $(UNIT)

# The whole of what the unit test shows a slice of: minutes.
prove-calls: $(BUILD)/tests/unit/test_local_calls
	@ERRAND_TEST_CALLS=10000 ERRAND_TEST_SECONDS=3600 \
	    $(RUN) -v $(BUILD)/tests/unit/test_local_calls

lint: $(LIB_OBJ) $(CLI_OBJ) $(WORKER_OBJ)
	@scripts/lint --objects $(BUILD)

# Each header twice in a file of its own: it needs nothing before it, and
# its guard holds. The promised ones also as C++, as strictly as C.
HEADER_CF = -Werror $(PKG_CF) $(LUA_CF) -Iruntime/include -Iruntime
$(BUILD)/headers/%.o: runtime/% $(BUILD)/flags
	@mkdir -p $(@D)
	@printf '#include "%s"\n#include "%s"\nextern int er_alone;\n' \
	    $* $* > $(@:.o=.c)
	$(Q)$(CC) $(CFLAGS_ALL) $(HEADER_CF) $(NO_PADDING) \
	    -c $(@:.o=.c) -o $@

$(BUILD)/headers/include/%.cxx.o: runtime/include/% $(BUILD)/flags
	@mkdir -p $(@D)
	@printf '#include "%s"\n#include "%s"\n' $* $* > $(@:.o=)
	$(Q)$(CXX) -std=c++11 -Wall -Wextra -Wpedantic -Wconversion -Werror \
	    -Wold-style-cast $(NO_PADDING) -MMD -MP -Iruntime/include \
	    -c $(@:.o=) -o $@

# Nothing between the fields of what crosses to a plugin.
$(BUILD)/headers/include/errand/tool.h.o \
    $(BUILD)/headers/include/errand/tool.h.cxx.o: NO_PADDING = -Wpadded

check-headers: $(HEADERS:runtime/%=$(BUILD)/headers/%.o) \
    $(patsubst runtime/%,$(BUILD)/headers/%.cxx.o,\
        $(wildcard runtime/include/errand/*.h))
	@echo 'check-headers: $(words $^) compilations, 0 complaints'

check-house: all $(BUILD)/errand.pc
	@$(RUN) $(wildcard tests/house/*.bats)

# What the requests are compared with, where it can be had.
clients:
	@scripts/clients

check-cli: clients $(PROGRAMS) $(ENDPOINT) $(PLUGINS) $(FIXTURES)
	@$(if $(CLI_TESTS),$(RUN) $(CLI_TESTS))

check-docs: all $(BUILD)/errand.pc
	@SONAME=$(SONAME) ERRAND_TEST_SECONDS=600 $(RUN) scripts/check-docs

# tests/abi/*.c assert while they compile where every field lies.
$(BUILD)/tests/abi/%.o: tests/abi/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Iruntime/include -c $< -o $@

check-abi: $(BUILD)/$(SONAME) $(BUILD)/liberrand.a $(PLUGINS) \
    $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/abi/*.c))
	@scripts/check-abi $(BUILD)/$(SONAME) $(PLUGINS)

# Each allocation fails in turn (tests/oom/oom.h). Two builds: in the plain
# one those of all libraries count; in the other only ours and jansson's, but
# AddressSanitizer watches what is done after the failure.
OOM = $(patsubst tests/oom/%.c,$(BUILD)/tests/oom/%,\
        $(wildcard tests/oom/oom_*.c))
ifeq ($(SAN),asan)
OOM_LD = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free \
         -Wl,--wrap=strdup,--wrap=strndup
endif
$(BUILD)/tests/oom/%: tests/oom/%.c tests/oom/shim.c \
    $(BUILD)/tests/support.a $(BUILD)/liberrand.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(if $(OOM_LD),-DOOM_WRAP) $(PKG_CF) \
	    -Iruntime/include -Iruntime -Itests $< tests/oom/shim.c \
	    $(BUILD)/tests/support.a $(BUILD)/liberrand.a -o $@ $(OOM_LD) \
	    $(LDFLAGS_ALL) $(PKG_LD) -lm

oom-run: $(OOM)
	@ERRAND_TEST_SECONDS=1200 $(RUN) $(OOM)

check-oom: oom-run
	@$(MAKE) --no-print-directory SAN=asan BUILD=$(BUILD)/asan \
	    OPT='-O1 -g' oom-run

# Every tests/fuzz/fuzz_*.c with a library that is built for libFuzzer:
# first its seeds, then FUZZ_SECONDS of search.
FUZZ = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,\
         $(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/liberrand.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CF) $(FUZZ_CF) -Iruntime/include -Iruntime -Itests \
	    $< $(filter %.o,$^) $(BUILD)/liberrand.a -o $@ -fsanitize=fuzzer $(LDFLAGS_ALL) \
	    $(PKG_LD) $(FUZZ_LD) -lm

# The worker is a program of its own: its target brings its parts along.
$(BUILD)/tests/fuzz/fuzz_worker: $(filter-out %/main.o,$(WORKER_OBJ))
$(BUILD)/tests/fuzz/fuzz_worker: FUZZ_CF = $(LUA_CF)
$(BUILD)/tests/fuzz/fuzz_worker: FUZZ_LD = $(LUA_LD)

fuzz-run: $(FUZZ)
	@scripts/fuzz $(FUZZ_SECONDS) $(JOBS) $(FUZZ)

fuzz:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang SAN=fuzz \
	    OPT='-O1 -g' fuzz-run

# The same tests, built otherwise, in a folder of their own; check-oom uses
# the one of check-asan.
check-asan: | $(filter check-oom,$(MAKECMDGOALS))
check-asan check-tsan: check-%:
	@$(MAKE) --no-print-directory SAN=$* BUILD=$(BUILD)/$* OPT='-O1 -g' \
	    units check-cli

# First what is missing is installed; the rest is make's second look at
# what pkg-config knows.
STAGES = lint check-headers check-abi check-house units check-cli \
         check-docs check-crash check-oom check-asan fuzz
check: deps
	+@CHECK_MAKE='$(MAKE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))' \
	    scripts/check $(STAGES)

deps:
	@scripts/deps.sh

demo:
	@scripts/deps.sh build
	+@$(MAKE) --no-print-directory \
	    $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS)) all
	@BUILD=$(BUILD) scripts/demo.sh

tags:
	$(Q)ctags -R runtime tests

clean:
	rm -rf $(BUILD)

# --- crashes and speed --------------------------------------------------

# Victims are killed at every crash point and at random, then audited. The
# library is built with crash points, in a folder of its own.
SOAK_RUNS ?= 40
SOAK_SEED ?= 0
SCRIPT_KILLS ?= 12
CRASH_OBJ = $(patsubst %.c,$(BUILD)/%.o,\
              tests/crash/drive.c tests/crash/audit.c)
$(BUILD)/tests/crash/%.o: tests/crash/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CF) -Iruntime/include -Itests -c $< -o $@
$(BUILD)/tests/crash/victim: $(BUILD)/tests/crash/victim.o \
    $(BUILD)/liberrand.a
	$(Q)$(CC) $(LDFLAGS_ALL) $^ -o $@ $(PKG_LD) -lm
$(BUILD)/tests/crash/drive: $(CRASH_OBJ) $(BUILD)/liberrand.a
	$(Q)$(CC) $(LDFLAGS_ALL) $^ -o $@ $(PKG_LD) -lm

crash-run: $(BUILD)/tests/crash/victim $(BUILD)/tests/crash/drive $(ENDPOINT) \
    $(PROGRAMS)
	@ERRAND_BUILD=$(BUILD) prove -v -e '' $(BUILD)/tests/crash/drive :: \
	    points $(BUILD)/tests/crash/victim tests/crash/points
	@ERRAND_BUILD=$(BUILD) prove -v -e '' $(BUILD)/tests/crash/drive :: \
	    soak $(BUILD)/tests/crash/victim $(SOAK_RUNS) $(SOAK_SEED)
	@prove -v -e perl tests/crash/scripts.pl :: $(BUILD)/errand $(ENDPOINT) \
	    $(SCRIPT_KILLS) $(SOAK_SEED)

check-crash:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/crash CRASH=1 crash-run

soak:
	@$(MAKE) --no-print-directory SOAK_RUNS=1000 SCRIPT_KILLS=500 check-crash

# Side by side with the rivals on this machine; never a test.
BENCH = $(BARE_CURL) $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,\
          $(wildcard tests/bench/bench_*.c))
$(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/tests/support.a \
    $(BUILD)/liberrand.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CF) -Iruntime/include -Iruntime -Itests \
	    $< $(BUILD)/tests/support.a $(BUILD)/liberrand.a -o $@ $(LDFLAGS_ALL) $(PKG_LD) -lm

# What a grammar costs over a vocabulary of 128k; wants the suites.
bench-grammar: $(BUILD)/tests/bench/bench_grammar
	@$<

# Bytes to tokens, on one thread; wants the suites.
bench-tokenizer: $(BUILD)/tests/bench/bench_tokenizer
	@$<

# MODELS='FILE ...' and the rivals by LLAMA_BENCH and IK_LLAMA_BENCH.
bench-engine: $(BUILD)/tests/bench/bench_engine $(BUILD)/tests/bench/make_model
	@ERRAND_BUILD=$(BUILD) tests/bench/engine $(MODELS)

bench: all $(BENCH) $(ENDPOINT)
	@ERRAND_BUILD=$(BUILD) tests/bench/run

-include $(shell find $(BUILD)/runtime $(BUILD)/gen $(BUILD)/tests \
    $(BUILD)/plugins $(BUILD)/headers -name '*.d' 2>/dev/null)
