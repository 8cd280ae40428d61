# The front door. `make run` and `make test` work on a bare Debian 12, as root or with sudo.

BUILD   := build
COMPERE := $(BUILD)/src/app/compere
DATA    ?= data
LISTEN  ?= 127.0.0.1:8080
WEBRTC  ?= 127.0.0.1:8189
STUDIO_SOURCES := $(shell find studio -type f -not -path 'studio/dist/*') package.json package-lock.json

.PHONY: all run build test quick-test contact-sheet bench soak fuzz sanitize format check-format tidy clean

all: build

run: build
	@exec $(COMPERE) demo --data $(DATA) --listen $(LISTEN) --webrtc $(WEBRTC)

build: $(BUILD)/build.ninja studio/dist/studio.html
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja: | $(BUILD)/.packages
	@meson setup $(BUILD) > $(BUILD)/setup.log || { tail -20 $(BUILD)/setup.log; exit 1; }

$(BUILD)/.packages: tools/packages.txt tools/install-packages
	@mkdir -p $(BUILD)
	@tools/install-packages build run
	@touch $@

$(BUILD)/.test-packages: tools/packages.txt tools/install-packages
	@mkdir -p $(BUILD)
	@tools/install-packages build run test
	@touch $@

$(BUILD)/.tests: $(BUILD)/.test-packages | $(BUILD)/build.ninja
	@meson configure $(BUILD) -Dtests=true
	@touch $@

node_modules/.package-lock.json: package-lock.json | $(BUILD)/.packages
	@tools/install-node-modules
	@touch $@

studio/dist/studio.html: $(STUDIO_SOURCES) | node_modules/.package-lock.json
	@npm run --silent build -- --logLevel warn

test: $(BUILD)/.tests build
	@tools/run-tests all

quick-test: $(BUILD)/.tests build
	@tools/run-tests units pages

sanitize: $(BUILD)/.test-packages
	@tools/run-tests asan tsan

bench: $(BUILD)/.tests build
	@tools/run-bench

soak: $(BUILD)/.test-packages build
	@node test/flow/soak.mjs --minutes $(or $(MINUTES),10)

DRAW_SETS = $(BUILD)/tools/draw_sets $(BUILD)/cast/ava.glb docs/pictures
contact-sheet: $(BUILD)/.tests build
	@$(BUILD)/test/bench/render/contact_sheet docs/pictures $(patsubst cast/%.cast,$(BUILD)/cast/%.glb,$(wildcard cast/*.cast))
	@$(DRAW_SETS)/sets.png --tile 320
	@$(DRAW_SETS)/sets-square.png --tile 200 --size 1080x1080 --sets studio,newsroom,shop,classroom
	@$(DRAW_SETS)/sets-upright.png --tile 160 --size 1080x1920 --sets studio,newsroom,shop,classroom
	@$(DRAW_SETS)/sets-lights.png --tile 240 --sets studio,classroom --cameras wide,medium,close \
		--lights ,neutral,day,evening,warm,cool,dramatic
	@$(DRAW_SETS)/sets-two.png --tile 320 --beside $(BUILD)/cast/leo.glb --sets studio,newsroom \
		--cameras two,medium,left,right

fuzz: $(BUILD)/.test-packages
	@tools/run-fuzz $(or $(SECONDS),60)

format:
	@find src cast test -name '*.[ch]' | xargs clang-format -i

check-format:
	@find src cast test -name '*.[ch]' | xargs clang-format --dry-run -Werror

tidy: build
	@tools/run-tidy

clean:
	@rm -rf build build-* studio/dist
