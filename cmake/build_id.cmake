# Writes the build id (source revision and a digest of what differs from it, or a digest of the sources where there is no
# git) at every build; see build_id.sh.
set(HEDDLE_BUILD_ID_HEADER ${PROJECT_BINARY_DIR}/generated/heddle_build_id.hpp)
add_custom_target(heddle_build_id
  COMMAND ${PROJECT_SOURCE_DIR}/cmake/build_id.sh ${PROJECT_SOURCE_DIR} ${HEDDLE_BUILD_ID_HEADER}
  BYPRODUCTS ${HEDDLE_BUILD_ID_HEADER}
  COMMENT "build id")
