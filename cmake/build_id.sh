#!/bin/sh
# build_id.sh SOURCE_DIR HEADER: writes the header that holds the build id, only if the id changed.
# With git: the commit's first 12 digits, and "-dirty" when tracked or unignored files differ from it.
# Without git (a release archive): "src-" and a digest of the sources.
set -eu
source_dir=$1 header=$2
if id=$(git -C "$source_dir" rev-parse --short=12 HEAD 2>/dev/null) && [ -e "$source_dir/.git" ]; then
  [ -z "$(git -C "$source_dir" status --porcelain 2>/dev/null)" ] || id="$id-dirty"
else
  id=src-$(cd "$source_dir" && find CMakeLists.txt cmake src cli check -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-12)
fi
mkdir -p "$(dirname "$header")"
text="#pragma once
#define HEDDLE_BUILD_ID \"$id\""
if [ ! -f "$header" ] || [ "$(cat "$header")" != "$text" ]; then printf '%s\n' "$text" > "$header"; fi
