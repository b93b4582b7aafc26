#!/usr/bin/env bash
# Makes build/PRESET ready to be built; costs nothing when it is. What was configured in another folder,
# and then moved or copied, is configured anew.
#
#   cmake/configure.sh PRESET
set -euo pipefail

cd "$(dirname "$(realpath "$0")")/.."

readonly PRESET=${1:?usage: cmake/configure.sh PRESET}
readonly BUILD=build/$PRESET

if [[ ! -e $BUILD/build.ninja ]] ||
    ! grep -qsFx "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$BUILD/CMakeCache.txt"; then
    cmake --fresh --preset "$PRESET"
fi
