# Man pages and bash completion of the programs, generated from their --help and installed with them.
#
# Include after cli and check have added their targets, and after GNUInstallDirs. Does nothing where python3 is missing or the programs
# cannot run on the machine that builds them. OPTIONAL: a build of single targets has no pages.
find_program(HEDDLE_PYTHON3 python3)
mark_as_advanced(HEDDLE_PYTHON3)
if(HEDDLE_PYTHON3 AND NOT CMAKE_CROSSCOMPILING)
  set(manual_dir ${PROJECT_BINARY_DIR}/manual)
  set(manual_files "")
  foreach(target heddle_cli heddle_check_program)
    if(TARGET ${target})
      get_target_property(program ${target} OUTPUT_NAME)
      set(man_page ${manual_dir}/man1/${program}.1)
      add_custom_command(OUTPUT ${man_page} ${manual_dir}/completions/${program}
        COMMAND ${HEDDLE_PYTHON3} ${PROJECT_SOURCE_DIR}/scripts/man_pages.py $<TARGET_FILE_DIR:${target}> ${manual_dir} ${program}
        DEPENDS ${target} ${PROJECT_SOURCE_DIR}/scripts/man_pages.py
        COMMENT "Writing the man page of ${program}" VERBATIM)
      list(APPEND manual_files ${man_page})
      install(FILES ${man_page} OPTIONAL DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT programs)
      install(FILES ${manual_dir}/completions/${program} OPTIONAL DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT programs)
    endif()
  endforeach()
  if(manual_files)
    add_custom_target(heddle_manual ALL DEPENDS ${manual_files})
  endif()
endif()
