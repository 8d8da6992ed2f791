SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
export GOTOOLCHAIN := auto
export CGO_ENABLED := 0
# One set of flags for the program and its tests: what both are made of is compiled once.
export GOFLAGS := -trimpath

SEEDS ?= 12
KILLS ?= 2

# walks-% and unit-% stay without .PHONY, which knows no patterns.
.PHONY: fixture build pages demo test check house unit unit-packages dates web race race-whole torture drill planted night proof audit licences sbom dist dist-try bench fuzz clean dqlite cluster test-cluster torture-cluster bench-cluster litestream-try bench-big compiler chromium \
	nginx shots

# The program with its pages, as bin/hospay.
build: pages
	go build -o bin/hospay .

# The pages, from web/ into pb_public/dist. What the lock file names is
# installed when it has changed.
pages: pb_public/dist/index.html

SOURCES := $(shell find web internal/i18n internal/voucher/samples -type f -not -path 'web/node_modules/*' -not -path 'web/tests/*')
pb_public/dist/index.html: web/node_modules/.installed $(SOURCES)
	cd web && npx vite build --logLevel warn
	touch $@

web/node_modules/.installed: web/package-lock.json web/package.json
	cd web && (npm ci --no-audit --no-fund || npm install --no-audit --no-fund)
	touch $@

# Everything on loopback: simulators, the scripted day, then a running system.
demo: build
	bin/hospay demo

# Everything that must be green, in lanes beside each other: the tests of the whole
# program wait more than they work. What a lane prints comes in one piece.
LANES = $(MAKE) --no-print-directory --output-sync=target
# How long a lane took is told at its end.
TOLD = TIMEFORMAT='$@: %R s, processor %U + %S s'; time
UNITS = unit-packages unit-A-H unit-I-Q unit-R-Z
test: pages nginx compiler
	$(LANES) -j3 house $(UNITS)
	$(MAKE) --no-print-directory web
	$(LANES) -j2 race torture
	$(MAKE) --no-print-directory test-cluster

# Before every commit. staticcheck reads whatever is imported, too: on a machine that
# has compiled nothing yet that takes as long as an eighth of all tests, so that it is
# part of the night and not of `make test`.
check: house
	go tool staticcheck ./...

house: pages
	@bad="$$(gofmt -l .)"; if [ -n "$$bad" ]; then echo "gofmt:"; echo "$$bad"; exit 1; fi
	@$(TOLD) go test -vet=all ./internal/house
	cd web && npx vue-tsc --noEmit && node scripts/budget.mjs

unit: pages nginx
	$(LANES) -j3 $(UNITS)

unit-packages:
	@$(TOLD) go test -vet=all -timeout 20m $$(go list ./... | grep -v -e /e2e$$ -e /internal/house$$) # house is part of check
unit-%:
	@$(TOLD) env TORTURE_SEEDS=0 TORTURE_KILLS=0 go test -vet=all -timeout 20m ./e2e -run '^(Test|Fuzz)[$*]' -skip '^TestCluster_'

# The Go tests on other days than today, each a moment at which all clocks begin.
DATES ?= 2026-11-28T12:00:00+08:00 2027-04-29T09:30:00+08:00 2027-04-30T22:00:00+08:00 2027-05-31T10:00:00+08:00 2027-12-31T23:59:00+08:00 \
	2028-01-01T00:10:00+08:00 2028-02-29T23:59:30+08:00 2027-03-01T06:00:00+08:00
dates: nginx
	@set -e; for day in $(DATES); do echo "== $$day"; \
		HOSPAY_TEST_DAY=$$day TORTURE_SEEDS=0 TORTURE_KILLS=0 go test -count=1 -timeout 20m ./...; done

# The pages: their own tests, then walks through the running program in a browser.
web: build chromium
	@cd web; $(TOLD) npx vitest run --project unit
	$(LANES) -j3 walks-console-1of2 walks-console-2of2 walks-browser walks-books

# Houses beside each other, each with its own ports and folder; the last begins when
# one of them has ended.
walks-console-%:
	@cd web; $(TOLD) npx vitest run --project console --shard=$(subst of,/,$*)
walks-%:
	@cd web; $(TOLD) npx vitest run --project $*

# Pictures of every screen and state, into shots/; the few that the README
# shows, into docs/pictures/.
PICTURES = portal-phone/home-waiting portal-phone/route portal-phone/record-arrived portal-care/card portal-phone-pay/insurance portal-phone-pay/paid kiosk-upright/code \
	staff-wide/queue staff-wide/order-reviewing staff-wide/proxy staff-wide/suspense staff-wide/calendar staff-wide/day staff-wide/stats-week staff-wide/config-changes dashboard/overview
shots: build chromium
	rm -rf shots
	cd web && npx vitest run --project shots --project shots-staff
	mkdir -p docs/pictures
	for p in $(PICTURES); do cp shots/$${p%/*}/[0-9][0-9]-$${p##*/}.png docs/pictures/$${p##*/}.png || exit 1; done

chromium:
	@command -v chromium >/dev/null || [ -n "$$CHROMIUM" ] || { apt-get update && apt-get install -y --no-install-recommends chromium; }
	@command -v fc-list >/dev/null && fc-list :lang=zh | grep -q . || { apt-get update && apt-get install -y --no-install-recommends fontconfig fonts-noto-cjk; }

# A real proxy stands before the program in some tests.
nginx:
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { apt-get update && apt-get install -y --no-install-recommends nginx-light; }

# The race detector needs a C compiler.
compiler:
	@command -v gcc >/dev/null || { apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev; }

# What hands work from one goroutine to another, under the race detector; race-whole
# with the other clients and the whole program, for which everything that it is made
# of is compiled anew.
race: compiler
	@$(TOLD) env CGO_ENABLED=1 go test -race -timeout 10m ./flow ./centre ./channels ./channels/wechat ./notify/... ./sim/... ./internal/vault
	@$(TOLD) env CGO_ENABLED=1 go test -race -timeout 10m ./refund ./payment -rapid.checks=20
race-whole: race
	CGO_ENABLED=1 go test -race -timeout 15m ./money ./channels/... ./his/... ./reconcile ./jobs ./cmd ./store
	CGO_ENABLED=1 go test -race -timeout 15m -run '^(TestReview_TwoAtOnce|TestCallback_Replayed|TestApply_OneActive|TestRefund_|TestRace)' ./e2e

# Seeded faults in the process, and kill -9 of a real server.
torture:
	@$(TOLD) env TORTURE_SEEDS=$(SEEDS) TORTURE_KILLS=$(KILLS) go test -v -timeout 120m -run '^TestTorture' ./e2e | grep -v -E '^(=== |    --- PASS|        --- PASS)'

# Backup under load, restore, frozen, asked, released by two, all books agree.
DRILLS ?= 20
drill:
	DRILLS=$(DRILLS) go test -count=1 -v -timeout 120m -run '^TestDrill' ./e2e | grep -v -E '^(=== |    --- PASS)'

# Known bugs, planted one by one in a copy of the tree: the suite must catch each.
planted:
	go run ./lab/planted $(BUGS)

# The proofs of docs/security.md in their long form.
proof: nginx
	HOSPAY_PROOF=night go test -count=1 -timeout 120m -run '^(TestOracle|TestCanary|TestSecondInstitution|TestRace|TestReview_|TestProxy_TwoReviewersOneWins|TestDrill|TestEdge)' ./e2e

# Static judgement, secrets in the tree, parts of others. The tools are pinned in
# tools/go.mod, apart from what hospay is made of. The simulators and what
# measures are no part of what hospitals run.
TOOL = go tool -modfile=tools/go.mod
audit:
	mkdir -p bin && cd tools && go build -o ../bin/audit ./audit
	bin/audit licences
	$(TOOL) gitleaks dir --no-banner --redact -v -c tools/gitleaks.toml .
	$(TOOL) gosec -quiet -no-fail -fmt json -out bin/gosec.json -exclude-dir=web -exclude-dir=tools -exclude-dir=findings -exclude-dir=sim \
		-exclude-dir=lab -exclude-dir=his/histest -exclude-dir=channels/channeltest ./...
	bin/audit gosec bin/gosec.json
	GOOS=windows go vet ./cmd

# The list of parts of others with their licences, written anew.
licences:
	mkdir -p bin && cd tools && go build -o ../bin/audit ./audit
	bin/audit licences -update

# The bill of materials (CycloneDX); the same lock files give the same bytes.
sbom:
	mkdir -p bin && cd tools && go build -o ../bin/audit ./audit
	bin/audit sbom bin/sbom.json

# What hospitals install, offline: an archive for each system, packages of Debian,
# SHA256SUMS. The same commit gives the same bytes. TARGET=linux/amd64 makes one.
dist: build
	rm -rf bin/dist
	go run ./lab/dist -version "$$(bin/hospay version | cut -d' ' -f2)" -epoch "$$(git log -1 --format=%ct)" -only "$(TARGET)" -out bin/dist
	cat bin/dist/SHA256SUMS

# Continuous replication with the real program, as deploy/litestream.yml says.
litestream-try:
	GOBIN=$(CURDIR)/bin GOFLAGS= go install github.com/benbjohnson/litestream/cmd/litestream@v0.5.9
	LITESTREAM=$(CURDIR)/bin/litestream go test -count=1 -v -timeout 10m -run '^TestLitestream_' ./e2e

# The package on a root of its own: installed, set up, served, upgraded, removed.
dist-try:
	$(MAKE) --no-print-directory dist TARGET=linux/amd64
	scripts/try-deb.sh bin/dist/*_amd64.deb

# What takes hours.
night:
	$(MAKE) --no-print-directory check
	$(MAKE) --no-print-directory race-whole
	$(MAKE) --no-print-directory audit
	$(MAKE) --no-print-directory proof
	$(MAKE) --no-print-directory fuzz
	$(MAKE) --no-print-directory dates
	WALKS=all $(MAKE) --no-print-directory web
	$(MAKE) --no-print-directory torture SEEDS=2000 KILLS=100
	$(MAKE) --no-print-directory test-cluster CLUSTERS=^TestCluster_
	$(MAKE) --no-print-directory torture-cluster HITS=$(HITS)
	$(MAKE) --no-print-directory drill
	$(MAKE) --no-print-directory litestream-try
	$(MAKE) --no-print-directory dist-try
	$(MAKE) --no-print-directory planted

# The data folder that a release leaves for the programs after it, once when the
# release is cut: e2e/testdata/folder-<release>.tar.gz.
fixture:
	go test -count=1 -run '^TestFolder_IsMade$$' ./e2e -update

# Several machines: the program with dqlite (cgo; Debian's libdqlite), nodes that are
# killed and cut off while money goes through (networks of their own take root), and
# how that compares with one machine.
CLUSTER = CGO_ENABLED=1 CGO_LDFLAGS_ALLOW=-Wl,-z,now
HITS ?= 500
dqlite: compiler
	@[ -f /usr/include/dqlite.h ] || { apt-get update && apt-get install -y --no-install-recommends libdqlite-dev libraft-dev; } || \
		echo "libdqlite-dev of Debian 12 is not to be had here: nothing of several machines is built or tried"
cluster: pages dqlite
	$(CLUSTER) go vet -tags dqlite,libsqlite3 ./internal/cluster ./cmd
	$(CLUSTER) go build -tags dqlite,libsqlite3 -o bin/hospay-cluster .
CLUSTERS ?= ^TestCluster_NothingIsLost
test-cluster: pages nginx dqlite
	@$(TOLD) go test -timeout 15m -run '$(CLUSTERS)' ./e2e
torture-cluster: pages nginx dqlite
	TORTURE_CLUSTER=$(HITS) go test -count=1 -v -timeout 24h -run '^TestTorture_Cluster$$' ./e2e
bench-cluster: cluster
	go run ./lab/bench -bin bin/hospay-cluster -out bench.json -only cluster $(BENCH)

# Prints a table and writes bench.json. DuckDB, which reconcile is compared with,
# comes beside the tree; where it is not to be had, the figures come without it.
DUCKDB ?= $(or $(TMPDIR),/tmp)/hospay-duckdb
bench: build
	@[ -d $(DUCKDB)/node_modules/@duckdb ] || npm install --no-audit --no-fund --prefix $(DUCKDB) @duckdb/node-api@1.5.6-r.1 || true
	@command -v unzip >/dev/null || apt-get install -y --no-install-recommends unzip
	go run ./lab/bench -bin bin/hospay -out bench.json $$([ -d $(DUCKDB)/node_modules/@duckdb ] && echo -duckdb $(DUCKDB)) $(BENCH)

# The large sizes: ten million lines a book, lists of five million orders, a million
# orders with ten million events, and its backup. An hour at first, and 40 GB of disk;
# the databases stay in BIG for later runs.
BIG ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/hospay-bench
bench-big: build
	go run ./lab/bench -bin bin/hospay -out bench-recon.json -only recon -recon 10000000
	go run ./lab/bench -bin bin/hospay -out bench-lists.json -only lists -rows 5000000 -keep $(BIG)
	go run ./lab/bench -bin bin/hospay -out bench-big.json -only big -keep $(BIG)

# Every fuzz target for FUZZTIME.
FUZZTIME ?= 60s
fuzz:
	./scripts/fuzz.sh $(FUZZTIME)

clean:
	rm -rf bin bench.json hp_demo shots pb_public/dist web/node_modules
