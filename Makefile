# errand. `make help` lists the targets.

# --- settings -----------------------------------------------------------
CC      ?= cc
OPT     ?= -O2 -g
BUILD   ?= build
PREFIX  ?= /usr/local
# DEVELOPER=1   warnings are errors
# SAN=asan      AddressSanitizer and UndefinedBehaviorSanitizer
# CRASH=1       crash points (tests only)
# V=1           show the commands
# --- nothing below needs editing ----------------------------------------

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
ifdef CRASH
DEFS += -DERRAND_CRASHPOINTS
endif
HARDEN = -fstack-protector-strong -fno-strict-aliasing

PKGS     = libcurl jansson sqlite3 libevent_core libevent_pthreads libpcre2-8
PKG_CF  := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LD  := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
LUA_CF  := $(shell pkg-config --cflags lua5.4 2>/dev/null)
LUA_LD  := $(shell pkg-config --libs lua5.4 2>/dev/null)
EDIT_LD := $(shell pkg-config --libs libedit 2>/dev/null)

STD     = -std=c11 -D_DEFAULT_SOURCE -D_XOPEN_SOURCE=700
CFLAGS_ALL = $(STD) $(OPT) $(WARN) $(HARDEN) $(SANFLAGS) $(DEFS) -fPIC \
             -fvisibility=hidden -pthread -MMD -MP $(CFLAGS)
LDFLAGS_ALL = $(SANFLAGS) -pthread $(LDFLAGS)

FLOORS  = base engine store tool model search agent
LIB_SRC = $(wildcard $(FLOORS:%=runtime/%/*.c))
LIB_OBJ = $(LIB_SRC:%.c=$(BUILD)/%.o)
BASE_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard runtime/base/*.c))
CLI_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard runtime/cli/*.c))
WORKER_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard runtime/worker/*.c))
UNIT    = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,\
            $(wildcard tests/unit/test_*.c))

.PHONY: all help clean units
all: $(BUILD)/liberrand.a $(BUILD)/errand-worker $(BUILD)/errand

help:
	@echo 'all      build the library, errand and errand-worker'
	@echo 'units    build and run the C unit tests'

$(BUILD)/liberrand.a: $(LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

# The command line sees the public header and base, nothing else.
$(BUILD)/runtime/cli/%.o: runtime/cli/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Iruntime/include -Iruntime -c $< -o $@

$(BUILD)/runtime/worker/%.o: runtime/worker/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LUA_CF) -Iruntime/include -Iruntime -c $< -o $@

$(BUILD)/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CF) -Iruntime/include -Iruntime -c $< -o $@

$(BUILD)/errand: $(CLI_OBJ) $(BUILD)/liberrand.a
	$(Q)$(CC) $(LDFLAGS_ALL) $^ -o $@ $(PKG_LD) $(EDIT_LD) -lm

$(BUILD)/errand-worker: $(WORKER_OBJ) $(BASE_OBJ)
	$(Q)$(CC) $(LDFLAGS_ALL) $^ -o $@ $(LUA_LD) -ljansson -levent_core -lm

# One program per unit test file; dropping a file in is enough.
$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/liberrand.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CF) -Iruntime/include -Iruntime -Itests \
	    $< $(BUILD)/liberrand.a -o $@ $(LDFLAGS_ALL) $(PKG_LD) -lcmocka -lm

units: $(UNIT)
	@CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(UNIT)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
