#!/bin/sh
# build_id.sh SOURCE_DIR [HEADER]: the build id; into HEADER, only if it changed, or to the standard output.
# With git: the commit's first 12 digits and, when tracked or unignored files differ from it, "-dirty-" and 8 digits of
# a digest of the difference in what is built, so that two states of one tree have two ids.
# Without git (a release archive): "src-" and a digest of the sources.
# The header also has the digest of the sources, which heddle verify computes again by itself (cli/verify/source_tree.cpp).
set -eu
header=${2:-}
cd "$1"
inputs=
for name in CMakeLists.txt cmake include src cli check; do [ ! -e "$name" ] || inputs="$inputs $name"; done
# shellcheck disable=SC2086  # inputs is a list
digest=$(find $inputs -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64)
git() { command git --no-optional-locks "$@"; }
if [ -e .git ] && id=$(git rev-parse --short=12 HEAD 2>/dev/null); then
  if [ -n "$(git status --porcelain 2>/dev/null)" ]; then
    id=$id-dirty-$({ git diff --binary HEAD -- $inputs
      git ls-files -z --others --exclude-standard -- $inputs | xargs -0r sha256sum; } | sha256sum | cut -c1-8)
  fi
else
  id=src-$(printf '%s' "$digest" | cut -c1-12)
fi
if [ -z "$header" ]; then
  printf '%s\n' "$id"
  exit
fi
mkdir -p "$(dirname "$header")"
text="#pragma once
#define HEDDLE_BUILD_ID \"$id\"
#define HEDDLE_SOURCE_DIGEST \"$digest\""
if [ ! -f "$header" ] || [ "$(cat "$header")" != "$text" ]; then printf '%s\n' "$text" > "$header"; fi
