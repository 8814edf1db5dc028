.POSIX:

# make                     ./acme: static, stripped, with musl-gcc where there is one
# make CC=mips-linux-muslsf-gcc AR=mips-linux-muslsf-ar       ... for a router
# make CC=cc STATIC=       ./acme with the system's libc, unstripped; CFLAGS, LDFLAGS for sanitizers
# make check, check-all    all tests; long ones too       make demo   a certificate from Pebble
# make fuzz                each fuzzer for FUZZ_SECONDS   (60), with clang
# make bench               acme beside other clients: hours; tests/bench/README
# make install, uninstall  DESTDIR, PREFIX, PROG          make size   against the goal
# make clean, distclean    the latter forgets downloads   make V=1    shows the commands
#
# BEARSSL=DIR is BearSSL 0.6's source; without it tests/bearssl fetches it.

VERSION = 0.1
PREFIX = /usr/local
DESTDIR =
PROG = acme
BEARSSL =
CC != echo "$${CC:-$$(command -v musl-gcc >/dev/null && echo musl-gcc || echo cc)}"
AR = ar
NM = nm
CFLAGS = -Os -fno-unwind-tables -fno-asynchronous-unwind-tables
LDFLAGS =
STATIC = -static
WERROR =
# Where everything but ./acme goes; another one for another compiler's build.
B = build

SECTIONS = -ffunction-sections -fdata-sections
# A static binary has a fixed address and no padding between its segments: 4 % smaller.
FIXED = $(STATIC:-static=-fno-pie)
COMPACT = -Wl,-z,noseparate-code -Wl,--build-id=none -Wl,--sort-section=alignment
COMPILE = $(CC) -std=c99 -D_POSIX_C_SOURCE=200809L \
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion $(WERROR) \
	-isystem $(B)/bearssl/inc $(SECTIONS) $(FIXED) $(CFLAGS)
COMPILE_OURS = $(COMPILE) -DVERSION=\"$(VERSION)\"
HOOKDIR = -DHOOKDIR=\"$(PREFIX)/share/acme/hooks\"
LINK_FLAGS = $(LDFLAGS) $(STATIC:-static=-static -no-pie $(COMPACT)) -Wl,--gc-sections
LINK = $(CC) $(CFLAGS) $(LINK_FLAGS)
# Entropy and time are ours to give (key.c, tls.c), not BearSSL's to find.  Access
# to words at odd addresses is undefined in C, and saves nothing with -Os.
COMPILE_BEARSSL = $(CC) -I$(B)/bearssl/inc -I$(B)/bearssl/src \
	-DBR_USE_URANDOM=0 -DBR_USE_WIN32_RAND=0 -DBR_RDRAND=0 \
	-DBR_USE_UNIX_TIME=0 -DBR_USE_WIN32_TIME=0 \
	-DBR_LE_UNALIGNED=0 -DBR_BE_UNALIGNED=0 $(SECTIONS) $(FIXED) $(CFLAGS)

# All but main.o, which unit tests have no use for, and hook.o, which has a rule of its own.
# In the order in which they are linked, so that each process (split.c) touches few pages: what
# only other commands than issue and renew run, the talker's, the keeper's, the responder's, and
# what all have, beside BearSSL and libc.
OBJ = $(COMMAND_OBJ) $(TALKER_OBJ) $(KEEPER_OBJ) $(SHARED_OBJ)
COMMAND_OBJ = $(B)/manage.o $(B)/rollover.o $(B)/revoke.o $(B)/show.o $(B)/tool.o $(B)/zone.o \
	$(B)/probe.o $(B)/ari.o $(B)/roots.o
TALKER_OBJ = $(B)/dns.o $(B)/resolve.o $(B)/form.o $(B)/converse.o $(B)/acme.o $(B)/reply.o \
	$(B)/resource.o $(B)/talk.o $(B)/pool.o $(B)/nonce.o $(B)/problem.o $(B)/json.o $(B)/tls.o $(B)/trust.o $(B)/http.o
KEEPER_OBJ = $(B)/args.o $(B)/ca.o $(B)/conf.o $(B)/value.o $(B)/home.o $(B)/certs.o \
	$(B)/store.o $(B)/due.o $(B)/renewal.o $(B)/issue.o $(B)/request.o $(B)/obtain.o $(B)/order.o \
	$(B)/challenge.o $(B)/chain.o $(B)/eab.o $(B)/registration.o $(B)/account.o $(B)/jws.o \
	$(B)/keyfile.o $(B)/out.o $(B)/talker.o
SHARED_OBJ = $(B)/respond.o $(B)/serve.o $(B)/dir.o $(B)/key.o $(B)/keyinfo.o $(B)/der.o $(B)/asn1.o \
	$(B)/base64.o $(B)/persist.o $(B)/idn.o $(B)/name.o $(B)/buf.o $(B)/confine.o $(B)/split.o \
	$(B)/util.o
LIBBEARSSL = $(B)/libbearssl.a
LIB = $(B)/libacme.a $(LIBBEARSSL)
PROGRAM = $(B)/main.o $(B)/hook.o $(OBJ) $(B)/libbearssl.a
# Here too: the keeper's, what is shared, the talker's.
BEARSSL_OBJ != for d in hash mac rand ec int codec kdf x509 ssl symcipher aead rsa settings; do \
	sed -n "s|.*  \(src/$$d.*\)[.]c$$|$(B)/bearssl/\1.o|p" tests/bearssl.manifest; done
UNIT != for f in tests/unit/*.c; do basename "$$f" .c; done | sed 's|^|$(B)/tests/|'
TOOL != for f in tests/tool/*.c; do basename "$$f" .c; done | sed 's|^|$(B)/tests/tool/|'
FUZZ_SRC != echo tests/fuzz/*.c
UNIT_SRC != echo tests/unit/*.c
TOOL_SRC != echo tests/tool/*.c
VARIANT_SRC != echo tests/program/*.c
VARIANT != for f in tests/program/*.c; do basename "$$f" .c; done | sed 's|^|$(B)/tests/program/|'
FUZZER != for f in tests/fuzz/*.c; do basename "$$f" .c; done | sed 's|^|$(B)/tests/fuzz/|'
# What gives a fuzzer its main: this, or libFuzzer.
FUZZ_MAIN = tests/replay.c
FUZZ_SECONDS = 60

# Commands are hidden behind one short line unless V=1.
Q = @
Q0 = @
Q1 =
V =
S = $(Q$(V))

all: acme

acme: $(B)/acme
	@echo '  LINK    acme'
	$(S)s=-s; [ '$(STATIC)' ] || s=; $(LINK) $$s -o $@ $(PROGRAM)

# With symbols, for make size and the debugger.
$(B)/acme: $(PROGRAM)
	$(S)$(LINK) -o $@ $(PROGRAM)

$(B)/libacme.a: $(OBJ) $(B)/hook.o
	$(S)rm -f $@
	$(S)$(AR) -rcs $@ $(OBJ) $(B)/hook.o

$(OBJ) $(B)/main.o: $(B)/flags $(B)/bearssl/verified
	@echo '  CC      $(@F)'
	$(S)$(COMPILE_OURS) -c -o $@ $(@F:.o=.c)

$(B)/hook.o: $(B)/flags $(B)/prefix $(B)/bearssl/verified
	@echo '  CC      $(@F)'
	$(S)$(COMPILE_OURS) $(HOOKDIR) -c -o $@ hook.c

# What each object is made of; tests/includes compares this with the #include lines.
$(B)/account.o: account.c account.h acme.h buf.h ca.h conf.h eab.h jws.h key.h keyfile.h keyinfo.h registration.h store.h talker.h tls.h util.h
$(B)/acme.o: acme.c acme.h buf.h http.h json.h problem.h reply.h talk.h util.h
$(B)/args.o: args.c args.h buf.h conf.h util.h value.h
$(B)/ari.o: ari.c account.h acme.h ari.h buf.h conf.h due.h key.h renewal.h talker.h util.h
$(B)/asn1.o: asn1.c asn1.h buf.h der.h keyinfo.h
$(B)/base64.o: base64.c base64.h buf.h
$(B)/buf.o: buf.c buf.h
$(B)/ca.o: ca.c buf.h ca.h
$(B)/certs.o: certs.c buf.h dir.h store.h util.h
$(B)/chain.o: chain.c asn1.h base64.h buf.h chain.h conf.h keyinfo.h name.h util.h
$(B)/challenge.o: challenge.c account.h acme.h buf.h challenge.h conf.h hook.h jws.h name.h persist.h probe.h store.h util.h value.h zone.h
$(B)/conf.o: conf.c buf.h ca.h conf.h key.h name.h store.h util.h value.h
$(B)/confine.o: confine.c buf.h confine.h
$(B)/converse.o: converse.c acme.h buf.h call.h converse.h form.h problem.h split.h talk.h tls.h trust.h util.h
$(B)/der.o: der.c buf.h der.h
$(B)/dir.o: dir.c buf.h dir.h util.h
$(B)/dns.o: dns.c buf.h dns.h key.h name.h util.h
$(B)/due.o: due.c buf.h due.h renewal.h
$(B)/eab.o: eab.c acme.h base64.h buf.h ca.h conf.h eab.h jws.h talker.h util.h
$(B)/form.o: form.c base64.h buf.h form.h http.h json.h problem.h talk.h util.h
$(B)/home.o: home.c buf.h dir.h home.h
$(B)/hook.o: hook.c buf.h dir.h hook.h util.h
$(B)/http.o: http.c buf.h http.h
$(B)/idn.o: idn.c buf.h idn.h
$(B)/issue.o: issue.c account.h acme.h ari.h buf.h chain.h challenge.h conf.h due.h hook.h issue.h key.h keyfile.h keyinfo.h obtain.h renewal.h request.h store.h talker.h util.h
$(B)/json.o: json.c buf.h json.h
$(B)/jws.o: jws.c base64.h buf.h jws.h
$(B)/key.o: key.c base64.h buf.h der.h key.h keyinfo.h util.h
$(B)/keyfile.o: keyfile.c buf.h conf.h key.h keyfile.h store.h util.h
$(B)/keyinfo.o: keyinfo.c buf.h der.h keyinfo.h
$(B)/main.o: main.c args.h buf.h conf.h confine.h converse.h hook.h issue.h manage.h out.h probe.h request.h respond.h show.h split.h store.h tool.h util.h
$(B)/manage.o: manage.c account.h acme.h buf.h conf.h json.h jws.h key.h manage.h name.h out.h rollover.h store.h talker.h util.h
$(B)/name.o: name.c buf.h idn.h name.h
$(B)/nonce.o: nonce.c base64.h buf.h http.h nonce.h problem.h util.h
$(B)/obtain.o: obtain.c account.h acme.h asn1.h base64.h buf.h chain.h challenge.h conf.h due.h key.h keyfile.h keyinfo.h obtain.h order.h renewal.h request.h store.h talker.h util.h
$(B)/order.o: order.c account.h acme.h buf.h chain.h conf.h json.h name.h order.h renewal.h store.h talker.h util.h value.h
$(B)/out.o: out.c buf.h json.h out.h util.h
$(B)/persist.o: persist.c buf.h json.h name.h persist.h
$(B)/pool.o: pool.c acme.h buf.h http.h pool.h problem.h tls.h util.h
$(B)/probe.o: probe.c buf.h probe.h resolve.h split.h util.h zone.h
$(B)/problem.o: problem.c acme.h buf.h http.h json.h problem.h util.h
$(B)/registration.o: registration.c acme.h buf.h jws.h registration.h store.h util.h
$(B)/renewal.o: renewal.c buf.h conf.h due.h hook.h renewal.h store.h util.h
$(B)/reply.o: reply.c buf.h http.h json.h problem.h reply.h talk.h util.h
$(B)/request.o: request.c asn1.h base64.h buf.h chain.h conf.h der.h key.h keyinfo.h name.h request.h store.h util.h
$(B)/resolve.o: resolve.c buf.h dns.h resolve.h util.h
$(B)/resource.o: resource.c acme.h base64.h buf.h http.h json.h persist.h problem.h reply.h talk.h util.h
$(B)/respond.o: respond.c buf.h confine.h dir.h name.h respond.h serve.h util.h
$(B)/revoke.o: revoke.c account.h acme.h base64.h buf.h conf.h issue.h key.h keyfile.h renewal.h store.h talker.h util.h
$(B)/rollover.o: rollover.c account.h acme.h buf.h conf.h jws.h key.h keyfile.h keyinfo.h registration.h rollover.h store.h talker.h util.h
$(B)/roots.o: roots.c roots.h
$(B)/serve.o: serve.c asn1.h base64.h buf.h key.h keyinfo.h serve.h util.h
$(B)/show.o: show.c asn1.h base64.h buf.h ca.h conf.h due.h http.h key.h keyfile.h keyinfo.h name.h out.h renewal.h request.h show.h store.h util.h
$(B)/split.o: split.c buf.h confine.h dns.h key.h resolve.h split.h util.h
$(B)/store.o: store.c buf.h dir.h home.h store.h util.h
$(B)/talk.o: talk.c acme.h buf.h http.h nonce.h pool.h problem.h talk.h util.h
$(B)/talker.o: talker.c acme.h base64.h buf.h call.h jws.h persist.h split.h talker.h tls.h util.h
$(B)/tls.o: tls.c base64.h buf.h dns.h http.h key.h resolve.h tls.h trust.h util.h
$(B)/tool.o: tool.c buf.h dns.h out.h resolve.h tool.h util.h
$(B)/trust.o: trust.c asn1.h base64.h buf.h keyinfo.h roots.h trust.h util.h
$(B)/util.o: util.c buf.h util.h
$(B)/value.o: value.c buf.h ca.h hook.h http.h key.h store.h util.h value.h
$(B)/zone.o: zone.c buf.h dns.h resolve.h util.h zone.h

# A unit test includes the .c file that it tests, so that member of libacme.a
# is not pulled.  Tools are programs that tests/e2e uses.
unit: $(UNIT) $(TOOL) $(VARIANT)

$(UNIT): $(UNIT_SRC) tests/exact.h tests/fault.h tests/home.h tests/keys.h tests/script.h tests/tap.h $(LIB)
	@echo '  CC      tests/$(@F)'
	$(S)$(COMPILE) $(HOOKDIR) $(LINK_FLAGS) -o $@ tests/unit/$(@F).c $(LIB)

$(TOOL): $(TOOL_SRC) $(LIB)
	@echo '  CC      tests/tool/$(@F)'
	$(S)$(COMPILE) $(HOOKDIR) $(LINK_FLAGS) -o $@ tests/tool/$(@F).c $(LIB)

# The program with something in front of functions of its own: what that file calls __wrap_NAME.
$(VARIANT): $(VARIANT_SRC) $(PROGRAM)
	@echo '  CC      tests/program/$(@F)'
	$(S)wrap=$$(sed -n 's/^__wrap_\([a-z_]*\)(.*/-Wl,--wrap=\1/p' tests/program/$(@F).c); \
	$(COMPILE) $(LINK_FLAGS) $$wrap -o $@ tests/program/$(@F).c $(PROGRAM)

fuzzers: $(FUZZER)

$(FUZZER): $(FUZZ_SRC) tests/fuzz/fuzz.h tests/replay.c $(LIB)
	@echo '  CC      tests/fuzz/$(@F)'
	$(S)$(COMPILE) $(HOOKDIR) $(LINK_FLAGS) -o $@ tests/fuzz/$(@F).c $(FUZZ_MAIN) $(LIB)

$(B)/libbearssl.a: $(BEARSSL_OBJ)
	@echo '  AR      libbearssl.a'
	$(S)rm -f $@
	$(S)$(AR) -rcs $@ $(BEARSSL_OBJ)

# Not on the .c files: the stamp is newer whenever they are.
$(BEARSSL_OBJ): $(B)/flags.bearssl $(B)/bearssl/verified
	$(S)$(COMPILE_BEARSSL) -c -o $@ $(@:.o=.c)

# Each time: the sums of 300 files are taken in no time.
$(B)/bearssl/verified: FORCE
	@tests/bearssl $(B)/bearssl '$(BEARSSL)'

# Files that change when a command does.
$(B)/flags: FORCE
	@mkdir -p $(B)/tests/tool $(B)/tests/program $(B)/tests/fuzz
	@printf '%s\n' '$(COMPILE_OURS) $(LINK)' | cmp -s - $@ || { \
		echo '  WITH    $(CC) $(CFLAGS) $(LDFLAGS) $(STATIC)'; \
		printf '%s\n' '$(COMPILE_OURS) $(LINK)' >$@; }

$(B)/flags.bearssl: FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(COMPILE_BEARSSL)' | cmp -s - $@ || printf '%s\n' '$(COMPILE_BEARSSL)' >$@

$(B)/prefix: FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(PREFIX)' | cmp -s - $@ || printf '%s\n' '$(PREFIX)' >$@

FORCE:

# The set-up may install the compiler: make looks again for what there is.
check:
	@tests/setup build check
	@$(MAKE) acme unit
	@B='$(B)' tests/run

check-all:
	@tests/setup build check
	@$(MAKE) acme unit
	@B='$(B)' tests/run all

# What is found, and the inputs that lead further than the corpora, stay in build/fuzz.
fuzz:
	@tests/setup build fuzz
	@tests/fuzz/run $(FUZZ_SECONDS)

demo:
	@tests/setup build demo
	@$(MAKE) acme
	@tests/demo

bench:
	@tests/setup build bench
	@$(MAKE) acme
	@tests/bench/run

size: acme
	@tests/size acme $(B)/acme $(NM)

install: acme
	mkdir -p '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/man/man1' '$(DESTDIR)$(PREFIX)/share/acme/hooks'
	cp acme '$(DESTDIR)$(PREFIX)/bin/$(PROG).new'
	chmod 755 '$(DESTDIR)$(PREFIX)/bin/$(PROG).new'
	mv -f '$(DESTDIR)$(PREFIX)/bin/$(PROG).new' '$(DESTDIR)$(PREFIX)/bin/$(PROG)'
	cp acme.1 '$(DESTDIR)$(PREFIX)/share/man/man1/$(PROG).1'
	chmod 644 '$(DESTDIR)$(PREFIX)/share/man/man1/$(PROG).1'
	for f in hooks/*; do \
		cp "$$f" '$(DESTDIR)$(PREFIX)/share/acme/hooks' && \
		chmod 755 '$(DESTDIR)$(PREFIX)/share/acme/'"$$f" || exit 1; \
	done

uninstall:
	rm -f '$(DESTDIR)$(PREFIX)/bin/$(PROG)' '$(DESTDIR)$(PREFIX)/share/man/man1/$(PROG).1'
	for f in hooks/*; do rm -f '$(DESTDIR)$(PREFIX)/share/acme/'"$$f"; done
	-rmdir '$(DESTDIR)$(PREFIX)/share/acme/hooks' '$(DESTDIR)$(PREFIX)/share/acme'

clean:
	rm -f acme
	for f in build/*; do [ "$$f" = build/download ] || rm -rf "$$f"; done

distclean: clean
	rm -rf build

.PHONY: all unit fuzzers check check-all fuzz demo bench size install uninstall clean distclean
