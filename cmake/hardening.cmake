# What the programs are hardened with, through the interface library heddle_hardening: the flags of Debian 12's
# dpkg-buildflags with hardening=+all, and those that Debian added since for this processor (stack clash, CET).
# tests/cli/hardening_test.cpp reads the programs' ELF files. The library is built without: what reads foreign input is in
# the programs, and whoever links the library chooses for the whole of their program.
option(HEDDLE_HARDENING "Harden heddle and heddle-check as Debian does its programs" ON)
add_library(heddle_hardening INTERFACE)
# _FORTIFY_SOURCE needs an optimizer, and a sanitizer has checks of its own in the same places.
set(HEDDLE_FORTIFIED OFF)
if(HEDDLE_HARDENING AND NOT HEDDLE_SANITIZE AND CMAKE_BUILD_TYPE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(HEDDLE_FORTIFIED ON)
endif()
if(HEDDLE_HARDENING)
  include(CheckPIESupported)
  check_pie_supported(LANGUAGES CXX)  # else CMake leaves it to the compiler's default
  target_compile_options(heddle_hardening INTERFACE -fstack-protector-strong -fstack-clash-protection -Wformat
    -Werror=format-security)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(heddle_hardening INTERFACE -fcf-protection)
  endif()
  if(HEDDLE_FORTIFIED)
    target_compile_options(heddle_hardening INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
  target_link_options(heddle_hardening INTERFACE LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
endif()
