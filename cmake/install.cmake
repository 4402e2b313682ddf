# Installation, and the package that find_package(heddle) finds: target heddle::heddle.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Headers are included as "heddle/...", so the folder itself goes to include/.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/heddle DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*-inl.h" PATTERN "onednn" EXCLUDE PATTERN "kernels" EXCLUDE PATTERN "checked" EXCLUDE
  PATTERN "cublaslt" EXCLUDE PATTERN "pages" EXCLUDE)
install(TARGETS heddle EXPORT heddleTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET heddle_cli)
  install(TARGETS heddle_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# A static library hands its private dependencies on to the linker, so the package must find them too.
set(HEDDLE_PACKAGE_DEPENDENCIES "find_dependency(fmt)\nfind_dependency(hwy)\nfind_dependency(Threads)")
if(HEDDLE_HAS_ONEDNN)
  string(APPEND HEDDLE_PACKAGE_DEPENDENCIES "\nfind_dependency(OpenMP COMPONENTS CXX)")
endif()
if(HEDDLE_HAS_CUDA)
  string(APPEND HEDDLE_PACKAGE_DEPENDENCIES "\nfind_dependency(CUDAToolkit)")
endif()

set(heddle_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/heddle)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/heddleConfig.cmake.in ${PROJECT_BINARY_DIR}/heddleConfig.cmake
  INSTALL_DESTINATION ${heddle_package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break what it likes.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/heddleConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/heddleConfig.cmake ${PROJECT_BINARY_DIR}/heddleConfigVersion.cmake
  DESTINATION ${heddle_package_dir})
install(EXPORT heddleTargets NAMESPACE heddle:: DESTINATION ${heddle_package_dir})
