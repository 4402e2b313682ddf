# Installation, the package that find_package(heddle) finds (target heddle::heddle), and that of pkg-config.
#
# Components: development (headers, packages, the static library), runtime (the shared library), programs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/heddle DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
  FILES_MATCHING PATTERN "*.hpp")
install(TARGETS heddle EXPORT heddleTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development)
foreach(program heddle_cli heddle_check_program)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
  endif()
endforeach()

# A static library hands its private dependencies on to the linker, so the packages must find them too.
set(HEDDLE_PACKAGE_DEPENDENCIES "")
set(HEDDLE_PC_REQUIRES "")
set(HEDDLE_PC_LIBS "")
if(NOT BUILD_SHARED_LIBS)
  set(HEDDLE_PACKAGE_DEPENDENCIES "find_dependency(fmt)\nfind_dependency(hwy)\nfind_dependency(Threads)")
  set(HEDDLE_PC_REQUIRES "Requires: fmt libhwy")
  set(HEDDLE_PC_LIBS " -lstdc++ -lm -pthread -ldl")
  if(HEDDLE_HAS_ONEDNN)
    string(APPEND HEDDLE_PC_LIBS " ${HEDDLE_DNNL_LIBRARY}")
    foreach(name ${OpenMP_CXX_LIB_NAMES})
      string(APPEND HEDDLE_PC_LIBS " ${OpenMP_${name}_LIBRARY}")
    endforeach()
  endif()
  if(HEDDLE_HAS_CUDA)
    string(APPEND HEDDLE_PACKAGE_DEPENDENCIES "\nfind_dependency(CUDAToolkit)")
    string(APPEND HEDDLE_PC_LIBS " -L${CUDAToolkit_LIBRARY_DIR} -lcudart_static -lrt")
  endif()
endif()

set(heddle_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/heddle)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/heddleConfig.cmake.in ${PROJECT_BINARY_DIR}/heddleConfig.cmake
  INSTALL_DESTINATION ${heddle_package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break what it likes.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/heddleConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/heddleConfig.cmake ${PROJECT_BINARY_DIR}/heddleConfigVersion.cmake
  DESTINATION ${heddle_package_dir} COMPONENT development)
install(EXPORT heddleTargets NAMESPACE heddle:: DESTINATION ${heddle_package_dir} COMPONENT development)

include(${PROJECT_SOURCE_DIR}/cmake/man.cmake)

set(heddle_pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH HEDDLE_PC_PREFIX /prefix/${heddle_pc_dir} /prefix)  # wherever it is installed
configure_file(${PROJECT_SOURCE_DIR}/cmake/heddle.pc.in ${PROJECT_BINARY_DIR}/heddle.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/heddle.pc DESTINATION ${heddle_pc_dir} COMPONENT development)
