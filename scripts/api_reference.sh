#!/usr/bin/env bash
# Generates the API reference from the public headers with Doxygen; a warning is an error.
# usage: scripts/api_reference.sh [OUT] [HEADERS]      (build/api, include)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:-$root/build/api}
headers=${2:-$root/include}
command -v doxygen > /dev/null || { echo "api_reference: doxygen is missing: apt-get install doxygen" >&2; exit 1; }
[ -d "$headers/heddle" ] || { echo "api_reference: no folder $headers/heddle, which holds the public headers" >&2; exit 1; }
mkdir -p "$out"
cd "$root"
{
  cat docs/Doxyfile
  printf '%s = "%s"\n' INPUT "$headers/heddle" STRIP_FROM_PATH "$headers" STRIP_FROM_INC_PATH "$headers" OUTPUT_DIRECTORY "$out"
  printf 'INPUT_FILTER = "python3 %s/scripts/doxygen_filter.py"\nPROJECT_NUMBER = "%s"\n' "$root" \
    "$(sed -n 's/^#define HEDDLE_VERSION_[A-Z]* \([0-9]*\)$/\1/p' include/heddle/version.hpp | paste -sd .)"
} | doxygen -
echo "api_reference: $out/html/index.html"
